"""How an Answer, a Receipt and a library's documents are drawn.

What a document, a model, a file's name or a receipt says is drawn as escaped HTML and nothing else. Streamlit's other
elements read Markdown, in labels and messages too, where no escaping keeps `www.` from becoming a link or `:name:` an icon.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from html import escape
from operator import add
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import streamlit as st

from app import resources
from app.answers import place
from app.drawing import light
from ingest import Document
from ingest.run.pace import line
from ingest.run.receipt import summarize
from ingest.terminal import plain
from rag.answer import Answer, Citation
from rag.citations import find_markers

_STYLE = """<style>
.oct-c { font-size: .875rem; opacity: .65; white-space: pre-wrap; overflow-wrap: anywhere; }
.oct-t { padding: 1rem; border-radius: .5rem; overflow-wrap: anywhere; }
.oct-error { background: rgba(255, 43, 43, .12); }
.oct-warning { background: rgba(255, 190, 0, .16); }
.oct-success { background: rgba(33, 195, 84, .12); }
.oct-info { background: rgba(28, 131, 225, .12); }
.oct-d { border: 1px solid rgba(128, 128, 128, .35); border-radius: .5rem; padding: .5rem 1rem; }
.oct-d summary { cursor: pointer; overflow-wrap: anywhere; }
.oct-d[open] summary { margin-bottom: .6rem; }
.oct-a { font-size: 1.1rem; line-height: 1.6; white-space: pre-wrap; overflow-wrap: anywhere; }
.oct-q { font-family: Georgia, serif; margin-bottom: .6rem; }
.oct-m { background: #7a4b12; color: #fff; border-radius: .6em; padding: 0 .45em; font-size: .8em; }
.oct-p { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .93rem; line-height: 1.55; }
.oct-p mark { background: #ffe08a; color: #222; padding: 0 .1em; border-radius: .2em; }
.oct-f { max-height: 24rem; overflow-y: auto; overflow-wrap: anywhere; font-size: .93rem; }
.oct-f p { margin: 0 0 .6em; }
.oct-f small { opacity: .7; }
</style>"""


def style() -> None:
    """How all of it looks; once a page, before anything is drawn."""
    st.html(_STYLE)


def caption(*lines: str) -> None:
    _block("oct-c", "\n".join(lines))


def tell(kind: Literal["error", "warning", "success", "info"], text: str) -> None:
    """A message in a box."""
    _block(f"oct-t oct-{kind}", text)


def _block(classes: str, text: str) -> None:
    st.html(f'<div class="{classes}">{_shown(text)}</div>')


def _shown(text: str) -> str:
    """Text as HTML, without what would turn its direction round: a name may not look like another."""
    return escape(plain(text))


def question(text: str) -> None:
    with st.chat_message("user"):
        st.html(f'<div class="oct-a">{escape(text)}</div>')


def stream(parts: Iterable[Answer]) -> Answer:
    """Draws an answer as it comes; returns the whole."""
    seen: list[Answer] = []
    with st.chat_message("assistant"):
        place_ = st.empty()
        for part in parts:
            seen.append(part)
            place_.html(_marked(reduce(add, seen)))
    return reduce(add, seen)


def answer(value: Answer) -> None:
    """An answer with its passages, the answer's own words lit in each."""
    with st.chat_message("assistant"):
        st.html(_marked(value))
        for citation in value.citations:
            _passage(citation, value)
        if value.note:
            caption(value.note)
        t = value.timings
        if t.completion_tokens:
            caption(f"{t.prompt_tokens:,} tokens read, {t.completion_tokens} written in {t.total_s:.1f} s")


def _marked(value: Answer) -> str:
    """The answer's text as HTML; markers of sources that are there stand out, invented ones stay plain text.

    Where it is the documents' own words, their sentences stand in its place, the words that answer strong in them.
    """
    if value.pointed and value.citations:
        return "".join(f'<div class="oct-a oct-q">{_quoted(citation)}</div>' for citation in value.citations)
    out, at = [], 0
    for marker in find_markers(value.text, value.evidence):
        if all(1 <= n <= len(value.evidence) for n in marker.numbers):
            out += [escape(value.text[at : marker.start]), *(f'<span class="oct-m">{n}</span>' for n in marker.numbers)]
            at = marker.end
    return f'<div class="oct-a">{"".join([*out, escape(value.text[at:])])}</div>'


def _quoted(citation: Citation) -> str:
    before, words, after = map(escape, citation.quoted())
    strong = f"<strong>{words}</strong>" if words else ""
    return f'{before}{strong}{after} <span class="oct-m">{citation.marker}</span>'


def _passage(citation: Citation, value: Answer) -> None:
    """A citation's name, which opens the passage below it; the first one is open."""
    opened = " open" if citation is value.citations[0] else ""
    doubt = "" if citation.verified else "<p>The answer's words do not stand in this passage as they are: check it.</p>"
    text = f'{doubt}<div class="oct-p">{_lit(citation)}</div>'
    name = _shown(f"[{citation.marker}] {place(citation)}")
    st.html(f'<details class="oct-d"{opened}><summary>{name}</summary>{text}</details>')
    is_pdf = PurePosixPath(citation.path).suffix.lower() == ".pdf"
    number = citation.boxes[0].page if citation.boxes else citation.page_start
    if is_pdf and number and st.toggle(f"Show page {number}", key=f"page {id(value)} {citation.marker}"):
        _page(citation, number)


def _lit(citation: Citation) -> str:
    """A citation's passage as HTML, its span marked."""
    if citation.span is None:
        return escape(citation.text)
    start, end = (at - citation.char_start for at in citation.span)
    return f"{escape(citation.text[:start])}<mark>{escape(citation.text[start:end])}</mark>{escape(citation.text[end:])}"


def _page(citation: Citation, number: int) -> None:
    with st.spinner("Drawing the page"):
        picture, as_read = resources.picture(st.session_state["library"], citation.path, number)
    if picture is None:
        caption("The page can't be drawn: its file is gone, damaged, or takes too long. The passage above is what was read from it.")
        return
    if not as_read:
        tell("warning", "The file has changed since it was read: the passage may stand on another page now, or be gone. Add it again.")
    st.image(light(picture, [box for box in citation.boxes if box.page == number and as_read]))


def progress(told: Mapping[str, Any] | None, stopping: bool) -> None:
    """How far an ingest is; None: it is still looking at the files."""
    if told is None:
        st.progress(0.0, "Looking for what is new")
    else:
        share = told["done"] / told["total"] if told["total"] else 1.0
        st.progress(min(share, 1.0), ("Stopping: " if stopping else "") + line(told))


def receipt(last: Mapping[str, Any]) -> None:
    """What the last ingest did: counts, then every failed file with its reason, then what the text read lacks."""
    summary = summarize(last)
    finished = f"{datetime.fromisoformat(last['finished']).astimezone():%d %B %Y, %H:%M}"
    tell("success" if last["ok"] else "warning", f"{summary.headline} ({finished})")
    if summary.details:
        caption(*summary.details)
    for title, rows in (("failed", summary.failed), ("notes", summary.notes)):
        if rows:
            with st.expander(f"{len(rows):,} {title}", expanded=title == "failed"):
                st.html(f'<div class="oct-f">{"".join(_named(path, text) for path, text in rows)}</div>')


def _named(path: str, text: str) -> str:
    file = PurePosixPath(path)
    return f"<p><b>{_shown(file.name)}</b>: {_shown(text)}<br><small>{_shown(str(file.parent))}</small></p>"


def documents(rows: Sequence[Document]) -> list[Document]:
    """The library's documents; returns those that are selected."""
    waiting = any(d.unread_pages for d in rows)
    table = [
        {"file": Path(d.path).name, "pages": d.pages, "characters": d.chars, "chunks": d.chunks}
        | ({"pages waiting for OCR": d.unread_pages} if waiting else {})
        | {"folder": str(Path(d.path).parent)}
        for d in rows
    ]
    counts = {name: st.column_config.NumberColumn(format="localized") for name in ("pages", "characters", "chunks")}
    # the key changes with the rows: what was selected by its place must not stand for another document
    key = f"documents {hash(tuple(d.path for d in rows))}"
    event = st.dataframe(
        table, hide_index=True, column_config=counts, key=key, on_select="rerun", selection_mode="multi-row", placeholder=""
    )
    return [rows[place] for place in event["selection"]["rows"]]
