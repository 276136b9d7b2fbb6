"""What the library writes into SQLite and reads back: facts, receipts, files, documents, chunks."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from ingest.loaders.parsed import Parsed
from ingest.records import Chunk, Document
from ingest.store import failpoints, folders, places
from ingest.store.schema import now, transaction
from ingest.text.scripts import is_unspaced

# Facts and receipts


def fact(connection: sqlite3.Connection, name: str) -> str | None:
    """A fact about the library as a whole: `embedder`, `embedder_name`, `chunker`, `progress`, `traces`, `directory`."""
    row = connection.execute("select value from facts where name = ?", [name]).fetchone()
    return row[0] if row else None


def set_fact(connection: sqlite3.Connection, name: str, value: str | None) -> None:
    if value is None:
        connection.execute("delete from facts where name = ?", [name])
    else:
        connection.execute("insert or replace into facts values (?, ?)", [name, value])


def add_receipt(connection: sqlite3.Connection, receipt: dict[str, Any]) -> None:
    with transaction(connection):
        connection.execute("delete from receipts where id not in (select id from receipts order by id desc limit 9)")
        connection.execute("insert into receipts (finished, receipt) values (?, ?)", [now(), json.dumps(receipt)])
        failpoints.reach("receipt: in the transaction")
    failpoints.reach("receipt: committed")


def last_receipt(connection: sqlite3.Connection) -> dict[str, Any] | None:
    row = connection.execute("select finished, receipt from receipts order by id desc limit 1").fetchone()
    return {"finished": row[0], **json.loads(row[1])} if row else None


# Files and documents


class Known(NamedTuple):
    """A file as it was when it was last looked at, and what came of it.

    `stamp` is its size and times; `document` the id of its text, None where reading failed; `reason` why reading failed
    last; `readers` what could be read then (see `loaders.readers`); the rest counts its document.
    """

    stamp: str
    sha256: str
    document: int | None
    reason: str
    readers: str
    pages: int | None
    ocr_pages: int
    empty_pages: int
    unread_pages: int
    chars: int
    chunks: int
    notes: str


_UNREAD = "coalesce(json_array_length(layout, '$.scanned'), 0)"
_CHUNKS = "(select count(*) from chunks where chunks.document = files.document)"
_COUNTS = f"""pages, coalesce(json_array_length(layout, '$.ocr'), 0), coalesce(json_array_length(layout, '$.empty'), 0), {_UNREAD},
    coalesce(chars, 0), {_CHUNKS}, coalesce(json_extract(layout, '$.notes'), '[]')"""
_FILES = "from files left join documents on documents.id = files.document"


def known(connection: sqlite3.Connection, path: str | None = None) -> dict[str, Known]:
    """All files that were ever read or tried, by path; or one."""
    query = f"select path, stamp, files.sha256, document, reason, readers, {_COUNTS} {_FILES}"
    found = connection.execute(query) if path is None else connection.execute(f"{query} where path = ?", [path])
    return {path: Known(*row) for path, *row in found}


def documents(connection: sqlite3.Connection) -> list[Document]:
    """All files that gave text, by path."""
    query = f"select path, chars, pages, {_CHUNKS}, added, {_UNREAD} {_FILES} where document is not null order by path"
    return [Document(*row) for row in connection.execute(query)]


def failures(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Path and reason of all files that couldn't be read."""
    return connection.execute("select path, reason from files where document is null order by path").fetchall()


def paths(connection: sqlite3.Connection) -> list[str]:
    """Those of all files that gave text."""
    return [path for (path,) in connection.execute("select path from files where document is not null")]


def paths_of(connection: sqlite3.Connection, document: int) -> list[str]:
    """Those of a document's files."""
    return [path for (path,) in connection.execute("select path from files where document = ? order by path", [document])]


