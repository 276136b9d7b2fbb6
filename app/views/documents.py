"""Documents: adding files and folders, what is being added, what is in the library, and the library itself."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import following, libraries, resources, state, widgets
from app.room import holdings
from app.views import ask


def draw() -> None:
    st.title("Documents")
    state.tell_trouble()
    name = st.session_state["library"]
    _form(name)
    if resources.there(name):
        _heed(name, holdings(name))
    else:
        widgets.caption(f"There is no library called {name} yet. It is made when you add something.")


def _form(name: str) -> None:
    number = st.session_state["sent"]
    with st.form(f"add {number}"):
        uploads = st.file_uploader("Files", accept_multiple_files=True)
        folder = st.text_input("Or a folder on this machine", placeholder="/home/me/papers").strip()
        if st.form_submit_button("Add", type="primary") and (uploads or folder):
            with state.telling():
                resources.add(name, [(upload.name, upload.getvalue()) for upload in uploads], folder)
                st.session_state["sent"] = number + 1
            st.rerun()


def _heed(name: str, pressed: Mapping[str, Any]) -> None:
    """Does what was pressed."""
    if not pressed:
        return
    with state.telling():
        for event, value in pressed.items():
            _do(name, event, value)
    if "only" in pressed or "open" in pressed:
        st.switch_page(st.Page(ask.draw, url_path="ask", default=True), query_params={"library": name})
    st.rerun()


def _do(name: str, event: str, value: Any) -> None:
    library = resources.library(name)
    if event == "stop":
        resources.line(name).stop(value)
    elif event == "take_back":
        resources.line(name).take_back(value)
    elif event == "bring":
        resources.bring(name, value)
    elif event == "follow":
        library.follow(*value)
        following.heed(name)
    elif event == "forget":
        library.forget_folder(value)
        following.heed(name)
    elif event == "only":
        st.session_state["ticked"] = value
    elif event == "open":
        st.session_state["opening"] = value
    elif event == "retry":
        resources.again(name, *value)
    elif event == "remove":
        state.remove(name, value)
    elif event == "forget_removed":
        library.forget_removed(value)
    elif event == "rename":
        libraries.rename(name, value)
        st.session_state["moving"] = value
    elif event == "delete" and value == name:
        libraries.delete(name)
        st.session_state["moving"] = resources.library_names()[0]
