"""Reading the dense index: published generations, leased so that nobody deletes one under a question.

A reader takes the generation that is in force in its own SQLite snapshot, and holds a shared kernel lock on that
directory, its lease; a directory is deleted only by somebody who gets the lock alone. A kernel lock rather than a row of
SQLite, because a killed reader can't leave one behind.

Nobody writes to a published generation, but for Chroma itself: at each opening it adds one row to a table of its own
catalogue to try that file's lock. Vectors and ids are not touched.
"""

import fcntl
import os
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import LibraryError
from ingest.store import rows, schema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPAIR = "run `octavo verify --repair`"
COLLECTION = "vectors"


class GenerationGone(Exception):
    """A generation was replaced and deleted between two looks."""


def path_of(directory: Path, number: int) -> Path:
    return directory / "chroma" / f"{number:08d}"


def open_client(path: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(path), settings=Settings(anonymized_telemetry=False))


def sweep(directory: Path, in_force: int, everything: bool = False) -> None:
    """Deletes older generations that no reader holds, and, under the library's lock, also what a crash left behind."""
    for path in (directory / "chroma").glob("*"):
        old = path.name.isdigit() and int(path.name) < in_force
        unfinished = not path.name.isdigit() or int(path.name) > in_force
        if old or (unfinished and everything):
            _delete_unless_held(path)


def _delete_unless_held(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except BlockingIOError:
        pass  # its last reader will sweep it, or the next writer
    finally:
        os.close(handle)


class Generation:
    """A published generation, leased: its directory stays while this is open. Chroma is opened at the first query."""

    def __init__(self, directory: Path, number: int) -> None:
        self.number = number
        self._path = path_of(directory, number)
        self._opening = threading.Lock()
        self._chroma: Any = None
        self._collection: Any = None
        try:
            self._lease = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            raise GenerationGone from None
        fcntl.flock(self._lease, fcntl.LOCK_SH)
        if not (self._path / "chroma.sqlite3").exists():  # deleted while we waited for the lock
            os.close(self._lease)
            raise GenerationGone

    def query(self, vector: "NDArray[np.float32]", k: int) -> list[tuple[str, float]]:
        """Ids and cosine similarities of the k nearest, best first.

        Raises:
            LibraryError: Chroma can't read its files.
        """
        try:
            with self._opening:
                if self._chroma is None:
                    self._chroma = open_client(self._path)
                    self._collection = self._chroma.get_collection(COLLECTION, embedding_function=None)
            found = self._collection.query(query_embeddings=[vector], n_results=k, include=["distances"])
        except Exception as error:  # Chroma's errors, and its Rust core's, share no base
            raise LibraryError(f"the index can't be read: {error}", REPAIR) from error
        return [(key, 1 - distance) for key, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def close(self) -> None:
        if self._chroma is not None:
            self._chroma.close()
        os.close(self._lease)


class Generations:
    """The generations that this process has open: the newest, and older ones until their last question is answered."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._open: dict[int, Generation] = {}
        self._users: Counter[int] = Counter()

    @contextmanager
    def use(self, number: int) -> Iterator[Generation]:
        """A generation to query.

        Raises:
            GenerationGone: it has been replaced and deleted; look again which one is in force.
        """
        with self._lock:
            if number not in self._open:
                self._open[number] = Generation(self._directory, number)
            self._users[number] += 1
            self._close_unused()
        try:
            yield self._open[number]
        finally:
            with self._lock:
                self._users[number] -= 1
                self._close_unused()

    @contextmanager
    def snapshot(self) -> Iterator[tuple[sqlite3.Connection, Generation | None]]:
        """A read transaction and the generation that it names, leased; one deleted in between means: look again."""
        missing = None
        while True:
            with ExitStack() as stack:
                connection = stack.enter_context(closing(schema.connect(self._directory)))
                connection.execute("begin")
                found = rows.generation(connection)  # the first read: it fixes the snapshot
                try:
                    generation = stack.enter_context(self.use(found[0])) if found else None
                except GenerationGone:
                    if found != missing:
                        missing = found
                        continue
                    generation = None  # not replaced but lost: exact search does without, and `verify` tells
                yield connection, generation
                return

    def close(self) -> None:
        """Closes all that no question is using."""
        with self._lock:
            self._close_unused(keep_newest=False)

    def _close_unused(self, keep_newest: bool = True) -> None:
        newest = max(self._open, default=0)
        for number in [n for n in self._open if not self._users[n] and not (keep_newest and n == newest)]:
            self._open.pop(number).close()
            sweep(self._directory, newest)
