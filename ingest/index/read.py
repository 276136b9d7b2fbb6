"""Reading the dense index: published segments, leased so that nobody deletes one under a question.

A reader takes the segments that are in force in its own SQLite snapshot, and holds a shared kernel lock on each directory,
its lease; a directory is deleted only by somebody who gets the lock alone. A kernel lock rather than a row of SQLite,
because a killed reader can't leave one behind.

Nobody writes to a published segment, but for Chroma itself: at each opening it adds one row to a table of its own
catalogue to try that file's lock. Vectors and ids are not touched.
"""

import fcntl
import os
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import LibraryError
from ingest.store import schema, vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPAIR = "run `octavo verify --repair`"
COLLECTION = "vectors"


class SegmentGone(Exception):
    """A segment was replaced and deleted between two looks."""


def path_of(directory: Path, number: int) -> Path:
    return directory / "chroma" / f"{number:08d}"


def open_client(path: Path) -> Any:
    import chromadb

    return chromadb.PersistentClient(str(path), settings=_settings()(anonymized_telemetry=False))


@cache
def _settings() -> Any:
    """Chroma's settings from us alone: its own class reads CHROMA_* and the working directory's `.env`, which may name a server."""
    from chromadb.config import Settings

    class OurSettings(Settings):
        @classmethod
        def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
            return (init_settings,)

    return OurSettings


def sweep(directory: Path, in_force: Collection[int]) -> None:
    """Under the library's lock: deletes segments that were replaced and that no reader holds, and what a crash left behind."""
    for path in (directory / "chroma").glob("*"):
        if not path.name.isdigit() or int(path.name) not in in_force:
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


class Segment:
    """A published segment, leased: its directory stays while this is open. Chroma is opened at the first query."""

    def __init__(self, directory: Path, number: int, size: int) -> None:
        self.number = number
        self.size = size
        self._path = path_of(directory, number)
        self._opening = threading.Lock()
        self._chroma: Any = None
        self._collection: Any = None
        try:
            self._lease = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            raise SegmentGone from None
        fcntl.flock(self._lease, fcntl.LOCK_SH)
        if not (self._path / "chroma.sqlite3").exists():  # deleted while we waited for the lock
            os.close(self._lease)
            raise SegmentGone

    def query(self, vector: "NDArray[np.float32]", k: int) -> vectors.Near:
        """The k nearest, best first.

        Raises:
            LibraryError: Chroma can't read its files.
        """
        try:
            with self._opening:
                if self._chroma is None:
                    self._chroma = open_client(self._path)
                    self._collection = self._chroma.get_collection(COLLECTION, embedding_function=None)
            found = self._collection.query(query_embeddings=[vector], n_results=min(k, self.size), include=["distances"])
        except Exception as error:  # Chroma's errors, and its Rust core's, share no base
            raise LibraryError(f"the index can't be read: {error}", REPAIR) from error
        return [(int(key), 1 - distance) for key, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def close(self) -> None:
        if self._chroma is not None:
            self._chroma.close()
        os.close(self._lease)


class Segments:
    """The segments that this process has open: those in force, and older ones until their last question is answered."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._open: dict[int, Segment] = {}
        self._users: Counter[int] = Counter()
        self._in_force: frozenset[int] = frozenset()

    @contextmanager
    def use(self, sizes: dict[int, int]) -> Iterator[list[Segment]]:
        """The segments that hold so many vectors each, to query.

        Raises:
            SegmentGone: one has been replaced and deleted; look again which ones are in force.
        """
        with self._lock:
            for number in sizes.keys() - self._open.keys():
                self._open[number] = Segment(self._directory, number, sizes[number])
            self._users.update(sizes.keys())
            if max(sizes, default=0) >= max(self._in_force, default=0):  # not an older snapshot's
                self._in_force = frozenset(sizes)
            self._close_unused()
            segments = [self._open[number] for number in sizes]
        try:
            yield segments
        finally:
            with self._lock:
                self._users.subtract(sizes.keys())
                self._close_unused()

    @contextmanager
    def snapshot(self) -> Iterator[tuple[sqlite3.Connection, Sequence[Segment] | None]]:
        """A read transaction and the segments that it names, leased; one deleted in between means: look again.

        None instead of segments where one isn't replaced but lost: exact search does without, and `verify` tells.
        """
        missing = None
        while True:
            with ExitStack() as stack:
                connection = stack.enter_context(closing(schema.connect(self._directory)))
                connection.execute("begin")
                sizes = vectors.segments(connection)  # the first read: it fixes the snapshot
                segments = None
                try:
                    segments = stack.enter_context(self.use(sizes))
                except SegmentGone:
                    if sizes != missing:
                        missing = sizes
                        continue
                yield connection, segments
                return

    def close(self) -> None:
        """Closes all that no question is using."""
        with self._lock:
            self._in_force = frozenset()
            self._close_unused()

    def _close_unused(self) -> None:
        """Who closes a replaced segment last deletes it, once SQLite says that it is replaced."""
        closed = [number for number in self._open if self._users[number] <= 0 and number not in self._in_force]
        if not closed:
            return
        for number in closed:
            self._open.pop(number).close()
        with suppress(LibraryError, sqlite3.Error), closing(schema.connect(self._directory)) as connection:
            for number in set(closed) - vectors.segments(connection).keys():
                _delete_unless_held(path_of(self._directory, number))
