"""Everything that the page remembers for one visitor, set in one place."""

import streamlit as st

from app import resources


def prepare() -> None:
    """Sets every session key once: the library's name, `turns` ((question, Answer), the oldest first), the question `pending`,
    and how often the form under Documents was `sent`, each time to be drawn anew, empty."""
    st.session_state.setdefault("library", st.query_params.get("library") or resources.library_names()[0])
    st.session_state.setdefault("turns", [])
    st.session_state.setdefault("pending", None)
    st.session_state.setdefault("sent", 0)


def choose_library() -> None:
    """The library chooser in the sidebar; another library begins a new conversation."""
    names = list(dict.fromkeys([*resources.library_names(), st.session_state["library"]]))
    with st.sidebar:
        st.selectbox("Library", names, key="library", on_change=_forget, accept_new_options=True, help="Type a name to make a new one.")
    st.query_params["library"] = st.session_state["library"]  # a reload comes back to it


def _forget() -> None:
    st.session_state["turns"] = []
