"""What all visitors of the page share: the model, the embedder and open libraries, each loaded once."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import streamlit as st

from ingest import Embedder, IngestError, Library, Receipt
from ingest import Settings as IngestSettings
from ingest.settings import UPLOADS
from rag.chain import AnswerChain
from rag.models import Reader, reader_for
from rag.settings import Settings


def library_names() -> list[str]:
    """Names of the libraries at home, `default` first; that alone where there is none yet."""
    home = IngestSettings().home_dir() / "libraries"
    names = [d.name for d in home.glob("*") if (d / "library.sqlite3").is_file()]
    return sorted(names, key=lambda name: (name != "default", name)) or ["default"]


@st.cache_resource(show_spinner="Loading the embedder")
def embedder() -> Embedder:
    return Embedder.load(IngestSettings().embedder)


@st.cache_resource(show_spinner="Opening the library")
def library(name: str) -> Library:
    if "/" in name or "\\" in name:
        raise IngestError(f"{name!r} can't be a library's name", "use letters, digits, '-', '_' and '.'")
    return Library.open(IngestSettings().library_dir(name), embedder(), create=True)


@st.cache_resource(show_spinner="Loading the model")
def reader() -> Reader:
    settings = Settings()
    return reader_for(settings.model, settings)


def chain(name: str) -> AnswerChain:
    return AnswerChain(library(name), reader(), Settings())


def model_note() -> str:
    """Which model answers, and whether what it is asked stays here."""
    model = Settings().model
    if model.startswith("openai:"):
        return f"questions and passages go to {model.rpartition('@')[2]}"
    return f"model: {model} · nothing leaves this machine"


def add_files(name: str, files: Sequence[tuple[str, bytes]]) -> Receipt:
    """Keeps uploaded files in the library's own folder `files` and adds them; one of a name that is there gets a number.

    Raises:
        IngestError: a name that can't be a file's.
    """
    folder = IngestSettings().library_dir(name) / UPLOADS
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for given, data in files:
        plain = Path(given.replace("\\", "/")).name  # a browser may send a path: only its last part is a name
        if not plain or plain.startswith(".") or len(plain.encode()) > 200:
            raise IngestError(f"{given[:80]!r} can't be a file's name")
        kept.append(_free(folder, plain, data))
        kept[-1].write_bytes(data)
    return library(name).add(kept)


def _free(folder: Path, name: str, data: bytes) -> Path:
    """A path where no other file stands; the same file again has its own."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in count(2):
        path = folder / name
        if not path.exists() or path.read_bytes() == data:
            return path
        name = f"{stem} ({number}){suffix}"
    raise AssertionError
