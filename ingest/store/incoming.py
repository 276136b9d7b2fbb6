"""Rows of a database that a stranger may have made, copied into a library of our own.

Its schema is never ours: a view may be endless, a generated column may call functions, a trigger may wait. Only plain tables
are read, each value is checked, and what can be worked out from a document's text (ids, counts, spans) is worked out again.
"""

import hashlib
import json
import sqlite3
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from ingest.errors import LibraryError
from ingest.loaders.parsed import MOST_TEXT, Parsed
from ingest.loaders.places import unpack
from ingest.settings import Settings
from ingest.store import folders, places, rows, vectors
from ingest.store.conversations import FILE as CONVERSATIONS
from ingest.store.conversations import opened
from ingest.store.paths import moved as moved_path
from ingest.store.schema import transaction
from ingest.text.chunking import Span, chunks_of
from ingest.text.embedder import DEFAULT

_TABLES = ("facts", "documents", "files", "chunks", "vectors")
_VECTORS = {2: "vectors.chunk = chunks.id", **dict.fromkeys((3, 4, 5), "vectors.number = chunks.vector")}
"""By the version of the schema, how a chunk finds its vector."""
_WITH_PLACES, _WITH_FOLDERS = 4, 5
_INTERRUPTIBLE = 100_000
"""Steps of SQLite's machine after which Ctrl-C is looked for."""


class _Refused(Exception):
    """What is wrong with it."""


def copy_rows(source: Path, connection: sqlite3.Connection, moved: tuple[str, str]) -> None:
    """Copies documents, files, chunks and vectors into a new, empty library.

    Args:
        moved: how the paths of uploaded files begin in the source, and how they do here.

    Raises:
        LibraryError: it isn't what a library's database is, or was made with an embedder that isn't set here.
    """
    try:
        with _reading(source) as theirs:
            version = _check_schema(theirs)
            _copy_facts(theirs, connection)
            files: dict[int | None, list[_File]] = {}
            for document, *texts in theirs.execute("select document, path, stamp, sha256, reason, readers from files"):
                path, *rest = map(_text, texts)
                files.setdefault(document, []).append(_File(moved_path(path, *moved), *rest))
            for row in theirs.execute("select id, sha256, loader, text, layout from documents order by id"):
                _copy_document(theirs, connection, row, files.pop(row[0], []), version)
            for file in (file for left in files.values() for file in left):
                rows.put_failure(connection, file.path, file.stamp, file.sha256, file.reason, file.readers)
            if version >= _WITH_FOLDERS:
                _copy_folders(theirs, connection)
    except _Refused as error:
        raise LibraryError(f"its database is no library's: {error}", "`octavo export FILE` makes one") from error
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            raise KeyboardInterrupt from None
        raise LibraryError(f"its database can't be copied: {error}", "is there room on the disk? If so, the file is damaged") from error


