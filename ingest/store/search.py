"""The SQL of looking: chunks by id, by words and trigrams, and vectors for exact search.

A chunk is named by its document's first path, or, in a search within some documents, the first of those.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ingest.records import Chunk
from ingest.store import rows
from ingest.text.scripts import is_unspaced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INSIDE = "path in (select value from json_each(:within))"
_CHUNK = f"""key, (select min(path) from files where files.document = chunks.document and (:within is null or {_INSIDE})),
    text, char_start, char_end, page_start, page_end, heading, header"""
_WITHIN = f"in (select id from chunks where document in (select document from files where {_INSIDE}))"

_REACH = 6
"""Times as many rows are ranked in all documents before those within some are ranked by themselves."""


def _paths(within: Iterable[str] | None) -> str | None:
    return None if within is None else json.dumps(list(within))


def chunks_by_key(connection: sqlite3.Connection, keys: Sequence[str], within: Iterable[str] | None = None) -> dict[str, Chunk]:
    """Chunks by id; those that are gone are left out."""
    query = f"select {_CHUNK} from chunks where key in (select value from json_each(:keys))"
    values = {"keys": json.dumps(list(keys)), "within": _paths(within)}
    return {row[0]: Chunk(*row) for row in connection.execute(query, values)}


def words(connection: sqlite3.Connection, terms: Sequence[str], k: int, within: Iterable[str] | None) -> list[tuple[Chunk, float]]:
    """The k best chunks that hold some of the terms, with their BM25; larger is better.

    Terms of scripts without spaces are looked up as trigrams; those too short for that don't rank.
    """
    spaced = [term for term in terms if not is_unspaced(term)]
    unspaced = [term for term in terms if is_unspaced(term) and len(term) > 2]
    scores: dict[str, float] = {}
    found: dict[str, Chunk] = {}
    few = within is not None and _REACH * within_count(connection, within) < rows.chunk_count(connection)
    for table, of_table in (("words", spaced), ("grams", unspaced)):
        for row in _ranked(connection, table, of_table, k, _paths(within), few) if of_table else []:
            found[row[0]] = Chunk(*row[:-1])
            scores[row[0]] = scores.get(row[0], 0.0) + row[-1]
    best = sorted(scores, key=lambda key: -scores[key])[:k]
    return [(found[key], scores[key]) for key in best]


def _ranked(connection: sqlite3.Connection, table: str, terms: Sequence[str], k: int, within: str | None, few: bool) -> list[Any]:
    """The k best rows of an FTS5 table: among its very best, where enough of these are within, else among all that are.

    Args:
        few: so little lies within that enough of the very best can't be expected to.
    """
    match = " OR ".join(f'"{term}"' for term in terms)
    rows: list[Any] = []
    narrow = f"and +rowid {_WITHIN}"  # + so that FTS5 isn't asked for each document's rows in turn
    for inside in [narrow] if few else ["", narrow]:
        query = f"""with best as (select rowid as number, bm25({table}) as score from {table}
                where {table} match :match {inside} order by score limit :reach)
            select {_CHUNK}, -score from best join chunks on chunks.id = number
            where :within is null or document in (select document from files where {_INSIDE}) order by score, number limit :k"""
        reach = k if within is None or inside else _REACH * k
        rows = connection.execute(query, {"match": match, "reach": reach, "k": k, "within": within}).fetchall()
        if within is None or len(rows) >= k:
            break
    return rows


def document_frequency(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """In how many chunks each term stands, after FTS5's own folding and stemming."""
    spaced = [term for term in terms if not is_unspaced(term)]
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute("create virtual table word using fts5 (text, tokenize='porter unicode61')")
        scratch.execute("create virtual table stem using fts5vocab (word, 'instance')")
        scratch.executemany("insert into word (rowid, text) values (?, ?)", enumerate(spaced))
        stems = scratch.execute("select doc, term from stem").fetchall()
    found = dict.fromkeys(terms, 0)
    for index, stem in stems:
        row = connection.execute("select doc from terms where term = ?", [stem]).fetchone()
        found[spaced[index]] = max(found[spaced[index]], row[0] if row else 0)
    for term in found.keys() - set(spaced):
        found[term] = len(_unspaced(connection, term))
    return found


def _unspaced(connection: sqlite3.Connection, term: str, among: str | None = None) -> list[int]:
    """Numbers of the chunks in which a run of characters stands, of all or of a JSON list of numbers."""
    here = "(:among is null or {} in (select value from json_each(:among)))"
    if len(term) > 2:
        query = f"select rowid from grams where grams match :match and {here.format('rowid')}"
    else:  # trigrams don't find it; few chunks are in such a script
        query = f"select id from chunks where unspaced and instr(text, :term) and {here.format('id')}"
    rows = connection.execute(query, {"match": f'"{term}"', "term": term, "among": among})
    return [number for (number,) in rows]


def holding(connection: sqlite3.Connection, terms: Sequence[str], keys: Sequence[str]) -> dict[str, set[str]]:
    """Which of the terms stand in each of these chunks, after FTS5's own folding and stemming."""
    numbers = dict(connection.execute("select id, key from chunks where key in (select value from json_each(?))", [json.dumps(list(keys))]))
    found: dict[str, set[str]] = {key: set() for key in keys}
    among = json.dumps(list(numbers))
    for term in terms:
        if is_unspaced(term):
            holders = _unspaced(connection, term, among)
        else:
            query = "select rowid from words where words match ? and rowid in (select value from json_each(?))"
            holders = [number for (number,) in connection.execute(query, [f'"{term}"', among])]
        for number in holders:
            found[numbers[number]].add(term)
    return found


def vectors(connection: sqlite3.Connection, within: Iterable[str] | None = None, after: int = 0) -> "tuple[list[str], NDArray[np.float32]]":
    """Ids and vectors, by vector number: all, those of some documents, or those after a number."""
    import numpy as np

    where = "" if within is None else f"and chunk {_WITHIN}"
    query = f"select key, vector from vectors join chunks on chunk = chunks.id where number > :after {where} order by number"
    rows = connection.execute(query, {"after": after, "within": _paths(within)}).fetchall()
    matrix = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float16)
    return [key for key, _ in rows], matrix.reshape(len(rows), -1 if rows else 0).astype(np.float32)


def keys_within(connection: sqlite3.Connection, keys: Sequence[str], within: Iterable[str]) -> set[str]:
    """Which of these chunks belong to these documents."""
    query = f"""select key from chunks where key in (select value from json_each(:keys))
        and document in (select document from files where {_INSIDE})"""
    return {key for (key,) in connection.execute(query, {"keys": json.dumps(list(keys)), "within": _paths(within)})}


def within_count(connection: sqlite3.Connection, within: Iterable[str]) -> int:
    """How many chunks these documents have."""
    query = f"select count(*) from chunks where document in (select document from files where {_INSIDE})"
    return int(connection.execute(query, {"within": _paths(within)}).fetchone()[0])
