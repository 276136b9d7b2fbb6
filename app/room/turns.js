// The conversation: questions, answers with their markers, and what can be done with each.

const SUPPORT = {
  supported: "says so in other words",
  unsupported: "nothing in the passage was seen to say this: check it",
};

function drawTurn(turn, act) {
  const busy = turn.state === "asking";
  return el(
    "article",
    { class: "turn", "data-turn": turn.id },
    el(
      "header",
      { class: "question" },
      el("h2", {}, turn.question),
      turn.within.length ? el("p", { class: "fine" }, `asked of ${turn.asked_of.join(", ")}`) : null,
    ),
    el("div", { class: "answer", "aria-live": "polite", "aria-busy": String(busy) }, drawAnswer(turn, act)),
    busy ? drawWaiting(turn, act) : null,
    drawSources(turn, act),
    notes(turn).map((note) => el("p", { class: "fine" }, note)),
    busy ? null : drawTools(turn, act),
  );
}

function drawAnswer(turn, act) {
  if (turn.trouble) return el("p", { class: "trouble", role: "alert" }, turn.trouble);
  if (turn.pointed)
    return turn.citations.map((source) =>
      el("blockquote", {}, source.removed ? el("p", { class: "fine" }, turn.text) : drawBlocks(source.quote, "strong"), marker(turn, source, act)),
    );
  const byNumber = new Map(turn.citations?.map((source) => [source.marker, source]));
  const markers = (numbers) => numbers.map((n) => (byNumber.has(n) ? marker(turn, byNumber.get(n), act) : el("span", { class: "marker" }, n)));
  return el("div", { class: "written" }, drawBlocks(turn.blocks ?? [], "strong", markers));
}

function marker(turn, source, act) {
  return button(String(source.marker), `Open source ${source.marker}: ${source.name}`, () => act.open(turn, source), {
    class: source.verified ? "marker" : "marker doubtful",
  });
}

function drawWaiting(turn, act) {
  return el(
    "p",
    { class: "waiting", role: "status" },
    el("span", { class: "pulse", "aria-hidden": "true" }),
    turn.doing,
    button("Stop", "Stop, and keep what came", () => act.tell("stop", turn.id), { class: "plain", onpointerdown: hold }),
  );
}

// Whoever pressed it meant it: the page may scroll under the pointer before it is let go.
function hold(event) {
  event.currentTarget.setPointerCapture(event.pointerId);
}

function drawSources(turn, act) {
  const refused = turn.refused && turn.nearest?.length;
  const sources = refused ? turn.nearest : (turn.citations ?? []);
  if (!sources.length) return null;
  return el(
    "section",
    { class: "sources" },
    el("h3", {}, refused ? "Nearest passages" : "Sources"),
    el(
      "ol",
      {},
      sources.map((source) =>
        el(
          "li",
          { class: source.removed ? "removed" : "" },
          button([refused ? null : el("b", {}, source.marker), source.name], `Open ${source.name}`, () => act.open(turn, source), {
            class: "source",
            disabled: Boolean(source.removed),
          }),
          source.removed ? el("span", { class: "fine" }, "removed from this library") : null,
          !refused && source.support !== "verbatim" && !source.removed ? el("span", { class: "fine doubt" }, SUPPORT[source.support] ?? SUPPORT.unsupported) : null,
          turn.pointed || turn.mode !== "answer" ? null : el("blockquote", { tabindex: "0" }, drawBlocks(source.quote, "strong")),
        ),
      ),
    ),
  );
}

function notes(turn) {
  return [
    turn.state === "cut" ? "Cut off here: what came is kept." : null,
    turn.searched || (turn.refused && turn.nearest?.length) ? `Looked for “${turn.searched || turn.question}”${place(turn)}.` : null,
    turn.unresolved?.length ? `No source has the number ${[...new Set(turn.unresolved)].join(", ")}.` : null,
    turn.uncited?.length ? `Without a source: ${turn.uncited.join(" ")}` : null,
    turn.note || null,
  ].filter(Boolean);
}

// Where an answer was looked for; older answers don't tell how many documents there were.
function place(turn) {
  if (turn.within.length) return ` in ${turn.asked_of.join(", ")}`;
  return turn.documents == null ? "" : turn.documents === 1 ? " in the one document" : ` in all ${turn.documents} documents`;
}

function drawTools(turn, act) {
  return el(
    "footer",
    { class: "tools" },
    button("Ask again", "Ask this question again", () => act.tell("again", turn.id), { class: "plain" }),
    button("Edit", "Ask it in other words", () => act.edit(turn), { class: "plain" }),
    button("Copy", "Copy the answer with its sources", (event) => copy(event.currentTarget, asText(turn)), { class: "plain" }),
    turn.mode === "each" ? drawTable(turn, act) : null,
    turn.ledger ? drawDetails(turn) : null,
  );
}

function drawTable(turn, act) {
  return [
    el("a", { href: act.table(turn), download: "table.csv", class: "plain", title: "Save the table as CSV" }, "CSV"),
    button("Markdown", "Save the table as Markdown", () => save("table.md", "text/markdown", `${asText(turn)}\n`), { class: "plain" }),
  ];
}

async function copy(pressed, text) {
  await navigator.clipboard.writeText(text);
  pressed.textContent = "Copied";
  setTimeout(() => (pressed.textContent = "Copy"), 1500);
}

function drawDetails(turn) {
  const { ledger, timings } = turn;
  const share = (tokens) => `${(100 * tokens) / ledger.window}%`;
  const parts = [
    ...ledger.lines.map((line) => [line.what.split(" ")[0], line.tokens, [line.what, line.path.split("/").pop()].filter(Boolean).join(", ")]),
    ["reserve", ledger.reserve, "kept for the answer"],
  ];
  const said = [
    `${ledger.total.toLocaleString()} of ${ledger.window.toLocaleString()} tokens, ${ledger.reserve} kept for the answer`,
    ledger.left_out.length ? `${ledger.left_out.length} left out` : null,
    timings.total_s ? `${timings.total_s.toFixed(1)} s` : null,
    turn.model,
  ];
  return el(
    "details",
    { class: "details" },
    el("summary", {}, "Details"),
    el(
      "div",
      { class: "ledger", role: "img", "aria-label": said[0] },
      parts.map(([kind, tokens, label]) => el("i", { class: kind, style: `width:${share(tokens)}`, title: `${label}: ${tokens} tokens` })),
    ),
    el("p", { class: "fine" }, said.filter(Boolean).join(" · ")),
    ledger.left_out.map((line) => el("p", { class: "fine" }, `left out: ${line.path.split("/").pop() || line.what}, ${line.why}`)),
  );
}

function asText(turn) {
  const answer = turn.pointed ? turn.citations.map((s) => `${asLines(s.quote)} [${s.marker}]`).join("\n\n") : turn.text;
  const sources = (turn.citations ?? []).map((s) => `[${s.marker}] ${s.name}${s.support === "verbatim" ? "" : ` (${SUPPORT[s.support]})`}`);
  return [answer ?? "", sources.join("\n")].filter(Boolean).join("\n\n");
}

function asMarkdown(turns) {
  return turns.map((turn) => `## ${turn.question}\n\n${turn.trouble || asText(turn)}\n`).join("\n");
}
