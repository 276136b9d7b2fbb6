"""The library: the one object that other rooms use. Here is what writes; what only looks is in reading.py."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ingest.errors import EmbedderError, LibraryError
from ingest.index import build
from ingest.reading import Reading, check_embedder
from ingest.run import pipeline
from ingest.run.pipeline import Run
from ingest.run.places import find_places
from ingest.run.plan import make_plan
from ingest.run.progress import Progress, carry_out
from ingest.run.receipt import Receipt
from ingest.settings import UPLOADS, Settings
from ingest.store import folders, rows, schema, vectors
from ingest.store.conversations import forget
from ingest.store.lock import refuse_network, writing
from ingest.store.moving import heed_move
from ingest.store.paths import below, file_of, stored_path
from ingest.store.verify import VerifyReport, verify
from ingest.text import chunking
from ingest.text.embedder import Embedder

if TYPE_CHECKING:
    from langchain_core.document_loaders import BaseLoader


class Library(Reading):
    """Documents, their words and their vectors in one directory. Use `Library.open`, and close it or use `with`."""

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
            check_embedder(fingerprint, embedder)
            return cls(directory, embedder.name, embedder)
        if made_with and "embedder" in settings.model_fields_set and settings.embedder != made_with:
            raise EmbedderError(
                f"this library was made with the embedder {made_with!r}, and OCTAVO_EMBEDDER says {settings.embedder!r}",
                "unset OCTAVO_EMBEDDER, or make its vectors anew with `octavo reembed`",
            )
        return cls(directory, made_with or settings.embedder, None)

    def add(
        self,
        paths: Sequence[str | Path],
        progress: Progress | None = None,
        exclude: Sequence[str] = (),
        passwords: Sequence[str] = (),
    ) -> Receipt:
        """Adds files, and folders with all below them; what is unchanged costs nothing, what is gone is removed.

        Interrupted (Ctrl-C, a kill), it keeps every file it finished, and the next call continues. Folders are remembered. What
        was taken out by `remove` is passed over, unless the file itself is named.

        Args:
            progress: called at each step: a file settled, some chunks embedded, or a second in which neither came.
            exclude: patterns as in .gitignore of what to leave out.
            passwords: what may open encrypted files; kept for this run alone.

        Raises:
            PathError: none of the paths is there; nothing was changed.
            LibraryBusy: another process is writing.
            EmbedderError: the library's embedder can't be loaded; nothing was changed.
        """
        with self._writing() as connection:
            run = self._run(connection, passwords)
            removed = {document.path for document in folders.removed(connection)}
            plan = make_plan(paths, rows.known(connection), exclude, removed, bool(passwords))
            roots = self._folders_at(paths)
            folders.remember(connection, roots, exclude)
            receipt = carry_out(connection, run, run.steps(plan), self._publish, progress)
            folders.note_read(connection, roots)
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

        Many at once cost little more than one: the index is built anew once. They stay out, and `removed` lists them, until one is
        added by its own path. Of an uploaded file the copy in the library goes too, and nothing is left to list.

        Raises:
            PathError: the library has nothing at one of the paths; nothing was changed.
            LibraryBusy: another process is writing.
        """
        with self._writing() as connection:
            found = below(paths, rows.known(connection))
            for name in found:
                rows.delete_file(connection, name, noted=True)
            self._publish(connection)
            forget(self.directory, found)
            uploads = [name for name in found if file_of(name).parent == self.directory / UPLOADS]
            for name in uploads:
                file_of(name).unlink(missing_ok=True)
            folders.forget_removed(connection, uploads)
        return len(found)

    def remember(self, folder: str | Path, exclude: Sequence[str] = ()) -> None:
        """Remembers a folder that is still to be added; `add` does so by itself."""
        with closing(schema.connect(self.directory)) as connection:
            folders.remember(connection, [stored_path(folder)], exclude)

    def follow(self, folder: str | Path, followed: bool) -> None:
        """Says whether the page is to follow a folder that is remembered.

        Raises:
            PathError: it isn't.
        """
        with closing(schema.connect(self.directory)) as connection:
            folders.follow(connection, stored_path(folder), followed)

    def forget_folder(self, folder: str | Path) -> None:
        """Forgets a folder that is remembered; what was read from it stays.

        Raises:
            PathError: it isn't remembered.
        """
        with closing(schema.connect(self.directory)) as connection:
            folders.forget(connection, stored_path(folder))

    def forget_removed(self, *paths: str) -> None:
        """Forgets that documents were removed, by the paths that `removed` tells; their folders' next ingest reads them again."""
        with closing(schema.connect(self.directory)) as connection:
            folders.forget_removed(connection, paths)

    def _folders_at(self, paths: Sequence[str | Path]) -> list[str]:
        """What is to be remembered of paths that were added: folders, but for the one of uploaded files."""
        found = dict.fromkeys(stored_path(path) for path in paths)
        return [name for name in found if file_of(name).is_dir() and file_of(name) != self.directory / UPLOADS]

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
                heed_move(self.directory, connection)
                yield connection
            except sqlite3.OperationalError as error:
                raise LibraryError(f"{self.directory} can't be written: {error}", schema.cure(error)) from error

    def _run(self, connection: sqlite3.Connection, passwords: Sequence[str] = ()) -> Run:
        """A run to come, once chunks are up to date that were cut in another way, or for another embedder."""
        if rows.fact(connection, "chunker") != chunking.VERSION:
            if rows.chunk_count(connection):
                pipeline.cut_again(connection, self._load_embedder().counter)
            rows.set_fact(connection, "chunker", chunking.VERSION)
        return Run(connection, self._load_embedder, Settings().parse_timeout, passwords)

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
