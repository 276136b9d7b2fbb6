// What lists of documents share: their rows, a menu below an entry, the form that asks for a file's password, and the search.

const TYPED = 200; // milliseconds

class Lists {
  constructor() {
    this.menu = null;
    this.locked = null;
  }

  // What there is, for what is searched; null where it can't be told, as the server may be restarting, or came too late.
  async look(what, library) {
    const search = this.search.value.trim();
    try {
      const answer = await fetch(address(what, { library, search }));
      const told = answer.ok ? await answer.json() : null;
      return search === this.search.value.trim() ? told : null;
    } catch {
      return null;
    }
  }

  // A document: a box to tick, what it is, what else stands below, and what can be done with it.
  row(told, box, open, choices, below = null) {
    return el(
      "li",
      { class: told.reason ? "failed" : "" },
      el("input", { type: "checkbox", ...box }),
      el(
        "div",
        {},
        button(told.name, `Open ${told.name}`, open, { class: "name", title: told.where, disabled: told.added == null }),
        el("span", { class: "fine" }, this.facts(told)),
        told.reason ? el("span", { class: "fine reason" }, told.reason) : null,
        below,
        this.unlock(told),
      ),
      this.more(`d${told.path}`, told.name, choices.filter(Boolean)),
    );
  }

  // What can be done with one, opened below it: in a menu over others the last would be cut off.
  more(id, name, choices) {
    const open = this.menu === id;
    const choose = (act) => () => {
      this.menu = null;
      act();
      this.draw();
    };
    return choices.length === 0 ? [] : [
      button("⋯", `More for ${name}`, () => this.toggle(open ? null : id), { class: "more", "aria-expanded": String(open) }),
      open ? el("div", { class: "menu" }, choices.map(([text, act]) => button(text, `${text}: ${name}`, choose(act)))) : null,
    ];
  }

  toggle(id) {
    this.menu = id;
    this.draw();
  }

  // A password goes to the one run that reads the file, and nowhere else.
  unlock(told) {
    if (this.locked !== told.path) return null;
    const typed = el("input", { type: "password", autocomplete: "off", "aria-label": `Password of ${told.name}`, placeholder: "Password" });
    const send = (event) => {
      event.preventDefault();
      this.locked = null;
      if (typed.value) this.tell("retry", [told.path, typed.value]);
      this.draw();
    };
    const close = () => {
      this.locked = null;
      this.draw();
    };
    return el(
      "form",
      { class: "unlock", "data-path": told.path, onsubmit: send, onkeydown: (event) => event.key === "Escape" && close() },
      typed,
      el("button", { type: "submit", class: "act" }, "Read it"),
      button("Cancel", `Cancel: ${told.name}`, close, { class: "plain" }),
      el("span", { class: "fine" }, "It is used this once and kept nowhere."),
    );
  }

  askPassword(told) {
    this.locked = told.path;
    this.draw();
    this.frame.querySelector(".unlock input")?.focus();
  }

  // Whether somebody is typing a password, which drawing anew would take away.
  isTyping() {
    const form = this.frame.querySelector(".unlock");
    return form != null && form.dataset.path === this.locked;
  }

  retry(told) {
    return told.locked ? ["Type its password", () => this.askPassword(told)] : ["Try again", () => this.tell("retry", [told.path, ""])];
  }

  facts(told) {
    const pages = told.pages ? `${told.pages.toLocaleString("en")} page${told.pages > 1 ? "s" : ""}` : null;
    return [told.kind, pages, told.added, told.state === "ready" ? null : told.state].filter(Boolean).join(" · ");
  }

  type() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.show(this.data, this.tell), TYPED);
  }

  leave() {
    clearTimeout(this.next);
    clearTimeout(this.typing);
    this.data = null;
  }
}

const REMOVING = "Its text goes for good. Your own files stay where they are.";
