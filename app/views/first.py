"""What stands where nothing was asked yet: what this is, documents to try it with, a place to drop one's own, questions to begin with."""

from pathlib import Path

import streamlit as st

from app import resources, state, widgets
from app.choosing import chosen, told
from app.demo import QUESTIONS

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
_LIBRARY = "samples"
_KINDS = (
    "PDF (scans too), Word, Excel, PowerPoint, OpenDocument, RTF, web pages, Markdown, e-mail, e-books, pictures of text, chats, "
    "subtitles, calendars, notebooks, tables, program code and plain text"
)


def welcome(name: str) -> None:
    """A library with nothing in it."""
    widgets.title("Octavo", "Ask your own documents. Every answer opens the page that it stands on.")
    if not state.person().is_owner:
        widgets.caption("There is nothing in this library yet.")
        return
    if SAMPLES.is_dir():
        st.button("Try the samples", type="primary", on_click=_choose_samples, help="Ten documents of a small museum.")
    if st.session_state.pop("trying", False) and name == _LIBRARY:
        resources.add(name, [], str(SAMPLES))
        st.rerun()
    uploads = st.file_uploader("Or drop your own here", accept_multiple_files=True, key=f"first {st.session_state['sent']}")
    if uploads:
        resources.add(name, [(upload.name, upload.getvalue()) for upload in uploads], "")
        st.session_state["sent"] += 1
        st.rerun()
    widgets.caption(f"Reads {_KINDS}. Whole folders: under Documents.", "", told(chosen()))


def begin(name: str, unfinished: bool) -> str | None:
    """A library of which nothing was asked yet in this conversation; returns the question that was clicked."""
    widgets.title("What would you like to know?", told(chosen()))
    if name != _LIBRARY or unfinished:  # the answer may stand in what is still to be read
        return None
    return next((question for question in QUESTIONS if st.button(question)), None)


def _choose_samples() -> None:
    """The chooser's value can't be set once it is drawn; the samples are added in the run that follows."""
    st.session_state.update(library=_LIBRARY, conversation=None, ticked=[], trying=True)
