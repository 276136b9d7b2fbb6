"""Documents: adding files and folders, how far that is, the receipt of what was done, and what is in the library."""

import streamlit as st

from app import resources, widgets
from app.mistakes import sentences
from ingest import IngestError


def draw() -> None:
    st.title("Documents")
    name = st.session_state["library"]
    _form(name)
    if not resources.there(name):
        widgets.caption(f"There is no library called {name} yet. It is made when you add something.")
        return
    if any(resources.going(name)):
        st.fragment(_progress, run_every=1.0)(name)
    else:
        _ended(name)
    _documents(name)


def _form(name: str) -> None:
    number = st.session_state["sent"]
    with st.form(f"add {number}"):
        uploads = st.file_uploader("Files", accept_multiple_files=True)
        folder = st.text_input("Or a folder on this machine", placeholder="/home/me/papers").strip()
        if st.form_submit_button("Add", type="primary") and (uploads or folder):
            try:
                resources.add(name, [(upload.name, upload.getvalue()) for upload in uploads], folder)
            except IngestError as error:
                widgets.tell("error", sentences(str(error), error.hint))
            else:
                st.session_state["sent"] = number + 1
                st.rerun()


def _progress(name: str) -> None:
    """Drawn anew each second; what is below it waits until the ingest has ended."""
    told, ours = resources.going(name)
    if not (told or ours):
        st.rerun()
    widgets.progress(told, stopping=ours is not None and ours.stopped)
    if ours:
        st.button("Stop", on_click=ours.stop, disabled=ours.stopped, help="What is finished is kept.")


def _ended(name: str) -> None:
    if trouble := resources.trouble(name):
        widgets.tell("warning", trouble)
    if last := resources.library(name).last_receipt():
        widgets.receipt(last)


def _documents(name: str) -> None:
    rows = resources.library(name).documents()
    if not rows:
        widgets.caption("No documents yet.")
        return
    chosen = widgets.documents(rows)
    if chosen:
        count = f"{len(chosen):,} document" + ("s" if len(chosen) > 1 else "")
        with st.popover(f"Remove {count}"):
            st.write("Text, words and vectors go for good, and the copies of uploaded files. Files in your own folders stay.")
            if st.button("Remove for good", type="primary"):
                _remove(name, [document.path for document in chosen])


def _remove(name: str, paths: list[str]) -> None:
    try:
        with st.spinner("Removing"):
            resources.remove(name, paths)
    except IngestError as error:
        widgets.tell("error", sentences(str(error), error.hint))
    else:
        st.rerun()