def totals(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Of all files that gave text: how many, their characters, and their pages that nothing has read."""
    query = f"select count(*), coalesce(sum(chars), 0), coalesce(sum({_UNREAD}), 0) {_FILES} where document is not null"
    documents, chars, unread = connection.execute(query).fetchone()
    return documents, chars, unread


def parsed(connection: sqlite3.Connection, path: str) -> Parsed | None:
    """A document's canonical text, and what its loader told of it."""
    row = connection.execute(f"select text, layout {_FILES} where path = ?", [path]).fetchone()
    return Parsed(row[0], **json.loads(row[1])) if row and row[0] is not None else None


def openings(connection: sqlite3.Connection, chars: int, within: str | None = None) -> dict[str, str]:
    """The first characters of each document's text, by path; of those whose paths are in a JSON list, where one is given."""
    query = f"""select path, substr(text, 1, :chars) {_FILES} where document is not null
        and (:within is null or path in (select value from json_each(:within))) order by path"""
    return dict(connection.execute(query, {"chars": chars, "within": within}).fetchall())


def layouts(connection: sqlite3.Connection) -> Iterator[tuple[int, str, str, Parsed]]:
    """Each document's id, hash and loader, and its text with all that its loader told."""
    numbers = [number for (number,) in connection.execute("select id from documents order by id").fetchall()]
    for number in numbers:
        sha256, loader, text, layout = connection.execute(
            "select sha256, loader, text, layout from documents where id = ?", [number]
        ).fetchone()
        yield number, sha256, loader, Parsed(text, **json.loads(layout))


def document_id(connection: sqlite3.Connection, sha256: str, loader: str) -> int | None:
    """The document that these bytes gave when this loader read them."""
    row = connection.execute("select id from documents where sha256 = ? and loader = ?", [sha256, loader]).fetchone()
    return row[0] if row else None


def unread_pages(connection: sqlite3.Connection, document: int) -> int:
    """Pages of a document that are pictures which nothing has read."""
    return int(connection.execute(f"select {_UNREAD} from documents where id = ?", [document]).fetchone()[0])


def touch(connection: sqlite3.Connection, path: str, stamp: str) -> None:
    """Notes that a file was touched but says what it said."""
    connection.execute("update files set stamp = ? where path = ?", [stamp, path])


def put_document(
    connection: sqlite3.Connection,
    path: str,
    stamp: str,
    sha256: str,
    loader: str,
    readers: str,
    parsed: Parsed,
    chunks: Sequence[Chunk],
) -> int:
    """Gives a file its text, chunks and places, without vectors yet, in one transaction; what it said before goes.

    Returns:
        The document's number.
    """
    layout = {name: value for name, value in asdict(parsed).items() if name != "places"}
    row = [sha256, loader, layout.pop("text"), len(parsed.text), len(parsed.pages) if parsed.pages else None, json.dumps(layout), now()]
    with transaction(connection):
        number = document_id(connection, sha256, loader)
        if number is None:
            number = connection.execute(
                "insert into documents (sha256, loader, text, chars, pages, layout, added) values (?, ?, ?, ?, ?, ?, ?)", row
            ).lastrowid
        else:
            connection.execute(
                "update documents set text = ?, chars = ?, pages = ?, layout = ?, added = ? where id = ?", [*row[2:], number]
            )
        failpoints.reach("file: text written")
        assert number is not None
        put_chunks(connection, number, chunks)
        places.put(connection, number, parsed)
        failpoints.reach("file: places written")
        _link(connection, path, stamp, sha256, number, readers)
        failpoints.reach("file: before its commit")
    failpoints.reach("file: committed")
    return number


def put_chunks(connection: sqlite3.Connection, document: int, chunks: Sequence[Chunk]) -> None:
    """Replaces a document's chunks, within the caller's transaction."""
    connection.execute("delete from chunks where document = ?", [document])
    failpoints.reach("file: old chunks gone")
    connection.executemany(
        "insert into chunks (key, document, char_start, char_end, page_start, page_end, heading, header, text, spaced)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, iif(?, spaced(?9), null))",
        [
            (c.id, document, c.char_start, c.char_end, c.page_start, c.page_end, c.heading, c.header, c.text, is_unspaced(c.text))
            for c in chunks
        ],
    )
    failpoints.reach("file: chunks written")


def link_file(connection: sqlite3.Connection, path: str, stamp: str, sha256: str, document: int, readers: str) -> None:
    """Gives a file the document that the same bytes gave elsewhere."""
    with transaction(connection):
        _link(connection, path, stamp, sha256, document, readers)
        failpoints.reach("link: before its commit")
    failpoints.reach("link: committed")


def _link(connection: sqlite3.Connection, path: str, stamp: str, sha256: str, document: int, readers: str) -> None:
    before = connection.execute("select document from files where path = ?", [path]).fetchone()
    connection.execute("insert or replace into files values (?, ?, ?, ?, '', ?)", [path, stamp, sha256, document, readers])
    if before and before[0] not in (None, document):
        _drop_unused(connection, before[0])


def put_failure(connection: sqlite3.Connection, path: str, stamp: str, sha256: str, reason: str, readers: str) -> None:
    """Remembers why a file gave no text, so that it isn't tried again unchanged; text read from it earlier stays."""
    connection.execute(
        "insert into files values (?, ?, ?, null, ?, ?) on conflict (path) do update set"
        " stamp = excluded.stamp, sha256 = excluded.sha256, reason = excluded.reason, readers = excluded.readers",
        [path, stamp, sha256, reason, readers],
    )
    failpoints.reach("failure: noted")


def delete_file(connection: sqlite3.Connection, path: str, noted: bool = False) -> None:
    """Forgets a file and, if no other path has the same bytes, its text, chunks, words and vectors.

    `noted` in the same transaction as taken out, so that its folder's next ingest passes over it.
    """
    with transaction(connection):
        if noted:
            folders.note_removed(connection, [path])
        row = connection.execute("select document from files where path = ?", [path]).fetchone()
        connection.execute("delete from files where path = ?", [path])
        failpoints.reach("remove: file forgotten")
        if row and row[0] is not None:
            _drop_unused(connection, row[0])
        failpoints.reach("remove: before its commit")
    failpoints.reach("remove: committed")


def _drop_unused(connection: sqlite3.Connection, document: int) -> None:
    """Notes in the same transaction that traces of it are left, so that a run which is killed now leaves them to the next."""
    query = "delete from documents where id = ?1 and not exists (select 1 from files where document = ?1)"
    if connection.execute(query, [document]).rowcount:
        set_fact(connection, "traces", "left")


def erase_traces(connection: sqlite3.Connection) -> None:
    """Rewrites what still remembers removed text: FTS5 keeps it in old segments until a merge, the WAL until a checkpoint.

    A reader in the middle of a question holds the WAL back; whoever closes the library last then clears it.
    """
    connection.execute("insert into words (words) values ('optimize')")
    failpoints.reach("erase: words merged")
    connection.execute("pragma busy_timeout = 1000")
    connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    failpoints.reach("erase: log cleared")
    set_fact(connection, "traces", None)


def chunk_count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from chunks").fetchone()[0])


def last_chunk(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select coalesce(max(id), 0) from chunks").fetchone()[0])
