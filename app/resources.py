"""What all visitors of the page share: open libraries and the chain with its model, each loaded once."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ingest import IngestError, Library, Receipt
from ingest import Settings as IngestSettings
from rag import build_chain
from rag.chain import AnswerChain
from rag.settings import Settings


def library_names() -> list[str]:
    """Names of the libraries at home, `default` first; that alone where there is none yet."""
    home = IngestSettings().home_dir() / "libraries"
    names = [d.name for d in home.glob("*") if (d / "library.sqlite3").is_file()]
    return sorted(names, key=lambda name: (name != "default", name)) or ["default"]


@st.cache_resource(show_spinner="Opening the library")
def library(name: str) -> Library:
    return Library.open(IngestSettings().library_dir(name), create=True)


@st.cache_resource(show_spinner="Loading the model", max_entries=4)
def chain(name: str) -> AnswerChain:
    """The chain over a library, with model and embedder loaded, so that the first question waits for neither."""
    opened = library(name)
    opened.dense("ready?", 1)
    return build_chain(opened)


def model_note() -> str:
    """Which model answers, and whether what it is asked stays here."""
    model = Settings().model
    if model.startswith("openai:"):
        return f"questions and passages go to {model.rpartition('@')[2]}"
    return f"model: {model} · nothing leaves this machine"


def add_files(name: str, files: Sequence[tuple[str, bytes]]) -> Receipt:
    """Keeps uploaded files in the library's own folder `files` and adds that folder.

    Raises:
        IngestError: a name that can't be a file's.
    """
    folder = IngestSettings().library_dir(name) / "files"
    folder.mkdir(parents=True, exist_ok=True)
    for given, data in files:
        plain = Path(given.replace("\\", "/")).name  # a browser may send a path: only its last part is a name
        if not plain or plain.startswith("."):
            raise IngestError(f"{given!r} can't be a file's name")
        (folder / plain).write_bytes(data)
    return library(name).add([folder])
