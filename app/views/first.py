"""What stands where nothing was asked yet: what this is, documents to try it with, a place to drop one's own, questions to begin with."""

from pathlib import Path

import streamlit as st

from app import resources, widgets
from app.demo import QUESTIONS

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
_LIBRARY = "samples"
_KINDS = (
    "PDF (scans too), Word, Excel, PowerPoint, OpenDocument, RTF, web pages, Markdown, e-mail, e-books, pictures of text, chats, "
    "subtitles, calendars, notebooks, tables, program code and plain text"
)


def welcome(name: str) -> None:
    """A library with nothing in it."""
    widgets.title("Octavo", "Ask your own documents. Every answer opens the page that it stands on, and nothing leaves this machine.")
    if SAMPLES.is_dir():
        st.button("Try the samples", type="primary", on_click=_try_samples, help="Ten documents of a small museum, read in half a minute.")
    uploads = st.file_uploader("Or drop your own here", accept_multiple_files=True, key=f"first {st.session_state['sent']}")
    if uploads:
        resources.add(name, [(upload.name, upload.getvalue()) for upload in uploads], "")
        st.session_state["sent"] += 1
        st.rerun()
    widgets.caption(f"Reads {_KINDS}. Whole folders: under Documents.")


def begin(name: str) -> str | None:
    """A library of which nothing was asked yet in this conversation; returns the question that was clicked."""
    widgets.title("What would you like to know?", "")
    if name != _LIBRARY:
        return None
    return next((question for question in QUESTIONS if st.button(question)), None)


def _try_samples() -> None:
    st.session_state["library"] = _LIBRARY
    st.session_state["conversation"] = None
    if not resources.there(_LIBRARY):
        resources.add(_LIBRARY, [], str(SAMPLES))
