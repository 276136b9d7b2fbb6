"""All that looks into a library and changes nothing in it.

Each look is one SQLite read transaction: the words, the chunks and the number of the index's generation all come from it. People
may ask, from many processes, while one process adds.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingest.errors import EmbedderError
from ingest.index import build
from ingest.index.read import Segments
from ingest.index.view import Frequencies, View
from ingest.loaders.parsed import Parsed
from ingest.records import Box, Document, Folder, Hit, Removed
from ingest.run.progress import running, unfinished
from ingest.store import folders, rows, schema, vectors
from ingest.store.paths import absent, file_of, is_as_read, stored_path
from ingest.text.embedder import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Reading:
    """A library as who asks sees it; `Library` adds what writes."""

    def __init__(self, directory: Path, embedder_name: str, embedder: Embedder | None) -> None:
        self.directory = directory
        self.embedder_name = embedder_name
        self._embedder = embedder
        self._loading = threading.Lock()
        self._segments = Segments(directory)
        self._frequencies = Frequencies()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the index; the next question opens it again."""
        self._segments.close()

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

    def folders(self) -> list[Folder]:
        """The folders that were added, by path."""
        with closing(schema.connect(self.directory)) as connection:
            return folders.folders(connection)

    def removed(self) -> list[Removed]:
        """Documents that were taken out and not asked for since, by path."""
        with closing(schema.connect(self.directory)) as connection:
            return folders.removed(connection)

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
        check_embedder(fingerprint, self._embedder)
        if stored not in (None, self._embedder.dimensions):
            raise EmbedderError("this library's vectors are of another length than its embedder's", "make them anew with `octavo reembed`")
        return self._embedder


def check_embedder(fingerprint: str | None, embedder: Embedder) -> None:
    if fingerprint not in (None, embedder.fingerprint):
        raise EmbedderError(
            f"this library's vectors were made by {fingerprint}, not by {embedder.fingerprint}",
            "use that embedder (OCTAVO_EMBEDDER), or make its vectors anew with `octavo reembed`",
        )
