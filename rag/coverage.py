"""IDF-weighted query-term coverage: the share of a question's content words that stand in a passage, rare ones weighing more.

A passage may be near in meaning and still say nothing of what is asked.
"""

import math
from collections.abc import Sequence

from ingest import View
from ingest.text.scripts import terms

STOP_WORDS = frozenset(
    """a about after all an and any are as at be been before being between both but by can could did do does during each far for
    from had has have having he her him his how i in into is it its long many may me might more most much must my name no not of
    often old on or other our over s shall she should so some such t than that the their them then there these they this those to
    under us was we were what when where which who whom whose why will with would you your""".split()
)


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
