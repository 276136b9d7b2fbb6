"""A look into a library at one moment: the two searches, over one SQLite snapshot and the generation that it names.

An id that the index still holds but SQLite no longer does is dropped; where that leaves too few, and where there is no
index yet, exact search over the stored vectors answers. It also serves searches within some documents.
"""

import math
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from ingest.index.read import Generation
from ingest.records import Chunk, Hit
from ingest.store import rows, search
from ingest.text import scripts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POSTINGS = 12_000
"""Index entries that a question's words may touch: the commonest words are dropped beyond that. About 5 ms."""

_REMEMBERED = 10_000
"""Words whose frequency is remembered."""
_EXACT = 3000
"""Chunks within some documents up to which comparing the question with each is as quick as asking the index."""


class Frequencies:
    """In how many chunks words stand, remembered while the library stays as it is: counting a common one takes milliseconds."""

    def __init__(self) -> None:
        self._remembered: tuple[tuple[int, int], dict[str, int]] = (0, 0), {}  # one attribute: threads share it

    def of(self, connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
        state = rows.chunk_count(connection), rows.last_chunk(connection)
        before, known = self._remembered
        known = known if before == state else {}
        new = search.document_frequency(connection, [term for term in terms if term not in known])
        self._remembered = state, {**known, **new} if len(known) < _REMEMBERED else new
        return {term: new[term] if term in new else known[term] for term in terms}


class View:
    """A library as it was at one moment: `dense` and `words` answer from the same snapshot, whatever is added meanwhile."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        generation: Generation | None,
        embed: Callable[[str], "NDArray[np.float32]"],
        frequencies: "Frequencies",
    ) -> None:
        self._connection = connection
        self._generation = generation
        self._embed = embed
        self._frequencies = frequencies

    def dense(self, text: str, k: int, within: Collection[str] | None = None) -> list[Hit]:
        """The k chunks nearest in meaning, best first; score is cosine similarity.

        Args:
            within: paths of documents to look in; None for all.

        Raises:
            EmbedderError: the library's embedder can't be loaded.
            LibraryError: the index can't be read.
        """
        total = rows.vector_count(self._connection)
        if k < 1 or total == 0:
            return []
        vector = self._embed(text)
        inside = total if within is None else search.within_count(self._connection, within)
        if self._generation is not None and (within is None or inside > _EXACT):
            wider = 1 if within is None else 1.5 * total / inside
            near = self._generation.query(vector, min(total, math.ceil(k * wider)))
            if within is not None:
                kept = search.keys_within(self._connection, [key for key, _ in near], within)
                near = [(key, score) for key, score in near if key in kept][:k]
            found = self._hits(near, within)
            newer = self._newer(vector, k, within)
            if len(found) + len(newer) >= min(k, inside):
                return sorted([*found, *newer], key=lambda hit: -hit.score)[:k]
        return self._exact(vector, k, within)

    def words(self, text: str, k: int, within: Collection[str] | None = None) -> list[Hit]:
        """The k chunks that share the most telling words, best first; score is BM25, larger is better."""
        terms = self._telling(list(dict.fromkeys(scripts.terms(text))))
        if k < 1 or not terms:
            return []
        return [Hit(chunk, score) for chunk, score in search.words(self._connection, terms, k, within)]

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Chunks by id, in that order; those that are gone are left out."""
        found = search.chunks_by_key(self._connection, ids)
        return [found[key] for key in ids if key in found]

    def document_frequency(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word stands, in any of its forms."""
        return self._frequencies.of(self._connection, terms)

    def holding(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, set[str]]:
        """For each of these chunks, which of the words stand in it, in any of their forms."""
        return search.holding(self._connection, terms, ids)

    def chunk_count(self) -> int:
        return rows.chunk_count(self._connection)

    def _telling(self, terms: list[str]) -> list[str]:
        """Words that are in the library, rarest first, as many as can be looked up quickly."""
        frequency = self.document_frequency(terms)
        kept: list[str] = []
        postings = 0
        for term in sorted((term for term in terms if frequency[term]), key=lambda term: frequency[term]):
            postings += frequency[term]
            if kept and postings > _POSTINGS:
                break
            kept.append(term)
        return kept

    def _newer(self, vector: "NDArray[np.float32]", k: int, within: Collection[str] | None) -> list[Hit]:
        """Chunks embedded since the generation was published (an `add` is running, or was stopped), by exact search."""
        published = rows.generation(self._connection)
        if published is None or rows.last_vector(self._connection) <= published[1]:
            return []
        return self._exact(vector, k, within, after=published[1])

    def _exact(self, vector: "NDArray[np.float32]", k: int, within: Collection[str] | None, after: int = 0) -> list[Hit]:
        import numpy as np

        keys, matrix = search.vectors(self._connection, within, after)
        if not keys:
            return []
        scores = matrix @ vector
        best = np.argsort(-scores, kind="stable")[:k]
        return self._hits([(keys[row], float(scores[row])) for row in best], within)

    def _hits(self, found: list[tuple[str, float]], within: Collection[str] | None) -> list[Hit]:
        chunks = search.chunks_by_key(self._connection, [key for key, _ in found], within)
        return [Hit(chunks[key], score) for key, score in found if key in chunks and chunks[key].path]
