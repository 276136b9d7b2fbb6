"""Pointing: an answer in the documents' own words, for a model that can do no better than quote.

The reader's span answers who, when, where and how much. A question that no span answers (why, how) gets the sentences that
answer best, in the order of the documents, each with its source.
"""

from collections.abc import Sequence

from rag.answer import Evidence
from rag.quote import sentence, wants_a_span

_SENTENCES = 3
"""Sentences quoted in answer to a question that no span answers, at the most."""


def best_source(evidence: Sequence[Evidence]) -> int:
    """The number, from 1, of the source that answers best; 0 where none was read."""
    read = [(item.reading.answerable, -number) for number, item in enumerate(evidence, 1) if item.reading and item.reading.end]
    return -max(read)[1] if read else 0


def point(question: str, evidence: Sequence[Evidence]) -> str:
    """The answer in the sources' own words, with markers; "" where nothing was read.

    Args:
        evidence: the sources, number 1 first, as they were read.
    """
    read = [(number, item, item.reading) for number, item in enumerate(evidence, 1) if item.reading and item.reading.end]
    if not read:
        return ""
    number, item, reading = read_best = max(read, key=lambda part: part[2].answerable)
    if wants_a_span(question):
        return f"{item.chunk.text[reading.start : reading.end]} [{number}]"
    near = sorted((part for part in read if part[2].answerable >= read_best[2].answerable / 2), key=lambda part: -part[2].answerable)
    said: dict[str, int] = {}
    for number, item, reading in sorted(near[:_SENTENCES], key=lambda part: (part[1].chunk.path, part[1].chunk.char_start)):
        start, end = sentence(item.chunk.text, reading.start, reading.end)
        said.setdefault(" ".join(item.chunk.text[start:end].split()), number)
    return " ".join(f"{text} [{number}]" for text, number in said.items())
