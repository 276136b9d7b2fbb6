"""How a Receipt and a library's documents are drawn, and messages.

What a document, a model, a file's name or a receipt says is drawn as escaped HTML and nothing else. Streamlit's other
elements read Markdown, in labels and messages too, where no escaping keeps `www.` from becoming a link or `:name:` an icon.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import streamlit as st

from ingest import Document
from ingest.run.pace import line
from ingest.run.receipt import summarize
from ingest.terminal import plain

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 3.75rem; padding-bottom: 1rem; }
[data-testid="stSidebarUserContent"] { padding-bottom: 2rem; }
.oct-h { max-width: 46rem; margin: 8vh 0 1rem; }
.oct-h h1 { font-size: 2rem; font-weight: 600; letter-spacing: -.01em; margin: 0 0 .5rem; }
.oct-h p { font-size: 1.1rem; opacity: .8; margin: 0; }
.oct-c { font-size: .875rem; opacity: .75; white-space: pre-wrap; overflow-wrap: anywhere; }
.oct-t { padding: 1rem; border-radius: .5rem; overflow-wrap: anywhere; }
.oct-error { background: rgba(255, 43, 43, .12); }
.oct-warning { background: rgba(255, 190, 0, .16); }
.oct-success { background: rgba(33, 195, 84, .12); }
.oct-info { background: rgba(28, 131, 225, .12); }
.oct-f { max-height: 24rem; overflow-y: auto; overflow-wrap: anywhere; font-size: .93rem; }
.oct-f p { margin: 0 0 .6em; }
.oct-f small { opacity: .7; }
</style>"""


def style() -> None:
    """How all of it looks; once a page, before anything is drawn."""
    st.html(_STYLE)


def title(text: str, below: str) -> None:
    st.html(f'<div class="oct-h"><h1>{_shown(text)}</h1><p>{_shown(below)}</p></div>')


def caption(*lines: str) -> None:
    _block("oct-c", "\n".join(lines))


def link(text: str, name: str, address: str) -> None:
    """A line that ends with a link to a page of ours."""
    st.html(f'<div class="oct-c">{_shown(text)} <a href="{address}" target="_self">{_shown(name)}</a></div>')


def tell(kind: Literal["error", "warning", "success", "info"], text: str) -> None:
    """A message in a box."""
    _block(f"oct-t oct-{kind}", text)


def _block(classes: str, text: str) -> None:
    st.html(f'<div class="{classes}">{_shown(text)}</div>')


def _shown(text: str) -> str:
    """Text as HTML, without what would turn its direction round: a name may not look like another."""
    return escape(plain(text))


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
