"""How much of a question a passage speaks of: the share of its telling words that stand there, the rare ones weighing more.

A passage may be near in meaning and still say nothing of what is asked; this is the sign that tells best (see gate.py).
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


def telling(question: str) -> list[str]:
    """The words of a question that say what it is about."""
    words = dict.fromkeys(terms(question))
    return [w for w in words if w not in STOP_WORDS and len(w) > 1]


def coverage(view: View, question: str, ids: Sequence[str]) -> dict[str, float]:
    """For each chunk, 0 to 1: the weight of the question's telling words in it. A word weighs log(1 + chunks / (1 + its chunks))."""
    words = telling(question)
    chunks, frequency = view.chunk_count(), view.document_frequency(words)
    weight = {w: math.log(1 + chunks / (1 + frequency[w])) for w in words}
    total = sum(weight.values()) or 1.0
    return {key: sum(weight[w] for w in held) / total for key, held in view.holding(words, ids).items()}
