"""The one truth: a SQLite file with each document's text, its chunks, their words and vectors, and what each run did.

Everything else (the Chroma index) can be deleted and made again from here. WAL lets people ask while a file is being
added; one file is one transaction, so it is there whole or not at all. `secure_delete` overwrites what is removed.

Chunk numbers only grow (autoincrement) and a chunk never changes, so "the index is current" is two numbers: the highest
chunk it holds and how many it holds.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.errors import LibraryError
from ingest.records import Chunk, Document
from ingest.settings import DATABASE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIRST = """
create table facts (name text primary key, value text not null) without rowid;
create table documents (
    id integer primary key, path text not null unique, stamp text not null, sha256 text not null, text text not null,
    chars integer not null, pages integer, added text not null
);
create table chunks (
    id integer primary key autoincrement, key text not null unique,
    document integer not null references documents on delete cascade,
    char_start integer not null, char_end integer not null, page_start integer, page_end integer,
    heading text not null, text text not null
);
create index chunks_by_document on chunks (document);
create table vectors (chunk integer primary key references chunks on delete cascade, vector blob not null);
create virtual table words using fts5 (text, content='chunks', content_rowid='id', tokenize='porter unicode61');
create virtual table terms using fts5vocab (words, 'row');
create trigger chunk_added after insert on chunks begin
    insert into words (rowid, text) values (new.id, new.text);
end;
create trigger chunk_removed after delete on chunks begin
    insert into words (words, rowid, text) values ('delete', old.id, old.text);
end;
create table generations (
    number integer primary key, last_chunk integer not null, chunks integer not null, published text not null
);
create table receipts (id integer primary key, finished text not null, receipt text not null);
"""
MIGRATIONS = [_FIRST]
"""Each brings a library from version i to i + 1. Never edit one that has shipped: append."""


def is_current(directory: Path) -> bool:
    """Whether there is a library whose schema is this Octavo's (or a newer one's, which `connect` refuses)."""
    if not (directory / DATABASE).is_file():
        return False
    try:
        with closing(sqlite3.connect(directory / DATABASE)) as connection:
            return bool(connection.execute("pragma user_version").fetchone()[0] >= len(MIGRATIONS))
    except sqlite3.Error:
        return True  # damaged: for `connect` to tell


def connect(directory: Path, write: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode. A writer's creates the file and brings its schema up to date.

    Raises:
        LibraryError: the file is absent or damaged, or was written by another version of Octavo.
    """
    path = directory / DATABASE
    if not write and not path.is_file():
        raise LibraryError(f"no library at {directory}", "make one with `octavo ingest FOLDER`")
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    except sqlite3.Error as error:
        raise LibraryError(f"{path} can't be opened: {error}", "is it yours to read and write?") from error
    try:
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma secure_delete = on")
        if write:
            connection.execute("pragma journal_mode = wal")
        version = connection.execute("pragma user_version").fetchone()[0]
        for number in range(version, len(MIGRATIONS) if write else 0):
            connection.executescript(f"begin immediate; {MIGRATIONS[number]} pragma user_version = {number + 1}; commit")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise LibraryError(f"{path} can't be read: {error}", "restore it from a backup, or ingest anew") from error
    if version > len(MIGRATIONS):
        connection.close()
        raise LibraryError(f"{path} was written by a newer Octavo (version {version})", "upgrade Octavo")
    if version < len(MIGRATIONS) and not write:
        connection.close()
        raise LibraryError(f"{path} was written by an older Octavo, or isn't finished", "run `octavo ingest` on its folders")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or none of it."""
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


# Facts and receipts


def fact(connection: sqlite3.Connection, name: str) -> str | None:
    """A fact about the library as a whole: `embedder`, `embedder_name`."""
    row = connection.execute("select value from facts where name = ?", [name]).fetchone()
    return row[0] if row else None


def set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("insert or replace into facts values (?, ?)", [name, value])


def add_receipt(connection: sqlite3.Connection, receipt: dict[str, Any]) -> None:
    with transaction(connection):
        connection.execute("delete from receipts where id not in (select id from receipts order by id desc limit 9)")
        connection.execute("insert into receipts (finished, receipt) values (?, ?)", [now(), json.dumps(receipt)])


def last_receipt(connection: sqlite3.Connection) -> dict[str, Any] | None:
    row = connection.execute("select finished, receipt from receipts order by id desc limit 1").fetchone()
    return {"finished": row[0], **json.loads(row[1])} if row else None


# Documents


def documents(connection: sqlite3.Connection) -> list[Document]:
    """All documents, by path."""
    query = """select path, chars, pages, (select count(*) from chunks where document = documents.id), added
               from documents order by path"""
    return [Document(*row) for row in connection.execute(query)]


class Known(NamedTuple):
    """A file as it was when it was read: stamp (size and times), SHA-256, and what came of it."""

    stamp: str
    sha256: str
    pages: int | None
    chars: int
    chunks: int


def known(connection: sqlite3.Connection) -> dict[str, Known]:
    """All documents' files, by path."""
    query = """select path, stamp, sha256, pages, chars, (select count(*) from chunks where document = documents.id)
               from documents"""
    return {path: Known(*row) for path, *row in connection.execute(query)}


