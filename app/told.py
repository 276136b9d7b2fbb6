"""What the page shows of an answer, as JSON: kept in the library's conversations, sent to the browser, exported.

Offsets into a text count characters here and half-characters in a browser, so all cutting is done on this side.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from app.answers import place
from app.typeset import quoted, written
from rag.answer import Answer, Citation, Evidence
from rag.citations import find_markers

_NEAREST = 3
"""Passages shown with a refusal."""


def told(answer: Answer, model: str, status: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as far as it came.

    Args:
        model: what answers it.
        status: the library's, when it was asked; {} before it was looked at.
    """
    return {
        "text": answer.text,
        "blocks": _blocks(answer),
        "refused": answer.refused,
        "pointed": answer.pointed and bool(answer.citations),
        "citations": [_cited(citation) for citation in answer.citations],
        "nearest": [_near(item) for item in answer.evidence[:_NEAREST]] if answer.refused else [],
        "mode": answer.mode,
        "unresolved": list(answer.unresolved),
        "uncited": list(answer.uncited()),
        "searched": answer.searched,
        "note": answer.note,
        "ledger": asdict(answer.ledger) | {"total": answer.ledger.total} if answer.ledger else None,
        "timings": asdict(answer.timings),
        "model": model,
        "generation": status.get("generation"),
        "documents": status.get("documents"),
    }


def answering(model: str) -> tuple[str, str]:
    """A model's name and its server's host, or ""; its address may hold a password, which is never shown."""
    if not model.startswith("openai:"):
        return PurePath(model).name, ""
    name, scheme, rest = model.removeprefix("openai:").partition("@http")
    return name, urlsplit(scheme[1:] + rest).hostname or ""


def _blocks(answer: Answer) -> list[dict[str, Any]]:
    """The text typeset; markers of sources that aren't there stay text."""
    there = range(1, len(answer.evidence) + 1)
    found = [marker for marker in find_markers(answer.text, answer.evidence) if all(number in there for number in marker.numbers)]
    return written(answer.text, ((marker.start, marker.end, marker.numbers) for marker in found))


def _cited(citation: Citation) -> dict[str, Any]:
    return {
        "marker": citation.marker,
        "path": citation.path,
        "name": place(citation),
        "page": citation.pages[0] if citation.pages else None,
        "verified": citation.verified,
        "support": citation.support,
        "text": citation.text,
        "quote": _quote(citation),
        "start": citation.span[0] if citation.span else citation.char_start,
        "end": citation.span[1] if citation.span else citation.char_end,
        "boxes": [asdict(box) for box in citation.boxes],
    }


def _quote(citation: Citation) -> list[dict[str, Any]]:
    """The sentence, row or list that is quoted, the words that answer lit in it; the whole passage where none is known."""
    first, last = citation.quote or (citation.char_start, citation.char_end)
    spans = (max(0, at - citation.char_start) for at in (first, last, *(citation.span or (0, 0))))
    return quoted(citation.text, *spans)


def _near(item: Evidence) -> dict[str, Any]:
    chunk = item.chunk
    near = Citation(0, chunk.path, chunk.page_start, chunk.page_end, chunk.char_start, chunk.char_end, chunk.text, False)
    return _cited(near)
