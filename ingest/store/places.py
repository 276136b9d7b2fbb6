"""Where the words of documents stand on their pages, as the library keeps it, and the boxes of a span of characters."""

import json
import sqlite3
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress

from ingest.loaders import WITH_OCR
from ingest.loaders.parsed import Parsed
from ingest.records import Box


def put(connection: sqlite3.Connection, document: int, parsed: Parsed) -> None:
    """Replaces a document's places, within the caller's transaction."""
    connection.execute("delete from places where document = ?", [document])
    pages = zip(parsed.pages or [], parsed.places, strict=False)
    rows = [(document, number, start, b64decode(packed)) for (start, number), packed in pages]
    connection.executemany("insert into places (document, page, start, runs) values (?, ?, ?, ?)", rows)


def boxes(connection: sqlite3.Connection, path: str, start: int, end: int) -> list[Box]:
    """The rectangles of a file's characters; none where nothing is known of them, or what is kept is damaged (`verify` tells)."""
    from ingest.loaders.places import unpack  # it takes numpy, without which a library is opened sooner
    from ingest.text.boxes import boxes_of

    row = connection.execute(
        "select document, chars from files join documents on documents.id = document where path = ?", [path]
    ).fetchone()
    if row is None:
        return []
    document, chars = row
    starts = connection.execute("select start, page from places where document = ? order by page", [document]).fetchall()
    found: list[Box] = []
    for (first, page), (stop, _) in zip(starts, [*starts[1:], (chars, 0)], strict=False):
        if first < end and stop > start:
            query = "select runs, substr(text, ?, ?) from places join documents on documents.id = document where document = ? and page = ?"
            runs, text = connection.execute(query, [first + 1, stop - first, document, page]).fetchone()
            with suppress(ValueError):
                found += boxes_of(unpack(runs, text), text, start - first, end - first, page) if runs else []
    return found


def damaged(connection: sqlite3.Connection, document: int, parsed: Parsed) -> bool:
    """Whether a document's places can't be read, or are another text's."""
    from ingest.loaders.places import unpack

    query = "select page, start, runs from places where document = ? order by page"
    rows = connection.execute(query, [document]).fetchall()
    if rows and [(start, page) for page, start, _ in rows] != [(start, page) for start, page in parsed.pages or []]:
        return True
    try:
        for runs, text in zip((runs for *_, runs in rows), page_texts(parsed), strict=False):
            if runs:
                unpack(runs, text)
    except ValueError:
        return True
    return False


def page_texts(parsed: Parsed) -> Sequence[str]:
    """The text of each page."""
    starts = [start for start, _ in parsed.pages or []]
    return [parsed.text[a:b] for a, b in zip(starts, [*starts[1:], len(parsed.text)], strict=False)]


def missing(connection: sqlite3.Connection) -> list[int]:
    """Documents with pages that were read before places were kept."""
    query = """select id from documents where pages is not null and loader in (select value from json_each(?))
        and not exists (select 1 from places where places.document = documents.id) order by id"""
    return [document for (document,) in connection.execute(query, [json.dumps(sorted(WITH_OCR))]).fetchall()]


def forget(connection: sqlite3.Connection, document: int) -> None:
    connection.execute("delete from places where document = ?", [document])
