// The open source, at the right: a page of a PDF with the answer's words boxed, or the text as it was read with them lit.

class Pane {
  constructor(root, closed) {
    this.closed = closed;
    this.zoom = 1;
    this.body = el("div", { class: "sheet", tabindex: "0" });
    this.bar = el("div", { class: "bar" });
    this.element = el("aside", { class: "pane", "aria-label": "Source", hidden: true }, this.bar, this.body);
    root.append(this.element);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  async open(library, source) {
    this.source = source;
    this.asked = { library, path: source.path };
    this.zoom = 1;
    this.element.hidden = false;
    this.body.replaceChildren(el("p", { class: "fine" }, "Opening"));
    this.body.focus({ preventScroll: true });
    if (!(await this.look(source.start, source.end))) return;
    this.page = source.boxes[0]?.page ?? source.page;
    this.asPage = this.told.is_pdf && this.page != null;
    this.draw();
  }

  // Asks for the text around a place; whether it came, and the source is still the one that is open.
  async look(start, end) {
    const { source } = this;
    const told = await fetch(address("text", { ...this.asked, start, end })).catch(() => null);
    if (this.source !== source) return false;
    if (told?.ok) this.told = await told.json();
    else this.body.replaceChildren(el("p", { class: "trouble" }, told ? await told.text() : "Octavo doesn't answer: is it still running?"));
    return told?.ok && this.source === source;
  }

  close() {
    this.element.hidden = true;
    this.source = null;
    this.closed();
  }

  draw() {
    const { told, asPage } = this;
    const controls = [
      asPage && button("‹", "Previous page", () => this.turn(-1), { disabled: this.page <= 1 }),
      asPage && el("span", { class: "fine" }, `${this.page} of ${told.pages}`),
      asPage && button("›", "Next page", () => this.turn(1), { disabled: this.page >= told.pages }),
      asPage && button("−", "Smaller", () => this.scale(1 / 1.25)),
      asPage && button("+", "Larger", () => this.scale(1.25)),
      told.is_pdf && this.page != null && button(asPage ? "Text" : "Page", asPage ? "Show what was read" : "Show the page", () => this.toggle()),
      told.there && el("a", { href: address("original", this.asked), target: "_blank", rel: "noopener" }, "Open the original"),
    ];
    this.bar.replaceChildren(
      el("b", { class: "name", title: this.asked.path }, told.name),
      button("✕", "Close the source", () => this.close(), { class: "close" }),
      el("div", { class: "controls" }, controls),
    );
    const warning = told.as_read
      ? null
      : el("p", { class: "trouble" }, told.there ? "The file has changed since it was read: add it again." : "The file is gone; this is what was read from it.");
    this.body.replaceChildren(...[warning, asPage ? this.drawPage() : this.drawText()].filter(Boolean));
    if (!asPage) this.body.querySelector("mark")?.scrollIntoView({ block: "center" });
  }

  drawPage() {
    const boxes = this.told.as_read ? this.source.boxes.filter((box) => box.page === this.page) : [];
    const picture = el("img", {
      src: address("page", { ...this.asked, page: this.page }),
      alt: `Page ${this.page} of ${this.told.name}`,
      onload: () => sheet.querySelector(".box")?.scrollIntoView({ block: "center" }),
      onerror: () => sheet.replaceChildren(el("p", { class: "trouble" }, "The page can't be drawn: its file is gone, damaged, or takes too long.")),
    });
    const percent = (share) => `${100 * share}%`;
    const sheet = el(
      "div",
      { class: "page", style: `width:${100 * this.zoom}%` },
      picture,
      boxes.map((box) =>
        el("i", {
          class: "box",
          style: `left:${percent(box.x0)};top:${percent(box.y0)};width:${percent(box.x1 - box.x0)};height:${percent(box.y1 - box.y0)}`,
        }),
      ),
    );
    return sheet;
  }

  drawText() {
    const { before, behind, blocks } = this.told;
    return el(
      "div",
      { class: "text" },
      before != null ? button("Show what stands before", "Show what stands before", () => this.more(before)) : null,
      drawBlocks(blocks, "mark"),
      behind != null ? button("Show what follows", "Show what follows", () => this.more(behind)) : null,
    );
  }

  async more(place) {
    if (!(await this.look(place, place))) return;
    this.draw();
    this.body.scrollTop = 0;
  }

  turn(by) {
    this.page += by;
    this.draw();
    this.body.scrollTop = 0;
  }

  scale(by) {
    this.zoom = Math.min(4, Math.max(0.5, this.zoom * by));
    this.draw();
  }

  toggle() {
    this.asPage = !this.asPage;
    this.draw();
  }
}
