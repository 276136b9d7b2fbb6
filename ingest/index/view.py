"""A look into a library at one moment: the two searches, over one SQLite snapshot and the segments that it names.

A vector that the index still holds but SQLite no longer does is dropped; where that leaves too few, and where the index can't
be read, exact search over the stored vectors answers. It also serves searches within few documents.
"""

import math
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from ingest.errors import LibraryError
from ingest.index.read import Segment
from ingest.loaders.parsed import Parsed
from ingest.records import Box, Chunk, Hit
from ingest.store import places, rows, search, vectors
from ingest.text import scripts
from ingest.text.stop_words import STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POSTINGS = 12_000
"""Index entries that a question's words may touch in a library of up to 25,000 chunks, about 5 ms; beyond, more by the square root
of its size. The commonest words are dropped then."""
_OPENING = 200
"""Characters in which a document's title stands, where it has one."""
_REMEMBERED = 10_000
"""Words whose frequency is remembered."""
_EXACT = 12_000
"""Chunks to look in up to which the question is compared with each: that takes 17 ms, opening the index a second."""
_UNUSED = 200
"""Vectors without chunks that a question allows for; where more were just removed, exact search answers until the run has ended."""


class Frequencies:
    """How many chunks there are, and in how many of them words stand, remembered while the library stays as it is: counting takes
    milliseconds."""

    def __init__(self) -> None:
        self._known: tuple[tuple[int, ...], int, dict[str, int]] = ((), 0, {})
        """The library's state, its chunks and the counts of words, replaced in one step: threads share this."""

    def chunks(self, connection: sqlite3.Connection) -> int:
        return self._look(connection)[1]

    def of(self, connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
        state, chunks, known = self._look(connection)
        new = search.document_frequency(connection, [term for term in terms if term not in known])
        self._known = state, chunks, {**known, **new} if len(known) < _REMEMBERED else new
        return {term: new[term] if term in new else known[term] for term in terms}

    def _look(self, connection: sqlite3.Connection) -> tuple[tuple[int, ...], int, dict[str, int]]:
        """What is known, or, where the library has changed since, its chunks counted anew and no words."""
        state = rows.last_chunk(connection), vectors.generation(connection) or 0, vectors.unused_count(connection)
        if self._known[0] != state:
            self._known = state, rows.chunk_count(connection), {}
        return self._known


class View:
    """A library as it was at one moment: `dense` and `words` answer from the same snapshot, whatever is added meanwhile."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        segments: Sequence[Segment] | None,
        embed: Callable[[str], "NDArray[np.float32]"],
        frequencies: "Frequencies",
    ) -> None:
        self.connection = connection
        self._segments = segments
        self._embed = embed
        self._frequencies = frequencies

    def dense(self, text: str, k: int, within: Collection[str] | None = None) -> list[Hit]:
        """The k chunks nearest in meaning, best first; score is cosine similarity.

        Args:
            within: paths of documents to look in; None for all.

        Raises:
            EmbedderError: the library's embedder can't be loaded.
        """
        connection = self.connection
        if k < 1 or not vectors.any_there(connection):
            return []
        vector = self._embed(text)
        everywhere = self.chunk_count()
        inside = everywhere if within is None else search.within_count(connection, within)
        if self._segments is not None and inside > _EXACT:
            wider = 1.0 if within is None else 1.5 * everywhere / inside
            found = self._hits(self.nearest(vector, math.ceil(k * wider)), k, within)
            if len(found) == k:
                return found
        where = "" if within is None else search.VECTORS_WITHIN
        near = vectors.nearest(connection, vector, k + vectors.unused_count(connection), where, within=search.as_json(within))
        return self._hits(near, k, within)

    def words(self, text: str, k: int, within: Collection[str] | None = None, phrases: Sequence[str] = ()) -> list[Hit]:
        """The k chunks that share the most telling words, best first; score is BM25, larger is better. Stop words count only in a
        text that has no others.

        Args:
            within: paths of documents to look in; None for all.
            phrases: words in a row that a chunk must hold, in any of their forms.
        """
        asked = list(dict.fromkeys(scripts.terms(text)))
        about = asked if phrases else [term for term in asked if term not in STOP_WORDS]
        terms = self._telling(about or asked)
        if k < 1 or not terms:
            return []
        return [Hit(chunk, score) for chunk, score in search.words(self.connection, terms, k, within, phrases)]

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Chunks by id, in that order; those that are gone are left out."""
        found = search.chunks_by_key(self.connection, ids)
        return [found[key] for key in ids if key in found]

    def neighbours(self, chunk: Chunk) -> list[Chunk]:
        """The chunks before and behind it in its document, where there are such."""
        return search.neighbours(self.connection, chunk)

    def paths(self) -> list[str]:
        """Those of all documents."""
        return rows.paths(self.connection)

    def openings(self, within: Collection[str] | None = None) -> dict[str, str]:
        """How the text of each document begins, by path; of these documents only, where some are given."""
        return rows.openings(self.connection, _OPENING, search.as_json(within))

    def document(self, path: str) -> tuple[Parsed, list[Chunk]] | None:
        """A document's text with its pages and headings, and its chunks in order; None where it isn't there."""
        parsed = rows.parsed(self.connection, path)
        return None if parsed is None else (parsed, search.chunks_of(self.connection, path))

    def boxes(self, path: str, start: int, end: int) -> tuple[Box, ...]:
        """The rectangles on its pages that characters of a document's canonical text stand in, in their order, one a line.

        None where its format has no pages, or where it was read before places were kept (`verify --repair` reads it again).
        """
        return tuple(places.boxes(self.connection, path, start, end))

    def document_frequency(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word stands, in any of its forms."""
        return self._frequencies.of(self.connection, terms)

    def holding(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, set[str]]:
        """For each of these chunks, which of the words stand in it, in any of their forms."""
        return search.holding(self.connection, terms, ids)

    def chunk_count(self) -> int:
        return self._frequencies.chunks(self.connection)

    def _telling(self, terms: list[str]) -> list[str]:
        """Words that are in the library, rarest first, as many as can be looked up quickly."""
        frequency = self.document_frequency(terms)
        budget = _POSTINGS * max(1.0, math.sqrt(self.chunk_count() / 25_000))
        kept: list[str] = []
        postings = 0
        for term in sorted((term for term in terms if frequency[term]), key=lambda term: frequency[term]):
            postings += frequency[term]
            if kept and postings > budget:
                break
            kept.append(term)
        return kept

    def nearest(self, vector: "NDArray[np.float32]", count: int) -> vectors.Near:
        """The nearest vectors of all segments, and of what is in none; nothing where the index can't be read."""
        assert self._segments is not None
        count += min(vectors.unused_count(self.connection), _UNUSED)
        try:
            near = [pair for segment in self._segments for pair in segment.query(vector, count)]
        except LibraryError:
            return []
        near += vectors.nearest_unindexed(self.connection, vector, count)
        return sorted(near, key=lambda pair: (-pair[1], pair[0]))[:count]

    def _hits(self, near: vectors.Near, k: int, within: Collection[str] | None) -> list[Hit]:
        """The chunks that have these vectors, the first k."""
        chunks = search.chunks_by_vector(self.connection, [number for number, _ in near], k, within)
        return [Hit(chunk, score) for number, score in near for chunk in chunks.get(number, [])][:k]
