// Documents: what is being added, what the library holds, its folders, what was removed from it, and the library itself.

const HOLDINGS_EVERY = 1000; // milliseconds, while documents are added
const HOLDINGS_IDLE = 6000;
const AT_FIRST = 25; // documents shown

class Holdings extends Lists {
  constructor(root) {
    super();
    this.frame = el("div", { class: "holdings" });
    root.append(this.frame);
    this.chosen = new Set();
    this.search = el("input", { type: "search", placeholder: "Find", "aria-label": "Find a document", oninput: () => this.type() });
    const part = (title, ...inside) => {
      const list = el("div", { class: "list" });
      const section = el("section", { "aria-label": title }, el("h2", {}, title), ...inside, list);
      this.frame.append(section);
      return [section, list];
    };
    this.now = el("div", { class: "now" });
    this.frame.append(this.now);
    [this.folderPart, this.folders] = part("Folders");
    this.bar = el("div", { class: "bulk" });
    [this.documentPart, this.documents] = part("Documents", el("div", { class: "head" }, this.search, this.bar));
    [this.removedPart, this.removed] = part("Removed", el("p", { class: "fine" }, "They stay out when their folder is read, until you want them again."));
    [this.libraryPart, this.library] = part("This library");
  }

  async show(data, tell) {
    if (this.data?.library !== data.library) {
      this.chosen = new Set();
      this.all = false;
      this.told = null;
      this.frame.hidden = true; // what stands there is another library's
    }
    this.data = data;
    this.tell = tell;
    clearTimeout(this.next);
    const told = await this.look("holdings", data.library);
    await released(this.frame);
    if (this.data !== data) return;
    this.told = told ?? this.told;
    if (this.told) this.draw();
    const busy = this.told && (this.told.adding || this.told.queue.length);
    this.next = setTimeout(() => this.show(data, tell), busy ? HOLDINGS_EVERY : HOLDINGS_IDLE);
  }

  draw() {
    if (this.isTyping()) return;
    const said = JSON.stringify([this.told, this.data, [...this.chosen], this.menu, this.locked, this.all]);
    if (said === this.said) return;
    this.said = said;
    keepingFocus(this.frame, () => this.drawAll());
  }

  drawAll() {
    const { told } = this;
    this.frame.hidden = false;
    this.now.replaceChildren(...this.drawNow().filter(Boolean));
    this.folderPart.hidden = !told.folders.length;
    this.folders.replaceChildren(...told.folders.map((folder) => this.folder(folder)), this.aboutFollowing());
    const shown = this.all ? told.documents : told.documents.slice(0, AT_FIRST);
    const more = told.found - shown.length;
    const rest = told.documents.length - shown.length;
    this.documentPart.hidden = !(told.total || told.documents.length || this.search.value);
    this.documents.replaceChildren(
      el("ul", {}, shown.map((document) => this.document(document))),
      told.documents.length ? "" : el("p", { class: "fine" }, "No document is called so."),
      rest > 0 ? button(`Show ${rest} more`, "Show more documents", () => this.showAll(), { class: "act" }) : "",
      more > rest ? el("p", { class: "fine" }, `${(more - rest).toLocaleString("en")} others: search for them`) : "",
    );
    this.drawBulk();
    this.removedPart.hidden = !told.removed.length;
    this.removed.replaceChildren(el("ul", {}, told.removed.map((gone) => this.gone(gone))));
    this.library.replaceChildren(this.drawLibrary());
  }

  drawNow() {
    const { adding, share, running, stopping, queue, troubles, receipt, total, documents } = this.told;
    const going = adding && el(
      "div",
      { class: "going" },
      el("p", { role: "status" }, stopping ? "Stopping: " : "", adding),
      el("progress", { value: share, max: 1, "aria-label": "How far it is" }),
      el("p", { class: "fine" }, running ?? "Another program is adding to this library."),
      running && button("Stop", "Stop", () => this.tell("stop", running), { class: "act", disabled: stopping, title: "What is finished is kept." }),
    );
    const waits = queue.map((what) =>
      el("p", { class: "waits" }, el("span", {}, el("b", {}, "Waiting: "), what), button("Take back", `Take back ${what}`, () => this.tell("take_back", what), { class: "act" })),
    );
    const last = !adding && receipt && this.receipt(receipt);
    const nothing = !adding && !queue.length && !total && !documents.length && el("p", { class: "fine" }, "No documents yet.");
    return [going, ...waits, ...troubles.map((trouble) => el("p", { class: "trouble", role: "alert" }, trouble)), last, nothing];
  }

  receipt(receipt) {
    const lines = (title, rows) =>
      rows.length > 0 && el("details", { open: title === "failed" && rows.length < 6 }, el("summary", {}, `${rows.length} ${title}`), el("ul", {}, rows.map((row) => el("li", { title: row.where }, el("b", {}, row.name), `: ${row.text}`))));
    return el(
      "div",
      { class: receipt.ok ? "receipt" : "receipt bad" },
      el("p", {}, `${receipt.counts} `, el("span", { class: "fine" }, `(${when(receipt.finished)})`)),
      receipt.details.map((detail) => el("p", { class: "fine" }, detail)),
      lines("failed", receipt.failed),
      lines(receipt.notes.length > 1 ? "notes" : "note", receipt.notes),
    );
  }

