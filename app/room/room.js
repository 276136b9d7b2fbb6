// The reading room: conversation in the middle, the open source at the right. What didn't change is left standing.

const LOOK_EVERY = 300; // milliseconds
const AGAIN = 2000;
const HELD = 400;

class Room {
  constructor(root) {
    this.list = el("div", { class: "turns" });
    this.keep = el("p", { class: "fine keep", hidden: true }, "Save this conversation: ");
    this.keep.append(
      button("Markdown", "Save as Markdown", () => save("conversation.md", "text/markdown", asMarkdown(this.turns)), { class: "plain" }),
      " · ",
      button("JSON", "Save as JSON", () => save("conversation.json", "application/json", JSON.stringify(this.turns, null, 2)), { class: "plain" }),
    );
    this.frame = el("div", { class: "room" }, el("div", { class: "column" }, this.list, this.keep));
    root.append(this.frame);
    this.pane = new Pane(this.frame, () => this.leavePane());
    this.drawn = new Map();
    this.turns = [];
    this.keys = (event) => this.press(event);
    this.opened = (event) => this.open(event.detail);
    document.addEventListener("keydown", this.keys);
    document.addEventListener("octavo-open", this.opened);
  }

  // Looks the conversation up, and goes on while an answer comes.
  async show(data, tell, since = 0) {
    this.data = data;
    this.act = {
      tell,
      open: (turn, source) => this.open(source),
      edit: (turn) => this.edit(turn.question),
      table: (turn) => address("table", { library: data.library, conversation: data.conversation, turn: turn.id }),
    };
    clearTimeout(this.next);
    const { library, conversation } = data;
    let turns = [];
    try {
      if (conversation) turns = await this.look(library, conversation, since);
    } catch {
      turns = null; // the server may be restarting
    }
    await released(this.list);
    if (this.data !== data) return;
    if (!turns) {
      this.next = setTimeout(() => this.show(data, tell, since), AGAIN);
      return;
    }
    this.draw(turns);
    const [path, page, when] = data.opening ?? [];
    if (path && when !== Room.closed && !this.pane.isOpen) this.open({ path, start: 0, end: 0, boxes: [], page });
    const asking = turns.find((turn) => turn.state === "asking");
    if (asking) this.next = setTimeout(() => this.show(data, tell, asking.id), LOOK_EVERY);
  }

  async look(library, conversation, since) {
    const told = await fetch(address("conversation", { library, conversation, since }));
    return [...this.turns.filter((turn) => turn.id < since), ...(await told.json())];
  }

  draw(turns) {
    const { act } = this;
    this.turns = turns;
    this.keep.hidden = !turns.length;
    const wanted = new Set(turns.map((turn) => turn.id));
    for (const [id, [, element]] of this.drawn)
      if (!wanted.has(id)) {
        element.remove();
        this.drawn.delete(id);
      }
    let newest;
    for (const turn of turns) {
      if (this.drawn.get(turn.id)?.[2] === turn) continue;
      const said = JSON.stringify(turn);
      const [before, old] = this.drawn.get(turn.id) ?? [];
      if (before === said) continue;
      const ended = old && turn.state !== "asking" && JSON.parse(before).state === "asking";
      const element = drawTurn(turn, act);
      if (old)
        keepingFocus(old, () => {
          old.replaceWith(element);
          return element;
        });
      else this.list.append(element);
      if (!old) newest = [element, turn];
      if (ended) this.giveBack(turn);
      this.drawn.set(turn.id, [said, element, turn]);
    }
    if (newest) this.bring(...newest);
  }

  // Brings a question to the top. One that is being answered is kept there: Streamlit goes to the end of what grows if it stood there
  // before. Nothing else moves under the pointer once it stands.
  bring(element, turn) {
    const until = performance.now() + (turn.state === "asking" ? HELD : 0);
    const again = () => {
      element.scrollIntoView({ block: "start" });
      if (element.isConnected && performance.now() < until) requestAnimationFrame(again);
    };
    again();
  }

  // After an answer one asks on; a question that failed stands in the box, to be asked in other words.
  giveBack(turn) {
    if (turn.state === "failed" && !this.box()?.value) this.edit(turn.question);
    else this.box()?.focus();
  }

  open(source) {
    this.opener = this.frame.getRootNode().activeElement;
    this.frame.classList.add("open");
    this.pane.open(this.data.library, source);
  }

  leavePane() {
    Room.closed = this.data?.opening?.[2]; // what was opened under Documents stays open, however often this is mounted, until it is closed
    this.frame.classList.remove("open");
    (this.opener?.isConnected ? this.opener : this.box())?.focus();
  }

  box() {
    return document.querySelector('[data-testid="stChatInputTextArea"]');
  }

  edit(question) {
    const box = this.box();
    if (!box) return;
    // a text box of React's takes a value only through the browser's own setter
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, question);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]");
    const last = this.turns.at(-1);
    if (event.key === "Escape" && this.pane.isOpen) this.pane.close();
    else if (event.key === "ArrowUp" && event.target === this.box() && !this.box().value && last) {
      this.edit(last.question);
      event.preventDefault();
    } else if (/^[1-9]$/.test(event.key) && !typing) {
      const source = last?.citations?.find((cited) => cited.marker === Number(event.key));
      if (source && !source.removed) this.open(source);
    }
  }

  leave() {
    clearTimeout(this.next);
    this.data = null;
    document.removeEventListener("keydown", this.keys);
    document.removeEventListener("octavo-open", this.opened);
  }
}

export default mounted(Room);
