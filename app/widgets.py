"""How a Receipt and a library's documents are drawn, and messages.

What a document, a model, a file's name or a receipt says is drawn as escaped HTML and nothing else. Streamlit's other
elements read Markdown, in labels and messages too, where no escaping keeps `www.` from becoming a link or `:name:` an icon.
"""

from collections.abc import Iterable, Mapping
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
[data-testid="stSidebar"] [data-testid="stBaseButton-tertiary"] p { font-size: .875rem; text-decoration: underline; }
.oct-c a { color: inherit; }
.oct-t { padding: 1rem; border-radius: .5rem; overflow-wrap: anywhere; }
.oct-error { background: rgba(255, 43, 43, .12); }
.oct-warning { background: rgba(255, 190, 0, .16); }
.oct-success { background: rgba(33, 195, 84, .12); }
.oct-info { background: rgba(28, 131, 225, .12); }
.oct-m { border-collapse: collapse; font-size: .875rem; }
.oct-m caption { text-align: left; padding: 0 0 .3rem; }
.oct-m th { font-weight: 600; text-align: left; }
.oct-m th, .oct-m td { padding: .2rem 1.2rem .2rem 0; vertical-align: top; }
.oct-m s { white-space: nowrap; }
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
    st.html(f'<div class="oct-c">{_shown(text)} · <a href="{address}" target="_self">{_shown(name)}</a></div>')


def tell(kind: Literal["error", "warning", "success", "info"], text: str) -> None:
    """A message in a box."""
    _block(f"oct-t oct-{kind}", text)


def _block(classes: str, text: str) -> None:
    st.html(f'<div class="{classes}">{_shown(text)}</div>')


def _shown(text: str) -> str:
    """Text as HTML, without what would turn its direction round: a name may not look like another."""
    return escape(plain(text))


def memory(table: Mapping[str, Mapping[str, int]], here: int) -> None:
    """What each size of Gemma 2 takes, in each kind of weights, beside what there is."""
    kinds = list(next(iter(table.values())))
    head = "".join(f"<th>{kind}</th>" for kind in kinds)
    rows = "".join(f"<tr><th>{size.upper()}</th>{_takes(row.values(), here)}</tr>" for size, row in table.items())
    caption = f"<caption>{here / 1e9:.0f} GB of memory here. Gemma 2 takes:</caption>"
    st.html(f'<table class="oct-m">{caption}<tr><td></td>{head}</tr>{rows}</table>')


def _takes(sizes: Iterable[int], here: int) -> str:
    told = [(f"{size / 1e9:.1f} GB", size <= here) for size in sizes]
    return "".join(f"<td>{size}</td>" if fits else f"<td><s>{size}</s> too large</td>" for size, fits in told)