def set_stamp(connection: sqlite3.Connection, path: str, stamp: str) -> None:
    """Notes that a file was touched but says what it said."""
    connection.execute("update documents set stamp = ? where path = ?", [stamp, path])


def text(connection: sqlite3.Connection, path: str) -> str | None:
    """A document's canonical text."""
    row = connection.execute("select text from documents where path = ?", [path]).fetchone()
    return row[0] if row else None


def put_document(
    connection: sqlite3.Connection,
    document: Document,
    stamp: str,
    sha256: str,
    text: str,
    chunks: Sequence[Chunk],
    vectors: "NDArray[np.float32]",
) -> None:
    """Adds a document, or replaces the one at its path, in one transaction."""
    with transaction(connection):
        connection.execute("delete from documents where path = ?", [document.path])
        row = [document.path, stamp, sha256, text, document.chars, document.pages, document.added]
        number = connection.execute(
            "insert into documents (path, stamp, sha256, text, chars, pages, added) values (?, ?, ?, ?, ?, ?, ?)", row
        ).lastrowid
        for chunk, vector in zip(chunks, vectors.astype("float16"), strict=True):
            place = [chunk.char_start, chunk.char_end, chunk.page_start, chunk.page_end, chunk.heading, chunk.text]
            added = connection.execute(
                "insert into chunks (key, document, char_start, char_end, page_start, page_end, heading, text)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                [chunk.id, number, *place],
            )
            connection.execute("insert into vectors values (?, ?)", [added.lastrowid, vector.tobytes()])


def delete_document(connection: sqlite3.Connection, path: str) -> bool:
    """Removes a document's text, chunks, words and vectors; False if there was none."""
    return connection.execute("delete from documents where path = ?", [path]).rowcount > 0


def erase_traces(connection: sqlite3.Connection) -> None:
    """Rewrites what still remembers removed text: FTS5 keeps it in old segments until a merge, the WAL until a checkpoint.

    A reader in the middle of a question holds the WAL back; whoever closes the library last then clears it.
    """
    connection.execute("insert into words (words) values ('optimize')")
    connection.execute("pragma busy_timeout = 1000")
    connection.execute("pragma wal_checkpoint(truncate)").fetchall()


# Chunks and vectors

_CHUNK = "key, path, chunks.text, char_start, char_end, page_start, page_end, heading"


def chunks_by_key(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Chunk]:
    """Chunks by id; those that are gone are left out."""
    query = f"""select {_CHUNK} from chunks join documents on documents.id = document
                where key in (select value from json_each(?))"""  # noqa: S608 (our own column names)
    return {row[0]: Chunk(*row) for row in connection.execute(query, [json.dumps(list(keys))])}


