"""IDF-weighted query-term coverage: the share of a question's content words that stand in a passage, rare ones weighing more.

A passage may be near in meaning and still say nothing of what is asked.
"""

import math
from collections.abc import Sequence

from ingest import View
from ingest.text.scripts import terms
from ingest.text.stop_words import STOP_WORDS


def content_words(question: str) -> list[str]:
    """The words of a question that say what it is about, each once."""
    return [word for word in dict.fromkeys(terms(question)) if word not in STOP_WORDS and len(word) > 1]


def coverage(view: View, question: str, ids: Sequence[str]) -> dict[str, float]:
    """Of each chunk, 0 to 1. A word's weight is log(1 + chunks / (1 + chunks that hold it))."""
    words = content_words(question)
    chunks, frequency = view.chunk_count(), view.document_frequency(words)
    weight = {word: math.log(1 + chunks / (1 + frequency[word])) for word in words}
    total = sum(weight.values()) or 1.0
    return {key: sum(weight[word] for word in held) / total for key, held in view.holding(words, ids).items()}
