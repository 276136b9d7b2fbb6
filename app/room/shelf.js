// The bookshelf: the library's conversations and documents, at the left. It looks by itself what there is, more often while
// documents are being added. Ticked documents are those that the next question is asked of.

const SHELF_EVERY = 1500; // milliseconds, while documents are added
const SHELF_IDLE = 15000;

class Shelf extends Lists {
  constructor(root) {
    super();
    this.frame = el("nav", { class: "shelf", "aria-label": "Bookshelf" });
    root.append(this.frame);
    this.search = el("input", { type: "search", placeholder: "Find", "aria-label": "Find a conversation or document", oninput: () => this.type() });
    this.conversations = el("ul", { class: "conversations" });
    this.documents = el("ul", { class: "documents" });
    this.state = el("p", { class: "fine", role: "status" });
    this.scope = el("p", { class: "fine" });
    this.tasks = new Tasks((mode, question = "") => this.tell("task", [mode, [...this.ticked], question]));
    this.frame.append(
      button("New conversation", "New conversation", () => this.tell("conversation", 0), { class: "new" }),
      this.search,
      el("h3", {}, "Conversations"),
      this.conversations,
      el("h3", {}, "Documents"),
      this.scope,
      this.tasks.element,
      this.state,
      this.documents,
    );
  }

  async show(data, tell) {
    if (this.data?.library !== data.library) {
      this.ticked = new Set(data.ticked);
      this.told = null;
    } else if (this.data !== data && String([...this.ticked].sort()) !== String([...data.ticked].sort())) {
      tell("ticked", [...this.ticked]); // what was told while a run began may be lost, or not be in this one yet
    }
    this.data = data;
    this.tell = tell;
    clearTimeout(this.next);
    const told = await this.look("shelf", data.library);
    await released(this.frame);
    if (this.data !== data) return;
    this.told = told ?? this.told ?? { conversations: [], documents: [], found: 0, total: 0, adding: null };
    this.draw();
    this.next = setTimeout(() => this.show(data, tell), this.told.adding ? SHELF_EVERY : SHELF_IDLE);
  }

  draw() {
    const { told, data, ticked } = this;
    if (!told || this.isTyping()) return;
    const said = JSON.stringify([told, data, [...ticked], this.menu, this.locked]);
    if (said === this.said) return;
    this.said = said;
    const more = told.found - told.documents.length;
    this.state.textContent = told.adding ?? (more ? `${more} more: search for them` : "");
    keepingFocus(this.frame, () => this.drawLists());
    this.tasks.show(ticked.size);
    const folder = [...ticked].find((path) => told.documents.some((document) => document.path.startsWith(`${path}/`)));
    const asked = folder ? `Asking what lies in ${folder.split("/").pop()}. ` : `Asking ${ticked.size} of ${told.total}. `;
    this.scope.replaceChildren(
      ...(ticked.size
        ? [asked, button("Ask all", "Ask all documents", () => this.tick([]), { class: "plain" })]
        : [told.total ? "Tick those that you want to ask." : "None yet."]),
    );
  }

  drawLists() {
    this.conversations.replaceChildren(...this.told.conversations.map((told) => this.conversation(told)));
    this.documents.replaceChildren(...this.told.documents.map((told) => this.document(told)));
  }

  conversation(told) {
    const open = told.id === this.data.conversation;
    return el(
      "li",
      { class: open ? "here" : "" },
      button(told.title, told.title, () => this.tell("conversation", told.id), { class: "name", "aria-current": open && "true" }),
      this.more(`c${told.id}`, told.title, [
        ["Rename", () => this.rename(told)],
        ["Delete", () => confirm(`Delete “${told.title}”?`) && this.tell("delete", told.id)],
      ]),
    );
  }

  rename(told) {
    const title = prompt("Its new name", told.title)?.trim();
    if (title) this.tell("rename", [told.id, title]);
  }

  document(told) {
    const there = told.added != null;
    const { path, pages } = told;
    const folder = folderOf(path);
    const box = {
      "aria-label": `Ask ${told.name}`,
      checked: this.ticked.has(path) || this.ticked.has(folder),
      disabled: !there || this.ticked.has(folder), // of a folder, all are asked
      onchange: (event) => this.tick(event.target.checked ? [...this.ticked, path] : [...this.ticked].filter((ticked) => ticked !== path)),
    };
    const open = () => openSource({ path, start: 0, end: 0, boxes: [], page: pages ? 1 : null });
    return this.row(told, box, open, [
      there && ["Ask only this", () => this.tick([path])],
      there && ["Ask its folder", () => this.tick([folder])],
      told.reason && this.data.may_change && this.retry(told),
      this.data.may_change && (there || told.reason) && ["Remove", () => confirm(`Remove ${told.name}? ${REMOVING}`) && this.remove(path)],
    ]);
  }

  remove(path) {
    this.ticked.delete(path);
    this.tell("remove", path);
  }

  tick(paths) {
    this.ticked = new Set(paths);
    this.tell("ticked", paths);
    this.draw();
  }
}

function folderOf(path) {
  return path.slice(0, path.lastIndexOf("/"));
}

function openSource(source) {
  document.dispatchEvent(new CustomEvent("octavo-open", { detail: source }));
}

export default mounted(Shelf);
