"""Does the library say what it should? Disk, SQLite and index compared, and the index made again where it doesn't.

The index is opened in a child process, never here: a damaged HNSW file can end the process that reads it.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest import database, generations, index


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found. Problems are damage; notes are files that changed on disk since they were read."""

    ok: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    documents: int
    chunks: int
    repaired: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `octavo verify --json`."""
        return asdict(self)


def verify(directory: Path, connection: sqlite3.Connection, repair: bool) -> VerifyReport:
    """Checks everything, mends what SQLite can mend, and checks again. The caller holds the library's lock."""
    problems = list(_problems(directory, connection))
    repaired: list[str] = []
    if repair and problems:
        repaired = problems
        connection.execute("insert into words (words) values ('rebuild')")
        index.publish(directory, connection, whole=True)
        problems = list(_problems(directory, connection))
    documents = database.documents(connection)
    notes = tuple(_notes(connection))
    chunks = database.chunk_count(connection)
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
    except sqlite3.DatabaseError as error:
        yield f"words: the index differs from the chunks ({error})"
    yield from _index_problems(directory, connection)


def _content_problems(connection: sqlite3.Connection) -> Iterator[str]:
    bare = "select count(*) from chunks left join vectors on chunk = chunks.id where chunk is null"
    if missing := connection.execute(bare).fetchone()[0]:
        yield f"SQLite: {missing} chunks have no vector"
    for number, path, text in connection.execute("select id, path, text from documents"):
        spans = connection.execute("select char_start, char_end, text from chunks where document = ?", [number]).fetchall()
        if not spans:
            yield f"SQLite: {path} has no chunks"
        if any(text[start:end] != chunk for start, end, chunk in spans):
            yield f"SQLite: chunks of {path} differ from its text"


def _index_problems(directory: Path, connection: sqlite3.Connection) -> Iterator[str]:
    found = database.generation(connection)
    if not index.is_current(connection):
        yield "index: it lags behind the library (an ingest was interrupted)"
    elif found:
        path = generations.path_of(directory, found[0])
        problem = index.run_child("check", directory, path, "1000") if path.is_dir() else "its directory is missing"
        if problem:
            yield f"index: {problem}"


def _notes(connection: sqlite3.Connection) -> Iterator[str]:
    for path, known in sorted(database.known(connection).items()):
        try:
            status = Path(path).stat()
        except OSError:
            yield f"{path} is gone from the disk"
            continue
        if known.stamp.split(":")[:2] != [str(status.st_size), str(status.st_mtime_ns)]:
            yield f"{path} has changed since it was read"