  folder(folder) {
    const { path, name, where, without, read, followed, there, trouble } = folder;
    const state = !there ? "not there now: is its drive connected?" : read ? `read ${when(read)}` : "not read to its end yet";
    return el(
      "div",
      { class: "folder" },
      el("div", {}, el("b", {}, name), el("span", { class: "fine" }, where), el("span", { class: "fine" }, [state, without.length ? `without ${without.join(", ")}` : ""].filter(Boolean).join(" · ")), trouble ? el("span", { class: "fine" }, `Can't be followed: ${trouble}`) : null),
      el(
        "div",
        { class: "acts" },
        button("Bring up to date", `Bring ${name} up to date`, () => this.tell("bring", path), { class: "act", disabled: !there }),
        el("label", { class: "follow" }, el("input", { type: "checkbox", checked: followed, "aria-label": `Follow ${name}`, onchange: (event) => this.tell("follow", [path, event.target.checked]) }), "Follow"),
        button("Forget", `Forget ${name}`, () => confirm(`Forget ${name}? What was read from it stays.`) && this.tell("forget", path), { class: "act" }),
      ),
    );
  }

  aboutFollowing() {
    const { folders } = this.told;
    const says = folders.some((folder) => folder.followed)
      ? "Followed folders are read again when something in them changes, for as long as this page's server runs, whether the page is open or not."
      : "Follow one, and it is read again whenever something in it changes.";
    return el("p", { class: "fine" }, says);
  }

  document(told) {
    const there = told.added != null;
    const { path, name, locked } = told;
    const box = {
      "aria-label": `Choose ${name}`,
      checked: this.chosen.has(path),
      disabled: !there && !told.reason,
      onchange: (event) => this.choose(path, event.target.checked),
    };
    const open = () => this.tell("open", [path, told.pages ? 1 : null, Date.now()]);
    const choices = [
      there && ["Ask only this", () => this.tell("only", [path])],
      told.reason && !locked && this.retry(told),
      (there || told.reason) && ["Remove", () => confirm(`Remove ${name}? ${REMOVING}`) && this.tell("remove", [path])],
    ];
    const password = locked && this.locked !== path && button("Type its password", `Type the password of ${name}`, () => this.askPassword(told), { class: "act" });
    return this.row(told, box, open, choices, password);
  }

  showAll() {
    this.all = true;
    this.draw();
  }

  choose(path, chosen) {
    if (chosen) this.chosen.add(path);
    else this.chosen.delete(path);
    this.draw();
  }

  drawBulk() {
    const chosen = this.told.documents.filter((document) => this.chosen.has(document.path));
    const paths = chosen.map((document) => document.path);
    const count = `${paths.length} document${paths.length > 1 ? "s" : ""}`;
    const remove = () => confirm(`Remove ${count}? ${REMOVING}`) && this.tell("remove", paths);
    const ready = chosen.filter((document) => document.added != null).map((document) => document.path);
    this.bar.replaceChildren(
      ...(paths.length
        ? [
            ready.length ? button(`Ask only ${ready.length > 1 ? "these" : "this"}`, `Ask only the ${ready.length} chosen`, () => this.tell("only", ready), { class: "act" }) : "",
            button(`Remove ${count}`, `Remove ${count}`, remove, { class: "act" }),
          ]
        : []),
    );
  }

  gone({ path, name, where, removed, there }) {
    return el(
      "li",
      {},
      el("div", {}, el("b", {}, name), el("span", { class: "fine" }, where), el("span", { class: "fine" }, `removed ${when(removed)}${there ? "" : " · its file is gone"}`)),
      el(
        "div",
        { class: "acts" },
        there ? button("Read it again", `Read ${name} again`, () => this.tell("retry", [path, ""]), { class: "act" }) : null,
        button("Forget", `Forget ${name}`, () => confirm(`Take ${name} off this list? The next time its folder is read, it is added again.`) && this.tell("forget_removed", path), { class: "act" }),
      ),
    );
  }

  drawLibrary() {
    const { library } = this.data;
    const rename = () => {
      const name = prompt("The library's new name", library)?.trim();
      if (name && name !== library) this.tell("rename", name);
    };
    const remove = () => {
      const typed = prompt(`Type ${library} to delete this library: all that was read, its conversations, and the copies of uploaded files. Your own files stay.`);
      if (typed?.trim() === library) this.tell("delete", library);
      else if (typed != null) alert("Nothing was deleted: that is not its name.");
    };
    return el(
      "div",
      { class: "acts" },
      button("Rename", "Rename this library", rename, { class: "act" }),
      el("a", { class: "act", href: address("backup", { library }), download: "", title: "One file with all of it; `octavo import` brings it back." }, "Back up"),
      button("Delete", "Delete this library", remove, { class: "act" }),
    );
  }
}

function when(moment) {
  return new Date(moment).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

export default mounted(Holdings);
