"""Read: what was retrieved goes through the reader, which finds the span that answers in each passage and puts the best first.

The reader's score is added to the retriever's and doesn't replace it: a question that asks for papers about a thing has no span. Over
eight passages recall at 1 rises from 0.940 to 0.985 on 162 SQuAD passages and from 0.130 to 0.134 on Cranfield's abstracts
(data/reader/TRAINING.md, run 13); what stands behind the eighth keeps its place.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from ingest.text.scripts import is_identifier, terms
from rag.answer import Evidence, Reading
from rag.reader import Reader

READ = 8
"""Passages that are read."""
WEIGHT = 0.31
"""Of the reader's log-odds beside the fused score, which lies between 0 and 1; chosen on both retrieval sets."""
MISSING = 2.5
"""Log-odds that a passage loses for each part number or year of the question that stands neither in it nor above it: the reader
takes 2023 for 2022."""
_YEAR = re.compile(r"\d{3,4}")


@cache
def default_reader() -> Reader:
    """The reader that comes with Octavo, loaded once a process."""
    return Reader.load()


def read(question: str, evidence: Sequence[Evidence], reader: Reader) -> list[Evidence]:
    """The evidence with its readings, in the order of fused score and reader together."""
    first = evidence[:READ]
    readings = reader.read(question, [item.chunk.whole for item in first])
    named = [term for term in terms(question) if is_identifier(term) or _YEAR.fullmatch(term)]
    found = [replace(item, reading=_adjusted(reading, item, named)) for item, reading in zip(first, readings, strict=True)]
    return sorted(found, key=_score, reverse=True) + list(evidence[READ:])


def log_odds(probability: float) -> float:
    certain = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(certain / (1 - certain))


def _score(item: Evidence) -> float:
    return (item.score or 0.0) + (WEIGHT * log_odds(item.reading.answerable) if item.reading else 0.0)


def _adjusted(reading: Reading, item: Evidence, named: Sequence[str]) -> Reading:
    """The reading with its span counted from the chunk's own text, which was read behind its table's header.

    Each part number or year of the question that the chunk lacks lowers the probability.
    """
    before = len(item.chunk.whole) - len(item.chunk.text)
    searchable = f"{Path(item.chunk.path).stem} {item.chunk.heading} {item.chunk.whole}".casefold()
    missing = sum(not re.search(rf"(?<!\w){re.escape(term)}(?!\w)", searchable) for term in named)
    likely = reading.answerable if not missing else 1 / (1 + math.exp(MISSING * missing - log_odds(reading.answerable)))
    return replace(reading, start=max(0, reading.start - before), end=max(0, reading.end - before), answerable=likely)
