"""Does the library say what it should? Disk, SQLite and index compared, and the index made again where it doesn't.

The index is opened in a child process, never here: a damaged HNSW file can end the process that reads it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest.index import build
from ingest.store import conversations, places, rows, vectors
from ingest.store.paths import file_of, is_as_read


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


Mend = tuple[Callable[[], list[str]], Callable[[], None]]
"""What reads documents again whose words have no places, and returns their paths; what embeds chunks that have no vector."""


def verify(directory: Path, connection: sqlite3.Connection, mend: Mend | None) -> VerifyReport:
    """Checks everything and, with `mend`, mends what SQLite and unchanged files can mend and checks again.

    The caller holds the library's lock.
    """
    problems = list(_problems(directory, connection))
    repaired: list[str] = []
    if mend:
        find_places, embed = mend
        repaired = [f"places: {path} was read again" for path in find_places()]
    if mend and (problems or vectors.pending_count(connection)):
        repaired = problems + repaired
        connection.execute("insert into words (words) values ('rebuild')")
        embed()
        build.publish(directory, connection, whole=True)
        if conversations.damage(directory):
            conversations.put_aside(directory)
        problems = list(_problems(directory, connection))
    documents = rows.documents(connection)
    notes = tuple(_notes(directory, connection))
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
    except sqlite3.DatabaseError as error:
        yield f"words: the index differs from the chunks ({error})"
    yield from _index_problems(directory, connection)
    if trouble := conversations.damage(directory):
        yield trouble


def _content_problems(connection: sqlite3.Connection) -> Iterator[str]:
    for number, *_, parsed in rows.layouts(connection):
        paths = connection.execute("select path from files where document = ?", [number]).fetchall()
        path = paths[0][0] if paths else "a document without a file"
        spans = connection.execute("select char_start, char_end, text from chunks where document = ?", [number]).fetchall()
        if not paths or not spans:
            yield f"SQLite: {path} has no chunks" if paths else "SQLite: a document belongs to no file"
        if any(parsed.text[start:end] != chunk for start, end, chunk in spans):
            yield f"SQLite: chunks of {path} differ from its text"
        if places.damaged(connection, number, parsed):
            yield f"SQLite: the places of the words of {path} can't be read"


def _index_problems(directory: Path, connection: sqlite3.Connection) -> Iterator[str]:
    lost = build.lost(directory, connection)
    if lost:
        yield "index: its directory is missing" if len(lost) == len(vectors.segments(connection)) else "index: a part of it is missing"
    elif not build.is_current(directory, connection):
        yield "index: it lags behind the library (an ingest was interrupted)"
    elif problem := build.run_child("check", directory, directory, "1000"):
        yield f"index: {problem}"


def _notes(directory: Path, connection: sqlite3.Connection) -> Iterator[str]:
    if trouble := build.trouble(directory, connection):
        yield trouble
    if waiting := vectors.pending_count(connection):
        yield f"{waiting} chunks wait for their vectors (an ingest was interrupted): found by their words meanwhile"
    if lacking := len(places.missing(connection)):
        yield f"{lacking} documents were read before their words' places were kept: `octavo verify --repair` reads those that are there"
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