def copy_conversations(source: Path, directory: Path, moved: tuple[str, str]) -> None:
    """Copies what was asked and answered into a new library; what was being answered is cut.

    Args:
        moved: as for `copy_rows`.

    Raises:
        LibraryError: it isn't what a library's conversations are.
    """
    try:
        with _reading(source) as theirs, opened(directory / CONVERSATIONS) as connection, transaction(connection):
            _check_tables(theirs, ("conversations", "turns"))
            for number, *texts in theirs.execute("select id, owner, title, changed from conversations"):
                connection.execute("insert into conversations values (?, ?, ?, ?)", (int(number), *map(_text, texts)))
            for number, conversation, *texts in theirs.execute(
                "select id, conversation, question, within, answer, state, asked from turns"
            ):
                question, within, answer, state, asked = map(_text, texts)
                turn = (question, _paths(within, moved), _answer(answer, moved), "cut" if state == "asking" else state, 0, asked)
                connection.execute("insert into turns values (?, ?, ?, ?, ?, ?, ?, ?)", (int(number), int(conversation), *turn))
    except (_Refused, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LibraryError(f"its conversations can't be read: {error}", "`octavo export FILE` makes them") from error
    except sqlite3.Error as error:
        raise LibraryError(f"its conversations can't be copied: {error}", "is there room on the disk? If so, they are damaged") from error


def _paths(within: str, moved: tuple[str, str]) -> str:
    return json.dumps([moved_path(_text(path), *moved) for path in list(json.loads(within))], ensure_ascii=False)


def _answer(stored: str, moved: tuple[str, str]) -> str:
    """An answer, its sources and their boxes each of their kind: the page gives them places."""
    answer = dict(json.loads(stored))
    for source in [*answer.get("citations", ()), *answer.get("nearest", ())]:
        source["path"] = moved_path(_text(source["path"]), *moved)
        if not all(isinstance(source[name], kind) for name, kind in (("marker", int), ("name", str), ("text", str), ("quote", list))):
            raise _Refused("a source is none")
        if not all(isinstance(place, int | float) for box in source["boxes"] for place in box.values()):
            raise _Refused("a box is none")
    return json.dumps(answer, ensure_ascii=False)


class _File(NamedTuple):
    path: str
    stamp: str
    sha256: str
    reason: str
    readers: str


@contextmanager
def _reading(source: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro&immutable=1", uri=True)) as connection:
        for pragma in ("trusted_schema = off", "query_only = on", "cell_size_check = on"):
            connection.execute(f"pragma {pragma}")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * MOST_TEXT)
        connection.set_progress_handler(lambda: 0, _INTERRUPTIBLE)
        yield connection


def _check_schema(theirs: sqlite3.Connection) -> int:
    version = theirs.execute("pragma user_version").fetchone()[0]
    if version not in _VECTORS:
        raise _Refused(f"version {version} can't be taken over")
    newer = ["places"] * (version >= _WITH_PLACES) + ["folders", "removed"] * (version >= _WITH_FOLDERS)
    _check_tables(theirs, [*_TABLES, *newer])
    return int(version)


def _check_tables(theirs: sqlite3.Connection, names: Sequence[str]) -> None:
    for name in names:
        found = theirs.execute("select type, sql from sqlite_master where name = ?", [name]).fetchall()
        hidden = [column[6] for column in theirs.execute(f"pragma table_xinfo({name})")]
        if len(found) != 1 or found[0][0] != "table" or "virtual" in str(found[0][1])[:20].lower() or any(hidden):
            raise _Refused(f"{name} is no plain table")


def _copy_facts(theirs: sqlite3.Connection, connection: sqlite3.Connection) -> None:
    facts = {name: _text(value, 4096) for name, value in theirs.execute("select name, value from facts limit 100")}
    name = facts.get("embedder_name")
    if name not in (None, DEFAULT, Settings().embedder):
        raise LibraryError(
            f"its vectors were made by the embedder {name!r}, which is not set here",
            "set OCTAVO_EMBEDDER to it if you trust it, and import again",
        )
    for fact in ("embedder_name", "embedder", "chunker"):
        rows.set_fact(connection, fact, facts.get(fact))


def _copy_folders(theirs: sqlite3.Connection, connection: sqlite3.Connection) -> None:
    """Copies which folders were added and what was taken out. None of them is followed: a stranger may have named it."""
    for path, exclude in theirs.execute("select path, exclude from folders"):
        try:
            patterns = [_text(pattern, 4096) for pattern in list(json.loads(_text(exclude)))]
        except (ValueError, TypeError, RecursionError) as error:
            raise _Refused("a folder is none") from error
        folders.remember(connection, [_text(path, 4096)], patterns)
    for (path,) in theirs.execute("select path from removed where path not in (select path from files)"):
        folders.note_removed(connection, [_text(path, 4096)])


def _copy_document(
    theirs: sqlite3.Connection, connection: sqlite3.Connection, row: tuple[Any, ...], files: list[_File], version: int
) -> None:
    """Copies a document with its files, chunks and vectors."""
    old, sha256, loader, text, layout = row
    parsed = _parsed(_text(text), layout)
    if version >= _WITH_PLACES:
        parsed = replace(parsed, places=_places(theirs, old, parsed))
    query = f"""select char_start, char_end, heading, header, vectors.vector from chunks
        left join vectors on {_VECTORS[version]} where document = ? order by char_start, char_end"""
    spans, blobs = [], []
    for start, end, heading, header, blob in theirs.execute(query, [old]):
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(parsed.text)):
            raise _Refused("a chunk lies outside its document")
        spans.append(Span(start, end, _text(heading), _text(header)))
        blobs.append(blob)
    for file in files:
        number = rows.document_id(connection, sha256, loader)
        if number is None:
            chunks = chunks_of(file.path, _text(sha256), _text(loader), parsed, spans)
            number = rows.put_document(connection, file.path, file.stamp, sha256, loader, file.readers, parsed, chunks)
            _put_vectors(connection, number, blobs)
        else:
            rows.link_file(connection, file.path, file.stamp, sha256, number, file.readers)
        if file.reason:
            rows.put_failure(connection, file.path, file.stamp, file.sha256, file.reason, file.readers)


