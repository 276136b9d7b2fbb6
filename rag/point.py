"""Writes an answer in the documents' own words, for a model that can do no better than quote; quote.py chooses what is shown of it.

The reader's span answers who, when, where and how much. A question that no span answers (why, how) gets the sentences that
answer best, in the order of the documents, each with its source; one for a yes or no the sentence that answers best. The starter's
own word is not asked for: of 200 such questions (BoolQ) 64 % were judged rightly, of those with a no 25 %.
"""

from collections.abc import Sequence

from rag.answer import Evidence, Reading
from rag.quote import asks_to_judge, sentence, wants_a_span
from rag.read import rank

_SENTENCES = 3
"""Sentences quoted in answer to a question that no span answers, at the most."""


def best_source(evidence: Sequence[Evidence]) -> int:
    """The number, from 1, of the source that answers best; 0 where none was read."""
    return max(_read(evidence), key=_rank, default=(0,))[0]


def point(question: str, evidence: Sequence[Evidence]) -> str:
    """The answer in the sources' own words, with markers; "" where nothing was read.

    Args:
        evidence: the sources, number 1 first, as they were read.
    """
    sources = sorted(_read(evidence), key=_rank, reverse=True)
    if not sources:
        return ""
    if wants_a_span(question):
        number, item, reading = sources[0]
        return f"{item.chunk.text[reading.start : reading.end]} [{number}]"
    likely = [source for source in sources if source[2].answerable >= sources[0][2].answerable / 2][
        : 1 if asks_to_judge(question) else _SENTENCES
    ]
    said: dict[str, int] = {}
    for number, item, reading in sorted(likely, key=lambda source: (source[1].chunk.path, source[1].chunk.char_start)):
        start, end = sentence(item.chunk.text, reading.start, reading.end)
        said.setdefault(" ".join(item.chunk.text[start:end].split()), number)
    return " ".join(f"{text} [{number}]" for text, number in said.items())


def _rank(source: tuple[int, Evidence, Reading]) -> float:
    return rank(source[1])


def _read(evidence: Sequence[Evidence]) -> list[tuple[int, Evidence, Reading]]:
    """The sources in which the reader found something, with their numbers."""
    return [(number, item, item.reading) for number, item in enumerate(evidence, 1) if item.reading and item.reading.end]
