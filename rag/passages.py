"""Passages: what stands under one marker. The same text is shown once, and neighbouring chunks are joined to the span that they are.

A library often holds two states of a file that differ by a date; a hit's neighbour often says what its "it" is. A citation still
lies within one chunk, so that it says where to look.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ingest import Chunk, Library
from rag.answer import Evidence
from rag.coverage import content_words

STRONG = 4
"""Hits whose neighbours are fetched where the window has room left."""
_JOINED = 3
"""Chunks under one marker at the most: a hit and its two neighbours."""
_BETWEEN = 3
"""Characters between two chunks that are neighbours, at the most: the blank line that both were trimmed of."""
_TELLS_ITSELF = 20
"""Words of a text without which it isn't compared with others."""
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DATED = "date|dated|printed|last|updated|revised|modified|created|exported|generated|saved|version|as|of|on|at|the"
_DATE_LINE = re.compile(
    rf"""^[^\w\n|]*_? (?:(?:{_DATED})\b[^\w\n|]*){{0,4}}
    (?:\d{{4}}-\d\d-\d\d | \d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}
        | \d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH},?\s+\d{{4}} | {_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})
    (?:[T,\s]+\d{{1,2}}:\d\d(?::\d\d)?)? _?[^\w\n|]*$""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def distinct(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence with each text once, where it ranks best; two are the same text that differ by a line that only dates it."""
    kept: dict[tuple[str, str], Evidence] = {}
    for item in evidence:
        key = item.chunk.heading, _undated(item.chunk.whole)
        same = kept.setdefault(key, item)
        if same is not item:
            kept[key] = replace(same, copies=(*same.copies, item.chunk.path))
    return list(kept.values())


def neighbours(evidence: Sequence[Evidence], library: Library) -> list[Evidence]:
    """The chunks before and behind the best hits that were not found themselves, nearest to the best first."""
    found = {item.chunk.id for item in evidence}
    with library.snapshot() as view:
        beside = {chunk.id: chunk for item in evidence[:STRONG] for chunk in view.neighbours(item.chunk)}
    return [Evidence(chunk, None) for chunk in beside.values() if chunk.id not in found]


def join(passage: Evidence, item: Evidence) -> Evidence | None:
    """Both under one marker; None where they are no neighbours, or too many."""
    parts = sorted((*passage.parts, item), key=lambda part: part.chunk.char_start)
    if len(parts) > _JOINED or not all(_touch(before.chunk, behind.chunk) for before, behind in pairwise(parts)):
        return None
    return replace(passage, joined=(*passage.joined, item))


def by_part(passage: Evidence, claims: Sequence[str]) -> list[tuple[Evidence, list[str]]]:
    """The chunks of a passage that claims stand on, each with its own: the one that holds most of a claim's words, or the best."""
    held: dict[str, tuple[Evidence, list[str]]] = {}
    for claim in claims:
        words = set(content_words(claim))
        part = max((passage, *passage.joined), key=lambda part: len(words.intersection(content_words(part.chunk.whole))))
        held.setdefault(part.chunk.id, (part, []))[1].append(claim)
    return list(held.values())


def _touch(before: Chunk, behind: Chunk) -> bool:
    return before.path == behind.path and before.char_start < behind.char_start <= before.char_end + _BETWEEN


def _undated(text: str) -> str:
    bare = " ".join(_DATE_LINE.sub("", text).casefold().split())
    return bare if bare.count(" ") >= _TELLS_ITSELF else " ".join(text.casefold().split())
