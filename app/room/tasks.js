// What can be done with all of the ticked documents: buttons, and a box for the question that each of them is asked.

class Tasks {
  constructor(begin) {
    this.compare = button("Compare", "Compare the ticked documents", () => begin("compare"));
    this.each = button("Ask each…", "Ask each of the ticked documents", () => this.open(this.form.hidden), { "aria-expanded": "false" });
    this.question = el("input", { type: "text", placeholder: "A question for each", "aria-label": "Question for each of the ticked documents", required: true });
    this.form = el("form", { hidden: true }, this.question, el("button", { type: "submit" }, "Ask"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const question = this.question.value.trim();
      if (question) begin("each", question);
      this.open(!question);
    });
    this.form.addEventListener("keydown", (event) => event.key === "Escape" && this.open(false));
    this.element = el(
      "div",
      { class: "tasks", hidden: true, role: "group", "aria-label": "With the ticked documents" },
      button("Summarise", "Summarise the ticked documents", () => begin("summarise")),
      this.compare,
      this.each,
      this.form,
    );
  }

  show(count) {
    this.element.hidden = !count;
    this.compare.disabled = count < 2;
  }

  open(wanted) {
    this.form.hidden = !wanted;
    this.each.setAttribute("aria-expanded", String(wanted));
    if (wanted) this.question.focus();
    else this.question.value = "";
  }
}
