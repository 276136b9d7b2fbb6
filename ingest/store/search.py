"""The SQL of looking: chunks by id, by vector and by words.

A chunk is named by its document's first path, or, in a search within some documents, the first of those.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from ingest.records import Chunk
from ingest.store import rows
from ingest.text.scripts import is_unspaced, spaced

_INSIDE = "path in (select value from json_each(:within))"
_CHUNK = f"""key, (select min(path) from files where files.document = chunks.document and (:within is null or {_INSIDE})),
    text, char_start, char_end, page_start, page_end, heading, header"""
_WITHIN = f"in (select id from chunks where document in (select document from files where {_INSIDE}))"
VECTORS_WITHIN = f"number in (select vector from chunks where document in (select document from files where {_INSIDE}))"
"""That a vector is one of some documents' chunks."""

_REACH = 6
"""Times as many rows are ranked in all documents before those within some are ranked by themselves."""


def as_json(within: Iterable[str] | None) -> str | None:
    return None if within is None else json.dumps(list(within))


def chunks_by_key(connection: sqlite3.Connection, keys: Sequence[str], within: Iterable[str] | None = None) -> dict[str, Chunk]:
    """Chunks by id; those that are gone are left out."""
    query = f"select {_CHUNK} from chunks where key in (select value from json_each(:keys))"
    values = {"keys": json.dumps(list(keys)), "within": as_json(within)}
    return {row[0]: Chunk(*row) for row in connection.execute(query, values)}


def chunks_of(connection: sqlite3.Connection, path: str) -> list[Chunk]:
    """All chunks of a document, in its order."""
    query = f"select {_CHUNK} from chunks where document = (select document from files where path = :path) order by char_start"
    return [Chunk(*row) for row in connection.execute(query, {"path": path, "within": as_json([path])})]


def chunks_by_vector(
    connection: sqlite3.Connection, numbers: Sequence[int], limit: int, within: Iterable[str] | None = None
) -> dict[int, list[Chunk]]:
    """The chunks that have each of these vectors, up to a limit, in order; none where they were removed or lie elsewhere."""
    query = f"""with theirs as (
            select id, row_number() over (partition by vector order by id) as place from chunks
            where vector in (select value from json_each(:numbers))
            and (:within is null or document in (select document from files where {_INSIDE})))
        select vector, {_CHUNK} from theirs join chunks using (id) where place <= :limit order by vector, id"""
    found: dict[int, list[Chunk]] = {}
    for vector, *chunk in connection.execute(query, {"numbers": json.dumps(numbers), "limit": limit, "within": as_json(within)}):
        found.setdefault(vector, []).append(Chunk(*chunk))
    return found


def words(
    connection: sqlite3.Connection, terms: Sequence[str], k: int, within: Iterable[str] | None, phrases: Sequence[str] = ()
) -> list[tuple[Chunk, float]]:
    """The k best chunks that hold some of the terms and all of the phrases, with their BM25; larger is better: among the very best
    of all, where enough of these are within, else among all that are."""
    match = " AND ".join([f"({' OR '.join(map(_phrase, terms))})", *map(_phrase, phrases)])
    few = within is not None and _REACH * within_count(connection, within) < rows.chunk_count(connection)
    narrow = f"and +rowid {_WITHIN}"  # + so that FTS5 isn't asked for each document's rows in turn
    found: list[Any] = []
    for inside in [narrow] if few else ["", narrow]:
        query = f"""with best as (select rowid as number, bm25(words) as score from words
                where words match :match {inside} order by score limit :reach)
            select {_CHUNK}, -score from best join chunks on chunks.id = number
            where :within is null or document in (select document from files where {_INSIDE}) order by score, number limit :k"""
        reach = k if within is None or inside else _REACH * k
        found = connection.execute(query, {"match": match, "reach": reach, "k": k, "within": as_json(within)}).fetchall()
        if within is None or len(found) >= k:
            break
    return [(Chunk(*row[:-1]), row[-1]) for row in found]


def _phrase(term: str) -> str:
    """A term or phrase as FTS5 is asked for it: tokens in a row, as are the characters of a script without spaces."""
    return f'"{spaced(term).replace(chr(34), " ")}"'


def document_frequency(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """In how many chunks each term stands, after FTS5's own folding and stemming."""
    words = [term for term in terms if term.isalnum() and not is_unspaced(term)]
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute("create virtual table word using fts5 (text, tokenize='porter unicode61')")
        scratch.execute("create virtual table stem using fts5vocab (word, 'instance')")
        scratch.executemany("insert into word (rowid, text) values (?, ?)", enumerate(words))
        stems = scratch.execute("select doc, term from stem").fetchall()
    found = dict.fromkeys(terms, 0)
    for index, stem in stems:
        row = connection.execute("select doc from terms where term = ?", [stem]).fetchone()
        found[words[index]] = max(found[words[index]], row[0] if row else 0)
    for term in found.keys() - set(words):
        found[term] = connection.execute("select count(*) from words where words match ?", [_phrase(term)]).fetchone()[0]
    return found


def holding(connection: sqlite3.Connection, terms: Sequence[str], keys: Sequence[str]) -> dict[str, set[str]]:
    """Which of the terms stand in each of these chunks, after FTS5's own folding and stemming."""
    numbers = dict(connection.execute("select id, key from chunks where key in (select value from json_each(?))", [json.dumps(list(keys))]))
    found: dict[str, set[str]] = {key: set() for key in keys}
    among = json.dumps(list(numbers))
    query = "select rowid from words where words match ? and rowid in (select value from json_each(?))"
    for term in terms:
        for (number,) in connection.execute(query, [_phrase(term), among]):
            found[numbers[number]].add(term)
    return found


def neighbours(connection: sqlite3.Connection, chunk: Chunk) -> list[Chunk]:
    """The chunks before and behind a chunk in its document."""
    beside = f"""select {_CHUNK} from chunks
        where document = (select document from chunks where key = :key) and char_start"""
    query = f"""select * from ({beside} < :start order by char_start desc limit 1)
        union all select * from ({beside} > :start order by char_start limit 1)"""
    within = as_json([chunk.path])
    return [Chunk(*row) for row in connection.execute(query, {"key": chunk.id, "start": chunk.char_start, "within": within})]


def within_count(connection: sqlite3.Connection, within: Iterable[str]) -> int:
    """How many chunks these documents have."""
    query = f"select count(*) from chunks where document in (select document from files where {_INSIDE})"
    return int(connection.execute(query, {"within": as_json(within)}).fetchone()[0])
