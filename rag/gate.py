"""Answer or refuse: decided before the first word is shown, for every model by one threshold, and never taken back.

One number decides: the highest of the probabilities, as the reader has them calibrated, that a passage answers (read.py). Below
the threshold the answer is that the documents don't say; so it is where a question has no content word ("thank you"), and where the
reader isn't sure and no passage has one of the question's. What the reader can't judge, because question or passages aren't English,
is let through. A larger model may still say of itself that the sources don't answer (refusal.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.text.scripts import terms
from ingest.text.stop_words import STOP_WORDS
from rag.answer import Evidence
from rag.coverage import content_words
from rag.quote import asks_to_judge

JUDGED = 0.4
"""Times the threshold for a question that asks for a yes or no, or one of two: the reader learnt spans, and is less sure of these.
Of 200 answerable ones (BoolQ) 12 % were refused at the threshold of the others."""
UNHEARD = 3.0
"""Times the threshold for passages that have no content word of the question."""
_ENGLISH = 0.12
"""Share of a text's words that are English stop words, at the least; English prose has 0.4, a table 0.15, German prose 0.05."""
_KEYWORDS = 5
"""Words up to which a question may be keywords of any language."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the evidence answers the question, and how that is known."""

    refuse: bool
    probability: float | None
    """That the best passage answers, 0 to 1; None where the reader can't say."""


def decide(question: str, evidence: Sequence[Evidence], threshold: float) -> Decision:
    """
    Args:
        evidence: as `read` returns it, best first.
        threshold: the least probability at which the question is answered.
    """
    if all(word in STOP_WORDS for word in terms(question)):
        return Decision(threshold > 0, None)
    readings = [item.reading.answerable for item in evidence if item.reading]
    if not readings:
        return Decision(True, None)
    if not (_is_english(question) and any(_is_english(item.chunk.text) for item in evidence if item.reading)):
        return Decision(False, None)
    probability = max(readings)
    threshold *= JUDGED if asks_to_judge(question) else 1
    if not any(_speaks_of(item, content_words(question)) for item in evidence if item.reading):
        threshold *= UNHEARD
    return Decision(probability < threshold, probability)


def _speaks_of(item: Evidence, words: Sequence[str]) -> bool:
    """Whether the beginning of one of the words stands in a passage, above it or in its file's name."""
    text = f"{Path(item.chunk.path).name} {item.chunk.heading} {item.chunk.whole}".casefold()
    return not words or any(re.search(rf"(?<!\w){re.escape(word[: max(4, len(word) - 3)])}", text) for word in words)


def _is_english(text: str) -> bool:
    words = [word for word in terms(text) if word.isalpha()]
    return len(words) <= _KEYWORDS or sum(word in STOP_WORDS for word in words) >= _ENGLISH * len(words)
