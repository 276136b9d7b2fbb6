// The bookshelf: the library's conversations and documents, at the left. It looks by itself what there is, more often while
// documents are being added. Ticked documents are those that the next question is asked of.

const SHELF_EVERY = 1500; // milliseconds, while documents are added
const SHELF_IDLE = 15000;
const SHOWN = 200; // documents drawn at once; a search finds the others

class Shelf {
  constructor(root) {
    this.frame = el("nav", { class: "shelf", "aria-label": "Bookshelf" });
    root.append(this.frame);
    this.search = el("input", { type: "search", placeholder: "Find", "aria-label": "Find a conversation or document", oninput: () => this.draw() });
    this.conversations = el("ul", { class: "conversations" });
    this.documents = el("ul", { class: "documents" });
    this.state = el("p", { class: "fine", role: "status" });
    this.scope = el("p", { class: "fine" });
    this.frame.append(
      button("New conversation", "New conversation", () => this.tell("conversation", 0), { class: "new" }),
      this.search,
      el("h3", {}, "Conversations"),
      this.conversations,
      el("h3", {}, "Documents"),
      this.scope,
      this.state,
      this.documents,
    );
    this.menu = null;
  }

  async show(data, tell) {
    this.data = data;
    this.tell = tell;
    this.ticked = new Set(data.ticked);
    clearTimeout(this.next);
    try {
      this.told = await (await fetch(address("shelf", { library: data.library }))).json();
    } catch {
      this.told ??= { conversations: [], documents: [], adding: null };
    }
    if (this.data !== data) return;
    this.draw();
    this.next = setTimeout(() => this.show(data, tell), this.told.adding ? SHELF_EVERY : SHELF_IDLE);
  }

  draw() {
    const { told, data, ticked } = this;
    const said = JSON.stringify([told, data, [...ticked], this.search.value, this.menu]);
    if (said === this.said) return;
    this.said = said;
    const wanted = this.search.value.trim().toLocaleLowerCase();
    const holds = (text) => text.toLocaleLowerCase().includes(wanted);
    this.conversations.replaceChildren(...told.conversations.filter((c) => holds(c.title)).map((c) => this.conversation(c)));
    const found = told.documents.filter((d) => holds(d.name));
    this.documents.replaceChildren(...found.slice(0, SHOWN).map((d) => this.document(d)));
    this.state.textContent = told.adding ?? (found.length > SHOWN ? `${found.length - SHOWN} more: search for them` : "");
    this.scope.replaceChildren(
      ...(ticked.size
        ? [`Asking ${ticked.size} of ${told.documents.length}. `, button("Ask all", "Ask all documents", () => this.tick([]), { class: "plain" })]
        : [told.documents.length ? "Tick those that you want to ask." : "None yet."]),
    );
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
    const ready = told.state === "ready";
    const facts = [told.kind, told.pages ? `${told.pages} page${told.pages > 1 ? "s" : ""}` : null, told.added, ready ? null : told.state];
    return el(
      "li",
      { class: told.reason ? "failed" : "" },
      el("input", {
        type: "checkbox",
        "aria-label": `Ask ${told.name}`,
        checked: this.ticked.has(told.path),
        disabled: Boolean(told.reason),
        onchange: (event) => this.tick(event.target.checked ? [...this.ticked, told.path] : [...this.ticked].filter((path) => path !== told.path)),
      }),
      el(
        "div",
        {},
        button(told.name, told.path, () => openSource({ path: told.path, start: 0, end: 0, boxes: [], page: told.pages ? 1 : null }), {
          class: "name",
          disabled: Boolean(told.reason),
        }),
        el("span", { class: "fine" }, facts.filter(Boolean).join(" · ")),
        told.reason ? el("span", { class: "fine" }, told.reason) : null,
      ),
      this.more(`d${told.path}`, told.name, [
        told.reason ? null : ["Ask only this", () => this.tick([told.path])],
        told.reason ? ["Try again", () => this.tell("retry", told.path)] : null,
        ["Remove", () => confirm(`Remove ${told.name}? Its text goes for good. Files in your own folders stay.`) && this.tell("remove", told.path)],
      ].filter(Boolean)),
    );
  }

  more(id, name, choices) {
    const open = this.menu === id;
    const choose = (act) => () => {
      this.menu = null;
      act();
      this.draw();
    };
    return el(
      "span",
      { class: "more" },
      button("⋯", `More for ${name}`, () => this.toggle(open ? null : id), { "aria-expanded": String(open) }),
      open ? el("span", { class: "menu", role: "menu" }, choices.map(([text, act]) => button(text, text, choose(act), { role: "menuitem" }))) : null,
    );
  }

  toggle(id) {
    this.menu = id;
    this.draw();
  }

  tick(paths) {
    this.ticked = new Set(paths);
    this.tell("ticked", paths);
    this.draw();
  }

  leave() {
    clearTimeout(this.next);
    this.data = null;
  }
}

function openSource(source) {
  document.dispatchEvent(new CustomEvent("octavo-open", { detail: source }));
}

export default mounted(Shelf);
