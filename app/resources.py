"""What all visitors of the page share: the model, the embedder and open libraries, each loaded once."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

from app.adding import Adding
from ingest import Embedder, IngestError, Library
from ingest import Settings as IngestSettings
from ingest.settings import UPLOADS
from ingest.store.lock import busy, writing
from ingest.store.paths import existing
from rag.chain import AnswerChain
from rag.models import AnswerModel, answer_model
from rag.settings import Settings


def library_names() -> list[str]:
    """Names of the libraries at home, `default` first; that alone where there is none yet."""
    home = IngestSettings().home_dir() / "libraries"
    names = [d.name for d in home.glob("[!.]*") if (d / "library.sqlite3").is_file()]
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
def model() -> AnswerModel:
    settings = Settings()
    return answer_model(settings.model, settings)


def chain(name: str) -> AnswerChain:
    return AnswerChain(library(name), model(), Settings())


def model_note() -> str:
    """Which model answers, and whether what it is asked stays here."""
    model = Settings().model
    if model.startswith("openai:"):
        return f"questions and passages go to {model.rpartition('@')[2]}"
    return f"model: {model} · nothing leaves this machine"


@st.cache_resource
def _adding() -> dict[str, Adding]:
    """The ingest that the page started last, by library."""
    return {}


_starting = Lock()


def add(name: str, uploads: Sequence[tuple[str, bytes]], folder: str) -> None:
    """Starts an ingest of a folder, and of uploaded files, which are kept in the library's own folder `files`.

    Raises:
        PathError: the folder isn't there.
        LibraryBusy: an ingest is going on, ours or another process's.
        IngestError: a name that can't be a file's.
    """
    paths = existing([folder] if folder else [])
    directory = library(name).directory
    with _starting:
        last = _adding().get(name)
        if last and last.going():  # it may not hold the lock yet
            raise busy(directory, str(last.pid))
        with writing(directory):
            paths += _keep(directory / UPLOADS, uploads)
        _adding()[name] = Adding(directory, paths)


def going(name: str) -> tuple[dict[str, Any] | None, Adding | None]:
    """How far the ingest is that fills a library (None before its first file), and the ingest itself if the page started it."""
    last = _adding().get(name)
    ours = last if last and last.going() else None
    return library(name).running(), ours


def trouble(name: str) -> str:
    """Why the ingest that the page started last, and that has ended, left no receipt, or ""."""
    last = _adding().get(name)
    return last.trouble if last and not last.going() else ""


def unfinished(name: str) -> str:
    """What a question asked now may miss, or ""."""
    told, ours = going(name)
    return library(name).unfinished() or ("The library is being filled." if ours and not told else "")


def remove(name: str, paths: Sequence[str]) -> None:
    """Takes documents out of a library; of an uploaded file its copy too, which is ours.

    Raises:
        LibraryBusy: an ingest is going on.
    """
    opened = library(name)
    opened.remove(*paths)
    for path in map(Path, paths):
        if path.parent == opened.directory / UPLOADS:
            path.unlink(missing_ok=True)


def _keep(folder: Path, uploads: Sequence[tuple[str, bytes]]) -> list[Path]:
    """Writes uploaded files; one of a name that is there gets a number."""
    folder.mkdir(exist_ok=True)
    kept = []
    for given, data in uploads:
        plain = Path(given.replace("\\", "/")).name  # a browser may send a path: only its last part is a name
        if not plain or plain.startswith(".") or len(plain.encode()) > 200:
            raise IngestError(f"{given[:80]!r} can't be a file's name")
        kept.append(_free(folder, plain, data))
        kept[-1].write_bytes(data)
    return kept


def _free(folder: Path, name: str, data: bytes) -> Path:
    """A path where no other file stands; the same file again has its own."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in count(2):
        path = folder / name
        if not path.exists() or path.read_bytes() == data:
            return path
        name = f"{stem} ({number}){suffix}"
    raise AssertionError
