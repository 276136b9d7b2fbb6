"""Read: what was retrieved goes through the reader, which finds the span that answers in each passage and puts the best first.

The reader's score is added to the retriever's and doesn't replace it: a question that asks for papers about a thing has no span. Over
eight passages recall at 1 rises from 0.940 to 0.985 on 162 SQuAD passages and from 0.130 to 0.134 on Cranfield's abstracts
(data/reader/TRAINING.md, run 13); what stands behind the eighth keeps its place.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from ingest import Chunk
from ingest.text.scripts import is_identifier, terms
from rag.answer import Evidence, Reading
from rag.attributes import tells
from rag.coverage import content_words
from rag.named import name_words
from rag.reader import Reader

READ = 8
"""Passages that are read."""
WEIGHT = 0.31
"""Of the reader's log-odds beside the fused score, which lies between 0 and 1; chosen on both retrieval sets."""
MISSING = 2.5
"""Log-odds that a passage loses for each part number or year of the question that stands neither in it nor above it: the reader
takes 2023 for 2022."""
UNTOLD = 0.15
"""Times the probability of a passage without any sign of what is asked."""
_LONGEST_TITLE = 80
"""Characters of a title that are read."""
_PARAGRAPH_END = re.compile(r"[.!?](?=\s*\n\s*\n)")
_YEAR = re.compile(r"\d{3,4}")


@cache
def default_reader() -> Reader:
    """The reader that comes with Octavo, loaded once a process."""
    return Reader.load()


def read(question: str, evidence: Sequence[Evidence], reader: Reader, openings: Mapping[str, str] | None = None) -> list[Evidence]:
    """The evidence with its readings, in the order of fused score and reader together.

    Args:
        openings: how the text of each document begins, by path; its title is read before a passage of which the question names
            the document and not only what stands in it.
    """
    first = evidence[:READ]
    named = [term for term in terms(question) if is_identifier(term) or _YEAR.fullmatch(term)]
    titles = [_title(item, (openings or {}).get(item.chunk.path, "")) for item in first]
    passages = [_with_title(question, item.chunk, title) for item, title in zip(first, titles, strict=True)]
    readings = reader.read(question, passages)
    found = [
        replace(item, reading=_adjusted(question, reading, item.chunk, passage, f"{title} {item.chunk.heading}", named))
        for item, reading, passage, title in zip(first, readings, passages, titles, strict=True)
    ]
    return sorted(found, key=rank, reverse=True) + list(evidence[READ:])


def log_odds(probability: float) -> float:
    certain = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(certain / (1 - certain))


def rank(item: Evidence) -> float:
    """What passages are ordered by: the fused score and the reader's log-odds."""
    return (item.score or 0.0) + (WEIGHT * log_odds(item.reading.answerable) if item.reading else 0.0)


def _title(item: Evidence, opening: str) -> str:
    """The first line of a document, but for a table's; its file's name where there is none."""
    line = opening.strip().partition("\n")[0].lstrip("# ")[:_LONGEST_TITLE]
    return line if line and not line.startswith("|") else Path(item.chunk.path).stem


def _with_title(question: str, chunk: Chunk, title: str) -> str:
    """The passage as it is read: behind its document's title, or else its file's name, where a content word of the question stands
    there and not in the passage."""
    text = chunk.whole.casefold()
    telling = {word for word in content_words(question) if word not in text}
    for above in (title, name_words(chunk.path)):
        if telling.intersection(content_words(above)):
            return f"{above}\n\n{chunk.whole}"
    return chunk.whole


def _adjusted(question: str, reading: Reading, chunk: Chunk, passage: str, above: str, named: Sequence[str]) -> Reading:
    """The reading with its span counted from the chunk's own text, with which the passage that was read ends; it ends with its
    paragraph, but for a heading.

    Each part number or year of the question that stands neither in the passage, nor above it, nor in its file's name lowers the
    probability, and so does a span that can't be what is asked (attributes.py).
    """
    before = len(passage) - len(chunk.text)
    searchable = f"{Path(chunk.path).name} {above} {passage}".casefold()
    missing = sum(not re.search(rf"(?<!\w){re.escape(term)}(?!\w)", searchable) for term in named)
    likely = reading.answerable if not missing else 1 / (1 + math.exp(MISSING * missing - log_odds(reading.answerable)))
    start, end = max(0, reading.start - before), max(0, reading.end - before)
    if ended := _PARAGRAPH_END.search(chunk.text, start, end):
        end = ended.start() + 1
    likely *= 1.0 if tells(question, chunk, start, end) else UNTOLD
    return replace(reading, start=start, end=end, answerable=likely)
