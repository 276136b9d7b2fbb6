// Small helpers. Whatever a document, a model or a file's name says is set as text, never as HTML.

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== "" && child !== false));
  return made;
}

function button(text, label, onclick, attributes = {}) {
  return el("button", { type: "button", title: label, "aria-label": label, onclick, ...attributes }, text);
}

// Changes what stands in an element; who had the focus in it has it again, in what took its place.
function keepingFocus(element, change) {
  const root = element.getRootNode();
  const label = element.contains(root.activeElement) && root.activeElement.getAttribute("aria-label");
  const now = change() ?? element;
  if (label) [...now.querySelectorAll("[aria-label]")].find((found) => found.getAttribute("aria-label") === label)?.focus();
}

// Until nothing of an element is pressed: what was pressed has to be there still when it is let go, or it was no click.
async function released(element) {
  while (element.matches(":active")) await new Promise((go) => setTimeout(go, 50));
}

function address(route, parameters) {
  return `/octavo/${route}?${new URLSearchParams(parameters)}`;
}

function save(name, kind, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: kind })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

// A component of Streamlit's, which is called anew with each run of the page: `Kind` is made once, and then shown new data.
function mounted(Kind) {
  const made = new WeakMap();
  return ({ data, parentElement, setTriggerValue }) => {
    if (!made.has(parentElement)) made.set(parentElement, new Kind(parentElement));
    const one = made.get(parentElement);
    one.show(data, setTriggerValue);
    return () => {
      one.leave();
      one.frame.remove();
      made.delete(parentElement);
    };
  };
}

// Blocks of typeset text (typeset.py), what is lit in them as elements of the name `lit`.
// An answer's markers are drawn by `markers`.
function drawBlocks(blocks, lit, markers) {
  const runs = (list) => list.map(([text, shown]) => (Array.isArray(shown) ? markers(shown) : shown ? el(lit, {}, text) : text));
  const parts = {
    page: (block) => el("hr", { class: "break", "data-page": block.number, "aria-label": `Page ${block.number}` }),
    heading: (block) => el(`h${Math.min(6, block.level + 2)}`, {}, runs(block.runs)),
    text: (block) => el("p", {}, runs(block.runs)),
    code: (block) => el("pre", {}, runs(block.runs)),
    item: (block) => el("p", { class: "item", style: `--level:${block.level}` }, el("span", { class: "bullet" }, block.mark), runs(block.runs)),
    table: (block) =>
      el("div", { class: "table" }, el("table", {}, block.rows.map((row, number) => el("tr", {}, row.map((cell) => el(number ? "td" : "th", {}, runs(cell))))))),
  };
  return blocks.map((block) => parts[block.kind](block));
}

function asLines(blocks) {
  const flat = (runs) => runs.map(([text]) => text).join("");
  return blocks.map((block) => (block.rows ? block.rows.map((row) => row.map(flat).join(" | ")).join("\n") : `${block.mark ?? ""} ${flat(block.runs ?? [])}`.trim())).join("\n");
}
