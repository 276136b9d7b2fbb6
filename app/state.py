"""Everything that the page remembers for one visitor, set in one place."""

import streamlit as st

from app import resources


def prepare() -> None:
    """Sets every session key once: the library's name, and `turns`, (question, Answer) pairs with the oldest first."""
    st.session_state.setdefault("library", resources.library_names()[0])
    st.session_state.setdefault("turns", [])


def choose_library() -> None:
    """The library chooser in the sidebar; another library begins a new conversation."""
    names = list(dict.fromkeys([*resources.library_names(), st.session_state["library"]]))
    with st.sidebar:
        st.selectbox("Library", names, key="library", on_change=_forget, accept_new_options=True, help="Type a name to make a new one.")


def _forget() -> None:
    st.session_state["turns"] = []
