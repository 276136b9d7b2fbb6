"""Everything that the page remembers for one visitor, set in one place. Library and conversation stand in its address too, so that a
reload comes back to them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from app import resources, widgets
from app.login import OUT, visitor
from app.mistakes import sentences
from app.people import Person
from ingest.errors import IngestError


def prepare() -> None:
    """Sets every session key once: the library's name, the number of its `conversation` that is open (None: a new one), the paths of
    the documents that are `ticked`, how often the form under Documents was `sent`, each time to be drawn anew, empty, and what was
    `pressed` in the room's components and not heeded yet."""
    if moving := st.session_state.pop("moving", ""):  # another library, or the same under another name
        st.session_state["library"] = moving
        _forget()
    asked = st.query_params.get("conversation", "")
    st.session_state.setdefault("library", st.query_params.get("library") or resources.library_names()[0])
    st.session_state.setdefault("conversation", int(asked) if asked.isdecimal() else None)
    st.session_state.setdefault("ticked", [])
    st.session_state.setdefault("sent", 0)
    st.session_state.setdefault("pressed", {})


def person() -> Person:
    """Who asks, looked up anew: one who was logged out elsewhere comes no further, also in what was drawn before."""
    found = visitor(st.context.cookies)
    if found is None:
        widgets.link("You are logged out.", "Log in", "/")
        st.stop()
    return found


@contextmanager
def telling() -> Iterator[None]:
    """A mistake is told by `tell_trouble` when the page is drawn next."""
    try:
        yield
    except IngestError as error:
        st.session_state["trouble"] = sentences(str(error), error.hint)


def tell_trouble() -> None:
    if told := st.session_state.pop("trouble", ""):
        widgets.tell("error", told)


def remove(name: str, paths: Sequence[str]) -> None:
    """Takes documents out of a library, and off those that are ticked.

    Raises:
        LibraryBusy: documents are being added.
    """
    resources.remove(name, paths)
    st.session_state["ticked"] = [path for path in st.session_state["ticked"] if path not in paths]


def choose() -> None:
    """Who asks, and the libraries, in the sidebar."""
    names = list(dict.fromkeys([*resources.library_names(), st.session_state["library"]]))
    with st.sidebar:
        if person().name:
            widgets.link(person().name, "Log out", OUT)
        may = person().is_owner
        new = "Type a name to make a new one." if may else None
        st.selectbox("Library", names, key="library", on_change=_forget, accept_new_options=may, help=new)
    remember()


def remember() -> None:
    """Writes what is open into the address."""
    st.query_params["library"] = st.session_state["library"]
    if st.session_state["conversation"]:
        st.query_params["conversation"] = str(st.session_state["conversation"])
    else:
        st.query_params.pop("conversation", None)


def _forget() -> None:
    st.session_state["conversation"] = None
    st.session_state["ticked"] = []
