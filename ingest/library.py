"""The library: the one object that other rooms use.

Reading stays consistent because each look is one SQLite read transaction: the words, the chunks and the number of the
index's generation all come from it. People may ask, from many processes, while one process adds.
"""

import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest import database, index, pipeline
from ingest.embedder import Embedder
from ingest.errors import EmbedderError, LibraryError, PathError
from ingest.generations import Generation, GenerationGone, Generations
from ingest.lock import writing
from ingest.receipt import FileResult, Receipt
from ingest.records import Document, Hit
from ingest.settings import Settings
from ingest.verify import VerifyReport, verify
from ingest.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Library:
    """Documents, their words and their vectors in one directory. Use `Library.open`, and close it or use `with`."""

    def __init__(self, directory: Path, embedder_name: str, embedder: Embedder | None) -> None:
        self.directory = directory
        self._embedder_name = embedder_name
        self._embedder = embedder
        self._loading = threading.Lock()
        self._generations = Generations(directory)

    @classmethod
    def open(cls, directory: str | Path, embedder: Embedder | None = None, create: bool = False) -> Self:
        """Opens a library for reading and, one process at a time, writing.

        Args:
            directory: where it is; `Settings().library_dir(name)` finds a named one.
            embedder: a loaded embedder to share; None loads the library's own when it is first needed.
            create: make an empty library if there is none.

        Raises:
            LibraryError: there is none, or it can't be read.
            EmbedderError: it was made with another embedder than the one given or set.
        """
        directory = Path(directory).expanduser().resolve()
        if create:
            _make(directory)
        settings = Settings()
        with closing(database.connect(directory)) as connection:
            made_with = database.fact(connection, "embedder_name")
            fingerprint = database.fact(connection, "embedder")
        if embedder is not None:
            _check_embedder(fingerprint, embedder)
            return cls(directory, embedder.name, embedder)
        if made_with and "embedder" in settings.model_fields_set and settings.embedder != made_with:
            raise EmbedderError(
                f"this library was made with the embedder {made_with!r}, and OCTAVO_EMBEDDER says {settings.embedder!r}",
                "unset OCTAVO_EMBEDDER, or ingest into another library",
            )
        return cls(directory, made_with or settings.embedder, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the index; the next question opens it again."""
        self._generations.close()

    # Writing

    def add(self, paths: Sequence[str | Path], progress: pipeline.Progress | None = None) -> Receipt:
        """Adds files, and folders with all below them; what is unchanged costs nothing, what is gone is removed.

        Interrupted (Ctrl-C, a kill), it keeps every file it finished, and the next call continues.

        Args:
            progress: called after each file with its line, files done, and files in all.

        Raises:
            PathError: a path isn't there; nothing was changed.
            LibraryBusy: another process is writing.
            EmbedderError: the library's embedder can't be loaded; nothing was changed.
        """
        started = time.monotonic()
        with writing(self.directory), closing(database.connect(self.directory, write=True)) as connection:
            plan = pipeline.make_plan(paths, database.known(connection))
            total = len(plan.settled) + len(plan.gone) + len(plan.jobs)
            results: list[FileResult] = []
            try:
                with closing(pipeline.run(connection, plan, self._load_embedder, Settings().parse_timeout)) as run:
                    for result in run:
                        results.append(result)
                        if progress:
                            progress(result, len(results), total)
            finally:
                erase = any(result.status in ("replaced", "removed") for result in results)
                self._publish(connection, erase)
            receipt = Receipt(tuple(results), time.monotonic() - started)
            told = [result for result in results if result.status != "unchanged"]
            summary = {**replace(receipt, files=tuple(told)).to_dict(), "counts": receipt.counts}
            database.add_receipt(connection, summary)
        return receipt

    def remove(self, path: str | Path) -> int:
        """Removes a document, or all below a folder: text, words and vectors, for good. Returns how many.

        Raises:
            PathError: the library has nothing there.
            LibraryBusy: another process is writing.
        """
        root = pipeline.stored_path(path)
        with writing(self.directory), closing(database.connect(self.directory, write=True)) as connection:
            found = [known for known in database.known(connection) if known == root or known.startswith(root + "/")]
            if not found:
                raise PathError(f"the library has no document at {root}", "name it as it was added; the page's Documents lists all")
            for known in found:
                database.delete_document(connection, known)
            self._publish(connection, erase=True)
        return len(found)

    def verify(self, repair: bool = False) -> VerifyReport:
        """Compares disk, SQLite and index; `repair` rebuilds words and index from SQLite, without reading a file.

        Raises:
            LibraryBusy: another process is writing.
        """
        self.close()
        with writing(self.directory), closing(database.connect(self.directory, write=True)) as connection:
            return verify(self.directory, connection, repair)

    def _publish(self, connection: sqlite3.Connection, erase: bool) -> None:
        if not index.is_current(connection):
            self._generations.close()  # our own lease would keep the old generation, with what was removed from it
            index.publish(self.directory, connection)
        if erase:
            database.erase_traces(connection)

    # Reading

    @contextmanager
    def snapshot(self) -> Iterator[View]:
        """A view that doesn't change, whatever other processes write."""
        with ExitStack() as stack:
            connection, generation = self._look(stack)
            yield View(connection, generation, self._embed_query)

    def dense(self, text: str, k: int, within: Collection[str] | None = None) -> list[Hit]:
        """`View.dense` on a snapshot of its own."""
        with self.snapshot() as view:
            return view.dense(text, k, within)

    def words(self, text: str, k: int, within: Collection[str] | None = None) -> list[Hit]:
        """`View.words` on a snapshot of its own."""
        with self.snapshot() as view:
            return view.words(text, k, within)

    def documents(self) -> list[Document]:
        """All documents, by path."""
        with closing(database.connect(self.directory)) as connection:
            return database.documents(connection)

    def text(self, path: str | Path) -> str:
        """A document's canonical text, into which every offset points.

        Raises:
            PathError: it isn't in the library.
        """
        with closing(database.connect(self.directory)) as connection:
            text = database.text(connection, pipeline.stored_path(path))
        if text is None:
            raise PathError(f"the library has no document at {path}", "name it as it was added; the page's Documents lists all")
        return text

    def status(self) -> dict[str, Any]:
        """What is in it, for people and programs."""
        with closing(database.connect(self.directory)) as connection, connection:
            documents = database.documents(connection)
            generation = database.generation(connection)
            return {
                "library": str(self.directory),
                "documents": len(documents),
                "chunks": database.chunk_count(connection),
                "chars": sum(document.chars for document in documents),
                "embedder": database.fact(connection, "embedder"),
                "generation": generation[0] if generation else None,
                "index_current": index.is_current(connection),
                "last_receipt": database.last_receipt(connection),
            }

    def _look(self, stack: ExitStack) -> tuple[sqlite3.Connection, Generation | None]:
        """Begins a read transaction and leases its generation; a generation deleted in between means: look again."""
        missing = None
        while True:
            attempt = ExitStack()
            connection = attempt.enter_context(closing(database.connect(self.directory)))
            connection.execute("begin")
            found = database.generation(connection)  # the first read: it fixes the snapshot
            try:
                generation = attempt.enter_context(self._generations.use(found[0])) if found else None
            except GenerationGone:
                if found == missing:  # not replaced but lost: exact search does without, and `verify` tells
                    generation = None
                else:
                    missing = found
                    attempt.close()
                    continue
            stack.push(attempt)
            return connection, generation

    def _embed_query(self, text: str) -> "NDArray[np.float32]":
        return self._load_embedder().query(text)

    def _load_embedder(self) -> Embedder:
        """The library's embedder, loaded once; an empty library takes on its fingerprint at the first add."""
        with self._loading:
            if self._embedder is None:
                self._embedder = Embedder.load(self._embedder_name)
        with closing(database.connect(self.directory)) as connection:
            fingerprint = database.fact(connection, "embedder")
            if fingerprint is None:
                database.set_fact(connection, "embedder_name", self._embedder.name)
                database.set_fact(connection, "embedder", self._embedder.fingerprint)
        _check_embedder(fingerprint, self._embedder)
        return self._embedder


def _make(directory: Path) -> None:
    """Makes a library, or finishes one: its schema may be half made, or an older Octavo's."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"{directory} can't be a library's directory ({error.strerror})", "name another with --library") from error
    if not database.is_current(directory):
        with writing(directory):
            database.connect(directory, write=True).close()


def _check_embedder(fingerprint: str | None, embedder: Embedder) -> None:
    if fingerprint not in (None, embedder.fingerprint):
        raise EmbedderError(
            f"this library's vectors were made by {fingerprint}, not by {embedder.fingerprint}",
            "use that embedder (OCTAVO_EMBEDDER), or ingest into another library",
        )
