"""The library: the one object that other rooms use.

Reading stays consistent because each look is one SQLite read transaction: the words, the chunks and the number of the
index's generation all come from it. People may ask, from many processes, while one process adds.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest.errors import EmbedderError, LibraryError
from ingest.index import build
from ingest.index.read import Segments
from ingest.index.view import Frequencies, View
from ingest.loaders.parsed import Parsed
from ingest.records import Box, Document, Hit
from ingest.run import pipeline
from ingest.run.pipeline import Run
from ingest.run.places import find_places
from ingest.run.plan import make_plan
from ingest.run.progress import Progress, carry_out, running, unfinished
from ingest.run.receipt import Receipt
from ingest.settings import Settings
from ingest.store import rows, schema, vectors
from ingest.store.conversations import forget
from ingest.store.lock import refuse_network, writing
from ingest.store.paths import absent, below, file_of, is_as_read, stored_path
from ingest.store.verify import VerifyReport, verify
from ingest.text import chunking
from ingest.text.embedder import Embedder

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.document_loaders import BaseLoader
    from numpy.typing import NDArray


class Library:
    """Documents, their words and their vectors in one directory. Use `Library.open`, and close it or use `with`."""

    def __init__(self, directory: Path, embedder_name: str, embedder: Embedder | None) -> None:
        self.directory = directory
        self.embedder_name = embedder_name
        self._embedder = embedder
        self._loading = threading.Lock()
        self._segments = Segments(directory)
        self._frequencies = Frequencies()

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
        refuse_network(directory)
        if create:
            schema.make(directory)
        settings = Settings()
        with closing(schema.connect(directory)) as connection:
            made_with = rows.fact(connection, "embedder_name")
            fingerprint = rows.fact(connection, "embedder")
        if embedder is not None:
            _check_embedder(fingerprint, embedder)
            return cls(directory, embedder.name, embedder)
        if made_with and "embedder" in settings.model_fields_set and settings.embedder != made_with:
            raise EmbedderError(
                f"this library was made with the embedder {made_with!r}, and OCTAVO_EMBEDDER says {settings.embedder!r}",
                "unset OCTAVO_EMBEDDER, or make its vectors anew with `octavo reembed`",
            )
        return cls(directory, made_with or settings.embedder, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the index; the next question opens it again."""
        self._segments.close()

    # Writing

    def add(self, paths: Sequence[str | Path], progress: Progress | None = None, exclude: Sequence[str] = ()) -> Receipt:
        """Adds files, and folders with all below them; what is unchanged costs nothing, what is gone is removed.

        Interrupted (Ctrl-C, a kill), it keeps every file it finished, and the next call continues.

        Args:
            progress: called at each step: a file settled, or some chunks embedded.
            exclude: patterns as in .gitignore of what to leave out.

        Raises:
            PathError: none of the paths is there; nothing was changed.
            LibraryBusy: another process is writing.
            EmbedderError: the library's embedder can't be loaded; nothing was changed.
        """
        with self._writing() as connection:
            run = self._run(connection)
            plan = make_plan(paths, rows.known(connection), exclude)
            receipt = carry_out(connection, run, run.steps(plan), self._publish, progress)
            forget(self.directory, plan.gone)
            return receipt

    def add_loader(self, loader: "BaseLoader", progress: Progress | None = None) -> Receipt:
        """Adds what a LangChain loader yields; documents in a row with the same `source` are pages of one.

        It runs in this process, as code of yours. What it yielded earlier under the same sources is replaced.

        Raises:
            LibraryBusy: another process is writing.
            EmbedderError: the library's embedder can't be loaded; nothing was changed.
        """
        with self._writing() as connection:
            run = self._run(connection)
            return carry_out(connection, run, run.loader_steps(loader), self._publish, progress)

    def remove(self, *paths: str | Path) -> int:
        """Removes documents, or all below a folder: text, words and vectors, for good. Returns how many.

        Many at once cost little more than one: the index is built anew once.

        Raises:
            PathError: the library has nothing at one of the paths; nothing was changed.
            LibraryBusy: another process is writing.
        """
        with self._writing() as connection:
            found = below(paths, rows.known(connection))
            for name in found:
                rows.delete_file(connection, name)
            self._publish(connection)
            forget(self.directory, found)
        return len(found)

    def verify(self, repair: bool = False) -> VerifyReport:
        """Compares disk, SQLite and index; `repair` rebuilds words, vectors and index from SQLite, and reads again what was read
        before the places of words were kept, or has lost them, if its file is still the same.

        Raises:
            LibraryBusy: another process is writing.
        """
        self.close()
        with self._writing() as connection:
            run = Run(connection, self._load_embedder, Settings().parse_timeout)
            mend = (partial(find_places, connection, run), run.embed_pending) if repair else None
            return verify(self.directory, connection, mend)

    @classmethod
    def reembed(cls, directory: str | Path, embedder: Embedder, progress: Progress | None = None) -> int:
        """Makes all vectors of a library anew with another embedder, from its texts; returns how many.

        Meanwhile it is asked by words, and by what has its new vector. Interrupted, the next `add` goes on.

        Raises:
            LibraryError: there is no library there.
            LibraryBusy: another process is writing.
        """
        library = cls(Path(directory).expanduser().resolve(), embedder.name, embedder)
        refuse_network(library.directory)
        schema.connect(library.directory).close()  # writing would make one
        with library._writing() as connection:
            vectors.forget_all(connection, embedder.name, embedder.fingerprint)
            run = library._run(connection)
            carry_out(connection, run, run.embed(), library._publish, progress)
            return rows.chunk_count(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The library's lock, and a connection to write by.

        Raises:
            LibraryBusy: another process is writing.
            LibraryError: SQLite can't write, as on a full disk.
        """
        with writing(self.directory), closing(schema.connect(self.directory, write=True)) as connection:
            try:
                rows.set_fact(connection, "progress", None)  # of a run that was killed
                yield connection
            except sqlite3.OperationalError as error:
                raise LibraryError(f"{self.directory} can't be written: {error}", schema.cure(error)) from error

    def _run(self, connection: sqlite3.Connection) -> Run:
        """A run to come, once chunks are up to date that were cut in another way, or for another embedder."""
        if rows.fact(connection, "chunker") != chunking.VERSION:
            if rows.chunk_count(connection):
                pipeline.cut_again(connection, self._load_embedder().counter)
            rows.set_fact(connection, "chunker", chunking.VERSION)
        return Run(connection, self._load_embedder, Settings().parse_timeout)

    def _publish(self, connection: sqlite3.Connection) -> str:
        """Brings the index up to date; returns what is wrong with it all the same, or ""."""
        if build.is_current(self.directory, connection):
            build.sweep(self.directory, connection)
        else:
            self._segments.close()  # our own leases would keep old segments, with what was removed from them
            build.publish(self.directory, connection)
        if rows.fact(connection, "traces"):
            rows.erase_traces(connection)
        return build.trouble(self.directory, connection)

    # Reading

    @contextmanager
    def snapshot(self) -> Iterator[View]:
        """A view that doesn't change, whatever other processes write."""
        with self._segments.snapshot() as (connection, segments):
            yield View(connection, segments, self._embed_query, self._frequencies)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection whose every query sees the same moment."""
        with closing(schema.connect(self.directory)) as connection:
            connection.execute("begin")
            yield connection

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
        with closing(schema.connect(self.directory)) as connection:
            return rows.documents(connection)

    def failures(self) -> list[tuple[str, str]]:
        """Path and reason of all files that couldn't be read."""
        with closing(schema.connect(self.directory)) as connection:
            return rows.failures(connection)

    def text(self, path: str | Path) -> str:
        """A document's canonical text, into which every offset points.

        Raises:
            PathError: it isn't in the library.
        """
        return self.parsed(path).text

    def parsed(self, path: str | Path) -> Parsed:
        """A document's canonical text with its pages and headings.

        Raises:
            PathError: it isn't in the library.
        """
        with closing(schema.connect(self.directory)) as connection:
            # first as `documents` name it: a loader's sources are no paths
            found = rows.parsed(connection, str(path)) or rows.parsed(connection, stored_path(path))
        if found is None:
            raise absent(path)
        return found

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Vectors of texts, one a row of length 1, by the library's embedder."""
        return self._load_embedder().documents(texts)

    def boxes(self, path: str | Path, start: int, end: int) -> tuple[Box, ...]:
        """`View.boxes` on a snapshot of its own.

        Raises:
            PathError: there is no such document in the library.
        """
        with self.snapshot() as view:
            for name in (str(path), stored_path(path)):
                if rows.known(view.connection, name):
                    return view.boxes(name, start, end)
        raise absent(path)

    def is_as_read(self, path: str) -> bool:
        """Whether a document's file, by the path that `documents` tells, is still the one that was read; False if it is gone."""
        with closing(schema.connect(self.directory)) as connection:
            known = rows.known(connection, path).get(path)
        try:
            return known is not None and is_as_read(file_of(path), known.stamp, known.sha256)
        except OSError:
            return False

    def status(self) -> dict[str, Any]:
        """What is in it, for people and programs."""
        with self._reading() as connection:
            documents, chars, unread = rows.totals(connection)
            return {
                "library": str(self.directory),
                "documents": documents,
                "chunks": rows.chunk_count(connection),
                "waiting_for_vectors": vectors.pending_count(connection),
                "waiting_for_ocr": unread,
                "chars": chars,
                "embedder": rows.fact(connection, "embedder"),
                "generation": vectors.generation(connection),
                "index_current": build.is_current(self.directory, connection),
                "index_trouble": build.trouble(self.directory, connection),
                "running": running(self.directory, connection),
                "last_receipt": rows.last_receipt(connection),
            }

    def running(self) -> dict[str, Any] | None:
        """How far the ingest is that is going on, in whichever process; None where there is none. Cheap: ask it every second."""
        with closing(schema.connect(self.directory)) as connection:
            return running(self.directory, connection)

    def last_receipt(self) -> dict[str, Any] | None:
        """What the last ingest that came to its end did: sums, and the files that failed or have notes (`receipt.shortened`)."""
        with closing(schema.connect(self.directory)) as connection:
            return rows.last_receipt(connection)

    def unfinished(self) -> str:
        """What a question asked now may miss because an ingest is going on or was interrupted, in a sentence, or ""."""
        with self._reading() as connection:
            return unfinished(self.directory, connection)

    def index_trouble(self) -> str:
        """Why a question asked now takes longer than it should, though it misses nothing, in a sentence, or ""."""
        with self._reading() as connection:
            return build.trouble(self.directory, connection)

    def _embed_query(self, text: str) -> "NDArray[np.float32]":
        return self._load_embedder().query(text)

    def _load_embedder(self) -> Embedder:
        """The library's embedder, loaded once; an empty library takes on its fingerprint at the first add."""
        with self._loading:
            if self._embedder is None:
                self._embedder = Embedder.load(self.embedder_name)
        with closing(schema.connect(self.directory)) as connection:
            fingerprint = rows.fact(connection, "embedder")
            if fingerprint is None:
                rows.set_fact(connection, "embedder_name", self._embedder.name)
                rows.set_fact(connection, "embedder", self._embedder.fingerprint)
            stored = vectors.dimensions(connection)
        _check_embedder(fingerprint, self._embedder)
        if stored not in (None, self._embedder.dimensions):
            raise EmbedderError("this library's vectors are of another length than its embedder's", "make them anew with `octavo reembed`")
        return self._embedder


def _check_embedder(fingerprint: str | None, embedder: Embedder) -> None:
    if fingerprint not in (None, embedder.fingerprint):
        raise EmbedderError(
            f"this library's vectors were made by {fingerprint}, not by {embedder.fingerprint}",
            "use that embedder (OCTAVO_EMBEDDER), or make its vectors anew with `octavo reembed`",
        )
