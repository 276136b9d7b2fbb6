"""Documents: what is in the library, adding files and folders, and the receipt of what was done."""

from pathlib import Path

import streamlit as st

from app import resources, widgets
from ingest import IngestError, Receipt


def draw() -> None:
    st.title("Documents")
    name = st.session_state["library"]
    with st.form("add", clear_on_submit=True):
        uploads = st.file_uploader("Files", accept_multiple_files=True)
        folder = st.text_input("Or a folder on this machine", placeholder="/home/me/papers")
        if st.form_submit_button("Add", type="primary"):
            _add(name, [(u.name, u.getvalue()) for u in uploads], folder.strip())
    widgets.documents(resources.library(name).documents())


def _add(name: str, files: list[tuple[str, bytes]], folder: str) -> None:
    receipts: list[Receipt] = []
    try:
        with st.spinner("Reading"):
            if files:
                receipts.append(resources.add_files(name, files))
            if folder:
                receipts.append(resources.library(name).add([Path(folder).expanduser()]))
    except IngestError as error:
        st.error(widgets.plain(f"{error}. {error.hint}"))
    for receipt in receipts:
        widgets.receipt(receipt)