def _places(theirs: sqlite3.Connection, document: int, parsed: Parsed) -> list[str]:
    """A document's places, page by page, each of them read."""
    found = theirs.execute("select page, start, runs from places where document = ? order by page", [document]).fetchall()
    if not found:
        return []
    if [(start, page) for page, start, _ in found] != [tuple(page) for page in parsed.pages or []]:
        raise _Refused("its places are another document's")
    for (*_, runs), text in zip(found, places.page_texts(parsed), strict=True):
        if not isinstance(runs, bytes):
            raise _Refused("its places are none")
        try:
            if runs:
                unpack(runs, text)
        except ValueError as error:
            raise _Refused("its places can't be read") from error
    return [b64encode(runs).decode() for *_, runs in found]


def _put_vectors(connection: sqlite3.Connection, document: int, blobs: list[Any]) -> None:
    """Gives a document's chunks their vectors, equal texts the same one. What is no vector waits for the embedder."""
    import numpy as np

    alike: dict[bytes, list[int]] = {}
    blob_of: dict[bytes, bytes] = {}
    query = "select id, header, text from chunks where document = ? order by char_start, char_end"
    for (chunk, header, text), blob in zip(connection.execute(query, [document]).fetchall(), blobs, strict=True):
        if isinstance(blob, bytes) and blob and len(blob) % 2 == 0 and np.isfinite(np.frombuffer(blob, np.float16)).all():
            digest = hashlib.sha256(f"{header}\0{text}".encode()).digest()[:15]  # shorter than a digest of tokens: never taken for one
            alike.setdefault(digest, []).append(chunk)
            blob_of.setdefault(digest, blob)
    new = vectors.share(connection, alike)
    matrix = [np.frombuffer(blob_of[vector.digest], np.float16) for vector in new]
    if len({len(row) for row in matrix} | {vectors.dimensions(connection) or 0} - {0}) > 1:
        raise _Refused("its vectors are of several lengths")
    if new:
        vectors.put(connection, new, np.stack(matrix).astype(np.float32))


def _text(value: Any, most: int = MOST_TEXT) -> str:
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise _Refused("a text is none, or too long")
    return value


_SHAPES: dict[str, tuple[type, ...]] = {"pages": (int, int), "headings": (int, int, str)}


def _parsed(text: str, layout: Any) -> Parsed:
    """A document's text and what its loader told, each value of its kind."""
    try:
        told = dict(json.loads(_text(layout)))
        fields: dict[str, Any] = {name: told[name] for name in Parsed.__slots__ if name in told and name not in ("text", "places")}
        for name, values in fields.items():
            shape = _SHAPES.get(name, (str,) if name == "notes" else (int,))
            for value in [] if name == "pages" and values is None else values:
                parts = value if name in _SHAPES else [value]
                if len(parts) != len(shape) or not all(type(part) is kind for part, kind in zip(parts, shape, strict=True)):
                    raise _Refused(f"its {name} are none")
        return Parsed(text, **fields)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _Refused("what a loader told can't be read") from error
