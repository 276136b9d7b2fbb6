"""What all visitors of the page share: the model, the embedder and open libraries, each loaded once."""

import gc
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, ParamSpec, TypeVar

from app.adding import Adding
from app.asking import Asking
from app.people import Person
from ingest import Embedder, IngestError, Library
from ingest import Settings as IngestSettings
from ingest.settings import DATABASE, UPLOADS
from ingest.store.conversations import Conversations
from ingest.store.lock import busy, writing
from ingest.store.paths import existing, file_of
from rag.chain import AnswerChain
from rag.models import AnswerModel, answer_model
from rag.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


def _once(make: Callable[P, T]) -> Callable[P, T]:
    """Made once, however many visitors want it at the same time."""
    made, lock = cache(make), Lock()

    def get(*args: P.args, **kwargs: P.kwargs) -> T:
        with lock:
            return made(*args, **kwargs)  # type: ignore[arg-type]

    return get


def library_names() -> list[str]:
    """Names of the libraries at home, `default` first; that alone where there is none yet."""
    home = IngestSettings().home_dir() / "libraries"
    names = [d.name for d in home.glob("[!.]*") if (d / DATABASE).is_file()]
    return sorted(names, key=lambda name: (name != "default", name)) or ["default"]


def there(name: str) -> bool:
    """Whether there is a library of this name; looking makes none.

    Raises:
        LibraryError: it can't be a library's name.
    """
    return (IngestSettings().named_dir(name) / DATABASE).is_file()


def library(name: str) -> Library:
    """A library that is there, with the embedder that it was made with, looked up anew: `octavo reembed` may have changed it.

    Raises:
        LibraryError: there is none, or it can't be read.
    """
    return opened(IngestSettings().named_dir(name))


def opened(directory: Path) -> Library:
    """As `library`, by its directory."""
    return _library(str(directory), Library.open(directory, create=(directory / DATABASE).is_file()).embedder_name)


@_once
def _library(directory: str, embedder_name: str) -> Library:
    return Library.open(directory, _embedder(embedder_name))


@_once
def _embedder(name: str) -> Embedder:
    return Embedder.load(name)


@_once
def model() -> AnswerModel:
    settings = Settings()
    loaded = answer_model(settings.model, settings)
    gc.freeze()  # Streamlit collects garbage after each run of the script: not through all that stays
    return loaded


def get_ready() -> None:
    """Loads the model before the first question, which then waits for nothing; in a thread, so that the page waits neither."""
    Thread(target=_model_or_trouble, daemon=True).start()


def _model_or_trouble() -> None:
    with suppress(Exception):  # it is told when a question is asked
        model()


def conversations(name: str, person: Person) -> Conversations:
    """A library's conversations with this person, and no other's."""
    return Conversations(IngestSettings().named_dir(name), person.key)


@cache
def _asking() -> dict[tuple[str, int], Asking]:
    """The questions that were asked last, by library and turn."""
    return {}


def ask(name: str, person: Person, question: str, within: Sequence[str], conversation: int | None) -> int:
    """Begins to answer a question; returns the conversation that it belongs to."""
    kept = conversations(name, person)
    history = [(turn.question, turn.answer["text"]) for turn in kept.turns(conversation) if turn.answer.get("text")] if conversation else []
    conversation, turn = kept.ask(question, within, conversation)
    asked = {"question": question, "history": history} | ({"within": list(within)} if within else {})
    for key in [key for key, earlier in list(_asking().items()) if earlier.kept]:
        _asking().pop(key, None)
    _asking()[name, turn] = Asking(lambda: AnswerChain(library(name), model(), Settings()), asked, kept, turn)
    return conversation


def asking(name: str, turn: int) -> Asking | None:
    """The question of this turn, until all of its answer is kept."""
    found = _asking().get((name, turn))
    return found if found and not found.kept else None


def stop(name: str, person: Person, conversation: int | None, turn: int | None = None) -> None:
    """Ends what is being answered in a conversation of this person's: one turn, or all."""
    for one in conversations(name, person).turns(conversation or 0):
        if turn in (None, one.id) and (found := asking(name, one.id)):
            found.stop()


@cache
def _adding() -> dict[str, Adding]:
    """The ingest that the page started last, by library."""
    return {}


_starting = Lock()


def add(name: str, uploads: Sequence[tuple[str, bytes]], folder: str) -> None:
    """Starts an ingest of a folder, and of all files ever uploaded, which are kept in the library's own folder `files`: one
    that failed, or wasn't reached before, is tried again. It makes the library where there is none.

    Raises:
        PathError: the folder isn't there.
        LibraryBusy: an ingest is going on, ours or another process's.
        IngestError: a name that can't be a file's.
    """
    paths = existing([folder] if folder else [])
    files = [(_file_name(given), data) for given, data in uploads]
    directory = IngestSettings().named_dir(name)
    Library.open(directory, create=True).close()
    with _starting:
        last = _adding().get(name)
        if last and last.going():  # it may not hold the lock yet
            raise busy(directory, str(last.pid))
        with writing(directory):
            _keep(directory / UPLOADS, files)
        if (directory / UPLOADS).is_dir():
            paths.append(directory / UPLOADS)
        _adding()[name] = Adding(directory, paths)


def again(name: str, path: str) -> None:
    """Starts an ingest of one file that couldn't be read.

    Raises:
        PathError: it isn't there any more.
        LibraryBusy: an ingest is going on.
    """
    directory, paths = IngestSettings().named_dir(name), existing([str(file_of(path))])
    with _starting:
        last = _adding().get(name)
        if last and last.going():
            raise busy(directory, str(last.pid))
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
    """Takes documents out of a library; of an uploaded file its copy too, which is ours. Answers that come now may quote them: they end.

    Raises:
        LibraryBusy: an ingest is going on.
    """
    opened = library(name)
    for (asked, _), asking in list(_asking().items()):
        if asked == name:
            asking.stop()
    opened.remove(*paths)
    for file in map(file_of, paths):
        if file.parent == opened.directory / UPLOADS:
            file.unlink(missing_ok=True)


def _file_name(given: str) -> str:
    name = Path(given.replace("\\", "/")).name  # a browser may send a path: only its last part is a name
    # an ingest leaves hidden files out, and a folder with a library's database in it
    if not name or name.startswith((".", "~$")) or name == DATABASE or len(name.encode()) > 200:
        raise IngestError(f"{given[:80]!r} can't be an uploaded file's name", "give it another, or add the folder that it lies in")
    return name


def _keep(folder: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Writes uploaded files; one of a name that is there gets a number."""
    for name, data in files:
        folder.mkdir(mode=0o700, exist_ok=True)
        _free(folder, name, data).write_bytes(data)


def _free(folder: Path, name: str, data: bytes) -> Path:
    """A path where no other file stands; the same file again has its own."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in count(2):
        path = folder / name
        if not path.exists() or path.read_bytes() == data:
            return path
        name = f"{stem} ({number}){suffix}"
    raise AssertionError
