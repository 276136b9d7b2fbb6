"""How a Receipt and a library's documents are drawn, and messages.

What a document, a model, a file's name or a receipt says is drawn as escaped HTML and nothing else. Streamlit's other
elements read Markdown, in labels and messages too, where no escaping keeps `www.` from becoming a link or `:name:` an icon.
"""

from html import escape
from typing import Literal

import streamlit as st

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
