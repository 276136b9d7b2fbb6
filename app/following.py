"""Folders that are followed: while the page's server runs, each is brought up to date when something in it changes."""

from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event, Thread

from app import resources
from ingest.errors import IngestError, PathError
from ingest.run.watch import changes
from ingest.store.paths import file_of


class Follower:
    """Follows one folder, in a thread, until it is ended; `trouble` is why it can't at the moment, or ""."""

    def __init__(self, name: str, path: str, directory: Path) -> None:
        self._name, self._path, self._directory = name, path, directory
        self._ended = Event()
        self.trouble = ""
        Thread(target=self._follow, daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _follow(self) -> None:
        try:
            for _ in changes([file_of(self._path)], self._directory, self._ended.is_set):
                if not self._ended.is_set():
                    self._bring()
        except IngestError as error:  # the library is gone, or the system can't watch so many folders
            self.trouble = str(error)

    def _bring(self) -> None:
        try:
            resources.bring(self._name, self._path)
            self.trouble = ""
        except PathError as error:  # its drive may come back
            self.trouble = str(error)


@cache
def _followers() -> dict[tuple[str, str], Follower]:
    """By library and path."""
    return {}


def heed(name: str) -> None:
    """Follows exactly the folders that a library says are followed; of one that is gone, none."""
    wanted = {folder.path for folder in resources.library(name).folders() if folder.followed} if resources.there(name) else set()
    for library, path in list(_followers()):
        if library == name and path not in wanted:
            _followers().pop((library, path)).end()
    for path in wanted:
        if (name, path) not in _followers():
            _followers()[name, path] = Follower(name, path, resources.library(name).directory)


def trouble(name: str, path: str) -> str:
    """Why a folder that should be followed is not, or ""."""
    found = _followers().get((name, path))
    return found.trouble if found else ""


def begin() -> None:
    """Takes up what an earlier server left: folders are followed, and uploads that were not read yet are."""
    for name in resources.library_names():
        with suppress(IngestError):  # the page says what is wrong with a library
            if resources.there(name):
                heed(name)
                resources.read_uploads(name)
