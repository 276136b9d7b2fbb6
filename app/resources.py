"""What all visitors of the page share: the model, the embedder and open libraries, each loaded once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import ParamSpec, TypeVar

from app.adding import Line, Wanted
from app.asking import Asking
from app.choosing import chosen
from app.models import Models
from app.people import Person
from app.uploads import file_name, keep
from ingest import Embedder, Library
from ingest import Settings as IngestSettings
from ingest.errors import LibraryBusy, PathError
from ingest.loaders import kind
from ingest.settings import DATABASE, UPLOADS
from ingest.store.conversations import Conversations
from ingest.store.lock import is_written
from ingest.store.paths import existing, file_of, spelled
from rag.chain import AnswerChain
from rag.models import answer_model
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


_models = Models(lambda name: answer_model(name, Settings()))


def get_ready() -> None:
    """Loads the model before the first question, which then waits for nothing."""
    _models.get_ready(chosen())


@contextmanager
def _chain(name: str, model: str) -> Iterator[AnswerChain]:
    with _models.lent(model) as lent:
        yield AnswerChain(library(name), lent, Settings())


def conversations(name: str, person: Person) -> Conversations:
    """A library's conversations with this person, and no other's."""
    return Conversations(IngestSettings().named_dir(name), person.key)


@cache
def _asking() -> dict[tuple[str, int], Asking]:
    """The questions that were asked last, by library and turn."""
    return {}


def ask(name: str, person: Person, question: str, within: Sequence[str], conversation: int | None, mode: str = "auto") -> int:
    """Begins to answer a question; returns the conversation that it belongs to.

    Args:
        mode: what is to be done with it, one of `rag.query.MODES`.
    """
    kept = conversations(name, person)
    history = [(turn.question, turn.answer["text"]) for turn in kept.turns(conversation) if turn.answer.get("text")] if conversation else []
    conversation, turn = kept.ask(question, within, conversation)
    asked = {"question": question, "history": history, "mode": mode} | ({"within": list(within)} if within else {})
    for key in [key for key, earlier in list(_asking().items()) if earlier.kept]:
        _asking().pop(key, None)
    model = chosen()
    _asking()[name, turn] = Asking(lambda: _chain(name, model), model, asked, kept, turn)
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
def _lines() -> dict[Path, Line]:
    """What the page adds, by the library's directory."""
    return {}


def line(name: str) -> Line:
    """What the page adds to a library."""
    directory = IngestSettings().named_dir(name)
    return _lines().setdefault(directory, Line(directory))


def add(name: str, uploads: Sequence[tuple[str, bytes]], folder: str) -> None:
    """Adds files, which are kept in the library's own folder `files`, and a folder, which is remembered: at once, or after what is
    being added now. It makes the library where there is none.

    Raises:
        PathError: the folder isn't there.
        IngestError: a name that can't be a file's.
    """
    paths = existing([folder] if folder else [])
    files = [(file_name(given), data) for given, data in uploads]
    directory = IngestSettings().named_dir(name)
    Library.open(directory, create=True).close()
    if files:
        keep(directory / UPLOADS, files)
        read_uploads(name)
    for path in paths:
        if path.is_dir():
            library(name).remember(path)
        line(name).put(Wanted(str(path), (path,)))


def read_uploads(name: str) -> None:
    """Reads what was uploaded and not read yet."""
    if unread := unread_uploads(name):
        count = f"{len(unread)} uploaded files" if len(unread) > 1 else next(iter(unread.values())).name
        line(name).put(Wanted(count, (library(name).directory / UPLOADS,)))


def unread_uploads(name: str) -> dict[str, Path]:
    """Uploaded files of which the library knows nothing yet, by the paths that it will know them by."""
    opened = library(name)
    known = {document.path for document in opened.documents()} | {path for path, _ in opened.failures()}
    known |= {document.path for document in opened.removed()}
    there = {spelled(str(file)): file for file in sorted((opened.directory / UPLOADS).glob("[!.]*")) if kind(file)}
    return {path: file for path, file in there.items() if path not in known}


def again(name: str, path: str, password: str = "") -> None:
    """Reads one file again: it failed, was removed, or has a password, which is used for this once.

    Raises:
        PathError: it isn't there any more.
    """
    (file,) = existing([file_of(path)])
    line(name).put(Wanted(file.name, (file,), password=password))


def bring(name: str, path: str) -> None:
    """Brings a folder up to date that was added before.

    Raises:
        PathError: it isn't remembered, or isn't there now.
    """
    for folder in library(name).folders():
        if folder.path == path:
            return line(name).put(Wanted(path, tuple(existing([file_of(path)])), folder.exclude))
    raise PathError(f"{path} is not one of this library's folders", "add it")


def unfinished(name: str) -> str:
    """What a question asked now may miss, or ""."""
    busy = line(name).is_busy()  # looked at first: if it ends meanwhile, the library knows all
    return library(name).unfinished() or ("The library is being filled." if busy else "")


def remove(name: str, paths: Sequence[str]) -> None:
    """Takes documents out of a library. Answers that come now may quote them: they end.

    Raises:
        LibraryBusy: an ingest is going on.
    """
    _refuse_while_adding(name)
    for (asked, _), asking in list(_asking().items()):
        if asked == name:
            asking.stop()
    unread = unread_uploads(name)
    for path in unread.keys() & set(paths):
        unread[path].unlink(missing_ok=True)
    if known := [path for path in paths if path not in unread]:
        library(name).remove(*known)


def _refuse_while_adding(name: str) -> None:
    if line(name).is_busy() or is_written(IngestSettings().named_dir(name)):
        raise LibraryBusy(f"documents are being added to {name}", "stop that, or wait until it has finished")


def settle(name: str) -> Path:
    """The directory of a library whose name or place is to change: nothing goes on in it, and nothing of it stays open here.

    Raises:
        LibraryBusy: documents are added to it, or a question to it is answered.
    """
    directory = IngestSettings().named_dir(name)
    _refuse_while_adding(name)
    if any(asked == name and not asking.has_ended() for (asked, _), asking in list(_asking().items())):
        raise LibraryBusy(f"a question to {name} is being answered", "stop that, or wait until it has finished")
    library(name).close()
    _lines().pop(directory, None)
    return directory
