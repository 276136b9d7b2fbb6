"""How an Answer, a Receipt and a library's documents are drawn.

Text from documents, models and file names is escaped to the last character: it can't become markup, and no link or
picture in it loads.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from html import escape
from operator import add
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any

import streamlit as st

from app.answers import place
from ingest import Document
from ingest.run.pace import line
from ingest.run.receipt import summarize
from rag.answer import Answer, Citation
from rag.citations import claims, find_markers

_STYLE = """<style>
.oct-a { font-size: 1.1rem; line-height: 1.6; white-space: pre-wrap; overflow-wrap: anywhere; }
.oct-m { background: #7a4b12; color: #fff; border-radius: .6em; padding: 0 .45em; font-size: .8em; }
.oct-p { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .93rem; line-height: 1.55; }
.oct-p mark { background: #ffe08a; color: #222; padding: 0 .1em; border-radius: .2em; }
.oct-f { max-height: 24rem; overflow-y: auto; overflow-wrap: anywhere; font-size: .93rem; }
.oct-f p { margin: 0 0 .6em; }
.oct-f small { opacity: .7; }
</style>"""


def plain(text: str) -> str:
    """Text for a place that reads Markdown: every character that Markdown may take for itself is escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&\"'])", r"\\\1", " ".join(text.split()))


def question(text: str) -> None:
    with st.chat_message("user"):
        st.html(f'{_STYLE}<div class="oct-a">{escape(text)}</div>')


def stream(parts: Iterable[Answer]) -> Answer:
    """Draws an answer as it comes; returns the whole."""
    seen: list[Answer] = []
    with st.chat_message("assistant"):
        place_ = st.empty()
        for part in parts:
            seen.append(part)
            place_.html(_STYLE + _marked(reduce(add, seen)))
    return reduce(add, seen)


def answer(value: Answer) -> None:
    """An answer with its passages, the answer's own words lit in each."""
    with st.chat_message("assistant"):
        st.html(_STYLE + _marked(value))
        for citation in value.citations:
            _passage(citation, value)
        if value.note:
            st.caption(plain(value.note))
        t = value.timings
        if t.completion_tokens:
            st.caption(f"{t.prompt_tokens:,} tokens read, {t.completion_tokens} written in {t.total_s:.1f} s")


def _marked(value: Answer) -> str:
    """The answer's text as HTML; markers of sources that are there stand out, invented ones stay plain text."""
    out, at = [], 0
    for marker in find_markers(value.text, value.evidence):
        if all(1 <= n <= len(value.evidence) for n in marker.numbers):
            out += [escape(value.text[at : marker.start]), *(f'<span class="oct-m">{n}</span>' for n in marker.numbers)]
            at = marker.end
    return f'<div class="oct-a">{"".join([*out, escape(value.text[at:])])}</div>'


def _passage(citation: Citation, value: Answer) -> None:
    label = f"[{citation.marker}] {place(citation)}"
    with st.expander(plain(label), expanded=citation is value.citations[0]):
        if not citation.verified:
            st.caption("The answer's words do not stand in this passage as they are: check it.")
        st.html(f'{_STYLE}<div class="oct-p">{lit(citation.text, claims(value.text, citation.marker, value.evidence))}</div>')
        if citation.page_start and st.toggle(f"Show page {citation.page_start}", key=f"page {id(value)} {citation.marker}"):
            _page_picture(citation.path, citation.page_start)


def lit(passage: str, claims: Sequence[str]) -> str:
    """The passage as HTML, with the words of each claim marked where they stand in it whole."""
    worded = [r"\W+".join(map(re.escape, re.findall(r"\w+", claim))) for claim in claims]
    patterns = [rf"\b{words}\b" for words in sorted(worded, key=len, reverse=True) if words]
    if not patterns:
        return escape(passage)
    out, at = [], 0
    for match in re.finditer("|".join(patterns), passage, re.IGNORECASE):
        out += [escape(passage[at : match.start()]), "<mark>", escape(match[0]), "</mark>"]
        at = match.end()
    return "".join([*out, escape(passage[at:])])


_drawing = Lock()
"""PDFium draws for one thread at a time."""


def _page_picture(path: str, page: int) -> None:
    """The page itself, as a picture at most 1,600 pixels wide or high: pypdfium2 draws it, nothing in the file runs."""
    import pypdfium2

    try:
        with _drawing, pypdfium2.PdfDocument(path) as document:
            sheet = document[page - 1]
            st.image(sheet.render(scale=min(2.0, 1600 / max(sheet.get_size()))).to_numpy(), channels="BGR")
    except (pypdfium2.PdfiumError, OSError, IndexError):
        st.caption("The file can't be opened any more; the passage above is what was read from it.")


def progress(told: Mapping[str, Any] | None, stopping: bool) -> None:
    """How far an ingest is; None: it is still looking at the files."""
    if told is None:
        st.progress(0.0, "Looking for what is new")
    else:
        share = told["done"] / told["total"] if told["total"] else 1.0
        st.progress(min(share, 1.0), plain(("Stopping: " if stopping else "") + line(told)))


def receipt(last: Mapping[str, Any]) -> None:
    """What the last ingest did: counts, then every failed file with its reason, then what the text read lacks."""
    summary = summarize(last)
    finished = f"{datetime.fromisoformat(last['finished']).astimezone():%d %B %Y, %H:%M}"
    (st.success if last["ok"] else st.warning)(plain(f"{summary.headline} ({finished})"))
    if summary.details:
        st.caption("  \n".join(map(plain, summary.details)))
    for title, rows in (("failed", summary.failed), ("notes", summary.notes)):
        if rows:
            with st.expander(f"{len(rows):,} {title}", expanded=title == "failed"):
                st.html(f'{_STYLE}<div class="oct-f">{"".join(_named(path, text) for path, text in rows)}</div>')


def _named(path: str, text: str) -> str:
    file = PurePosixPath(path)
    return f"<p><b>{escape(file.name)}</b>: {escape(text)}<br><small>{escape(str(file.parent))}</small></p>"


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