def words(connection: sqlite3.Connection, match: str, k: int, within: Iterable[str] | None) -> list[tuple[Chunk, float]]:
    """The k best chunks of an FTS5 query with their BM25, larger is better."""
    where, values = "", [match]
    if within is not None:
        where, values = "and path in (select value from json_each(?))", [match, json.dumps(list(within))]
    query = f"""select {_CHUNK}, -words.rank from words join chunks on chunks.id = words.rowid
                join documents on documents.id = document
                where words match ? {where} order by words.rank, chunks.id limit ?"""  # noqa: S608 (one of two constants)
    return [(Chunk(*row[:-1]), row[-1]) for row in connection.execute(query, [*values, k])]


def document_frequency(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """In how many chunks each term stands, after FTS5's own folding and stemming."""
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute("create virtual table word using fts5 (text, tokenize='porter unicode61')")
        scratch.execute("create virtual table stem using fts5vocab (word, 'instance')")
        scratch.executemany("insert into word (rowid, text) values (?, ?)", enumerate(terms))
        stems = scratch.execute("select doc, term from stem").fetchall()
    found = dict.fromkeys(terms, 0)
    for index, stem in stems:
        row = connection.execute("select doc from terms where term = ?", [stem]).fetchone()
        found[terms[index]] = max(found[terms[index]], row[0] if row else 0)
    return found


def holding(connection: sqlite3.Connection, terms: Sequence[str], keys: Sequence[str]) -> dict[str, set[str]]:
    """Which of the terms stand in each of these chunks, after FTS5's own folding and stemming."""
    numbers = dict(connection.execute("select id, key from chunks where key in (select value from json_each(?))", [json.dumps(list(keys))]))
    found: dict[str, set[str]] = {key: set() for key in keys}
    for term in terms:
        query = "select rowid from words where words match ? and rowid in (select value from json_each(?))"
        for (number,) in connection.execute(query, [f'"{term}"', json.dumps(list(numbers))]):
            found[numbers[number]].add(term)
    return found


def vectors(connection: sqlite3.Connection, within: Iterable[str] | None = None, after: int = 0) -> "tuple[list[str], NDArray[np.float32]]":
    """Ids and vectors, by chunk number: all, those of some documents, or those after a chunk."""
    import numpy as np

    values: list[int | str] = [after]
    where = "chunks.id > ?"
    if within is not None:
        inside = "select documents.id from documents where path in (select value from json_each(?))"
        where = f"{where} and document in ({inside})"
        values.append(json.dumps(list(within)))
    query = f"select key, vector from chunks join vectors on chunk = chunks.id where {where} order by chunks.id"  # noqa: S608 (constants)
    rows = connection.execute(query, values).fetchall()
    matrix = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float16)
    return [key for key, _ in rows], matrix.reshape(len(rows), -1 if rows else 0).astype(np.float32)


# Generations of the index


def generation(connection: sqlite3.Connection) -> tuple[int, int, int] | None:
    """The generation in force: its number, the highest chunk it knows, and how many chunks it holds."""
    row = connection.execute("select number, last_chunk, chunks from generations order by number desc limit 1").fetchone()
    return row if row else None


def add_generation(connection: sqlite3.Connection, number: int, last_chunk: int, chunks: int) -> None:
    """Puts a published generation in force, in place of the one before."""
    with transaction(connection):
        connection.execute("delete from generations")
        connection.execute("insert into generations values (?, ?, ?, ?)", [number, last_chunk, chunks, now()])


def chunk_count(connection: sqlite3.Connection, up_to: int | None = None) -> int:
    """Chunks in the library, or those numbered up to one."""
    if up_to is None:
        return int(connection.execute("select count(*) from chunks").fetchone()[0])
    return int(connection.execute("select count(*) from chunks where id <= ?", [up_to]).fetchone()[0])


def last_chunk(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select coalesce(max(id), 0) from chunks").fetchone()[0])
