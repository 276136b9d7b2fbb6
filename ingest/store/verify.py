"""Does the library say what it should? Disk, SQLite and index compared, and the index made again where it doesn't.

The index is opened in a child process, never here: a damaged HNSW file can end the process that reads it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest.index import build, read
from ingest.store import rows
from ingest.store.paths import file_of, is_as_read
from ingest.store.schema import transaction


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found. Problems are damage; notes are work left undone, and files that changed on disk."""

    ok: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    documents: int
    chunks: int
    repaired: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `octavo verify --json`."""
        return asdict(self)


def verify(directory: Path, connection: sqlite3.Connection, mend: Callable[[], None] | None) -> VerifyReport:
    """Checks everything and, with `mend` (which embeds what has no vector), mends what SQLite can mend and checks again.

    The caller holds the library's lock.
    """
    problems = list(_problems(directory, connection))
    repaired: list[str] = []
    if mend and (problems or rows.pending_count(connection)):
        repaired = problems
        rebuild_words(connection)
        mend()
        build.publish(directory, connection, whole=True)
        problems = list(_problems(directory, connection))
    documents = rows.documents(connection)
    notes = tuple(_notes(connection))
    chunks = rows.chunk_count(connection)
    return VerifyReport(not problems, tuple(problems), notes, len(documents), chunks, tuple(repaired))


def _problems(directory: Path, connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute("pragma integrity_check"):
        if line != "ok":
            yield f"SQLite: {line}"
    for table, *_ in connection.execute("pragma foreign_key_check"):
        yield f"SQLite: a row of {table} belongs to nothing"
    yield from _content_problems(connection)
    try:
        connection.execute("insert into words (words, rank) values ('integrity-check', 1)")
        connection.execute("insert into grams (grams, rank) values ('integrity-check', 0)")
    except sqlite3.DatabaseError as error:
        yield f"words: the index differs from the chunks ({error})"
    yield from _index_problems(directory, connection)


def rebuild_words(connection: sqlite3.Connection) -> None:
    """Makes both indexes of words again; trigrams hold only the chunks that need them, so they are filled by hand."""
    with transaction(connection):
        connection.execute("insert into words (words) values ('rebuild')")
        connection.execute("insert into grams (grams) values ('delete-all')")
        connection.execute("insert into grams (rowid, text) select id, text from chunks where unspaced")


def _content_problems(connection: sqlite3.Connection) -> Iterator[str]:
    for number, *_, parsed in rows.layouts(connection):
        paths = connection.execute("select path from files where document = ?", [number]).fetchall()
        path = paths[0][0] if paths else "a document without a file"
        spans = connection.execute("select char_start, char_end, text from chunks where document = ?", [number]).fetchall()
        if not paths or not spans:
            yield f"SQLite: {path} has no chunks" if paths else "SQLite: a document belongs to no file"
        if any(parsed.text[start:end] != chunk for start, end, chunk in spans):
            yield f"SQLite: chunks of {path} differ from its text"


def _index_problems(directory: Path, connection: sqlite3.Connection) -> Iterator[str]:
    found = rows.generation(connection)
    if not build.is_current(connection):
        yield "index: it lags behind the library (an ingest was interrupted)"
    elif found:
        path = read.path_of(directory, found[0])
        problem = build.run_child("check", directory, path, "1000") if path.is_dir() else "its directory is missing"
        if problem:
            yield f"index: {problem}"


def _notes(connection: sqlite3.Connection) -> Iterator[str]:
    if waiting := rows.pending_count(connection):
        yield f"{waiting} chunks wait for their vectors (an ingest was interrupted): found by their words meanwhile"
    for path, known in sorted(rows.known(connection).items()):
        if known.document is None or not known.stamp:
            continue
        try:
            changed = not is_as_read(file_of(path), known.stamp, known.sha256) or known.reason
        except OSError:
            yield f"{path} is gone from the disk"
            continue
        if changed:
            yield f"{path} has changed since it was read"
