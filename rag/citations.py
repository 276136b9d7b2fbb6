"""Markers in an answer, held against the sources: which source each names, and whether the words before it stand there."""

import re
from collections.abc import Iterator, Sequence

from model.grounded import normalize_answer
from rag.answer import Citation, Evidence

MARKER = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")


def strip_markers(text: str) -> str:
    return MARKER.sub(" ", text).strip()


def _claims(text: str) -> Iterator[tuple[int, str]]:
    """(marker, the words before it); of neighbours like [1][2] each stands for the same words."""
    start, claim = 0, ""
    for match in MARKER.finditer(text):
        claim = strip_markers(text[start : match.start()]) or claim
        for number in match[1].split(","):
            yield int(number), claim
        start = match.end()


def claims(text: str, marker: int) -> list[str]:
    """What an answer says with this marker behind it."""
    return [claim for number, claim in _claims(text) if number == marker]


def settle(text: str, evidence: Sequence[Evidence], ended: bool) -> str:
    """The text to show for what a model has written so far: each marker is checked before it is shown.

    One whose words don't stand in its source, but do in another, is given that one's number. A marker that is still being
    written is held back until it has ended.
    """

    def check(match: re.Match[str]) -> str:
        if "," in match[1]:
            return match[0]
        number, claim = list(_claims(text[: match.end()]))[-1]
        if 1 <= number <= len(evidence) and _stands(claim, evidence[number - 1]):
            return match[0]
        other = holder(claim, evidence)
        return f"[{other}]" if other else match[0]

    shown = MARKER.sub(check, text)
    return shown if ended else re.sub(r"\s*\[[\d,\s]*$", "", shown)


def cite(text: str, evidence: Sequence[Evidence]) -> tuple[Citation, ...]:
    """A citation for each source that the answer names, in the order in which it first names them.

    A marker that no source has is no citation: it stays in the text as it is.
    """
    found: dict[int, bool] = {}
    for number, claim in _claims(text):
        if 1 <= number <= len(evidence):
            found[number] = found.get(number, False) or _stands(claim, evidence[number - 1])
    return tuple(_citation(n, evidence[n - 1], stands) for n, stands in found.items())


def holder(text: str, evidence: Sequence[Evidence]) -> int | None:
    """The number of the first source in which the whole text stands; None if there is none."""
    return next((n for n, item in enumerate(evidence, 1) if _stands(text, item)), None)


def _stands(claim: str, evidence: Evidence) -> bool:
    words = normalize_answer(strip_markers(claim))
    return bool(words) and f" {words} " in f" {normalize_answer(evidence.chunk.text)} "


def _citation(number: int, evidence: Evidence, verified: bool) -> Citation:
    c = evidence.chunk
    return Citation(number, c.path, c.page_start, c.page_end, c.char_start, c.char_end, c.text, verified)
