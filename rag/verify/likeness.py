"""How alike single words are in meaning, by the embedder that comes with Octavo.

Word by word it parts "collapsed" and "fell" (0.53) from "fined" and "towed" (0.34). What excludes each other is as alike as what says the
same (north, south: 0.68), so thesaurus.py has the last word there. Whole claims it doesn't part at all: of 211 claims beside their
passages the cosine ranks the supported above the others no better than chance (area under the curve 0.49), and so do the reader's
probability that the passage answers the claim (0.50) and its spans for a claim with a word blanked out (0.51 to 0.63).
"""

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from ingest.text.embedder import Embedder


@cache
def _embedder() -> Embedder:
    return Embedder.load()


@lru_cache(maxsize=256)
def _vectors(words: tuple[str, ...]) -> NDArray[np.float32]:
    return _embedder().documents(words)


def likeness(words: Sequence[str], others: Sequence[str]) -> NDArray[np.float32]:
    """The cosine of each word with each of the others, (words, others)."""
    found: NDArray[np.float32] = _vectors(tuple(words)) @ _vectors(tuple(others)).T
    return found
