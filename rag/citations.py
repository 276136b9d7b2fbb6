"""Markers in an answer, held against the sources: which source each names, and whether the words before it stand there."""

import re
import string
from collections.abc import Sequence

from rag.answer import Citation, Evidence

_MARKER = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")


def normal(text: str) -> str:
    """Lower case, no punctuation, no articles: how words are compared."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def strip_markers(text: str) -> str:
    return _MARKER.sub(" ", text).strip()


def cite(text: str, evidence: Sequence[Evidence]) -> tuple[Citation, ...]:
    """A citation for each source that the answer names, in the order in which it first names them.

    A marker that no source has is no citation: it stays in the text, and the page shows it as one that leads nowhere.
    """
    found: dict[int, bool] = {}
    start = 0
    for match in _MARKER.finditer(text):
        claim = normal(strip_markers(text[start : match.start()]))
        for number in (int(n) for n in match[1].split(",")):
            if 1 <= number <= len(evidence):
                stands = bool(claim) and f" {claim} " in f" {normal(evidence[number - 1].chunk.text)} "
                found[number] = found.get(number, False) or stands
        start = match.end()
    return tuple(_citation(n, evidence[n - 1], stands) for n, stands in found.items())


def holder(text: str, evidence: Sequence[Evidence]) -> int | None:
    """The number of the first source in which the whole text stands; None if there is none."""
    claim = normal(strip_markers(text))
    for number, item in enumerate(evidence, 1):
        if claim and f" {claim} " in f" {normal(item.chunk.text)} ":
            return number
    return None


def _citation(number: int, evidence: Evidence, verified: bool) -> Citation:
    c = evidence.chunk
    return Citation(number, c.path, c.page_start, c.page_end, c.char_start, c.char_end, c.text, verified)
