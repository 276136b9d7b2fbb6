"""From characters of a page's text to the rectangles that they stand in: one a line, its words joined.

Boxes are kept of whole words. Where a span begins or ends within one, its box is cut where the letters' usual widths say.
"""

import re

from ingest.loaders.places import SCALE, Runs
from ingest.records import Box

_NARROW, _WIDE = frozenset("iljtfrI.,:;'!|()[]{}/\\-\u2019\u2018\u00b7 "), frozenset("mwMW@%\u2014\u2026")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_FULL_WIDTH = "\u2e80"
_GAP = 4.0
"""Times a letter's width: words further apart stand in columns."""

_Rectangle = tuple[int, int, list[int]]
"""Page, way, and left, top, right, bottom."""


def boxes_of(runs: Runs, text: str, start: int, end: int, page: int) -> list[Box]:
    """The rectangles of text[start:end], in the text's order; `page` is the number of the text's page."""
    found: list[_Rectangle] = []
    width = 0.0
    first, last = int(runs.end.searchsorted(start, "right")), int(runs.start.searchsorted(end, "left"))
    for index in range(first, last):
        a, b = int(runs.start[index]), int(runs.end[index])
        where, way, box = page + int(runs.page[index]), int(runs.way[index]), runs.box[index].tolist()
        width = max(width, abs(box[2 + way % 2] - box[way % 2]) / (b - a)) if found else abs(box[2 + way % 2] - box[way % 2]) / (b - a)
        part = _cut(box, way, text[a:b], max(0, start - a), min(b, end) - a)
        if found and found[-1][:2] == (where, way) and _is_beside(found[-1][2], part, way, _GAP * width):
            line = found[-1][2]
            line[:] = [*map(min, line[:2], part[:2]), *map(max, line[2:], part[2:])]
        else:
            found.append((where, way, part))
    return [Box(where, *(round(side / SCALE, 5) for side in box)) for where, _, box in found]


def _cut(box: list[int], way: int, word: str, start: int, end: int) -> list[int]:
    """The part of a word's box that word[start:end] takes; signs at its ends, which may not be drawn there, part nothing."""
    start, end = start * any(map(str.isalnum, word[:start])), end if any(map(str.isalnum, word[end:])) else len(word)
    if (start, end) == (0, len(word)):
        return box
    if not way % 2 and _RIGHT_TO_LEFT.search(word):
        way = (way + 2) % 4
    whole = _width(word)
    a, b = _width(word[:start]) / whole, _width(word[:end]) / whole
    side = way % 2  # across, or down
    if way in (1, 2):
        a, b = 1 - b, 1 - a
    low, far = box[side], box[side + 2]
    cut = list(box)
    cut[side], cut[side + 2] = round(low + a * (far - low)), round(low + b * (far - low))
    return cut


def _width(text: str) -> float:
    return sum(0.3 if c in _NARROW else 0.85 if c in _WIDE else 1.0 if c >= _FULL_WIDTH else 0.68 if c.isupper() else 0.53 for c in text)


def _is_beside(line: list[int], box: list[int], way: int, gap: float) -> bool:
    """Whether a box goes on a line: level with it, and near."""
    along, across = way % 2, 1 - way % 2
    level = min(line[across + 2], box[across + 2]) - max(line[across], box[across])
    low = min(line[across + 2] - line[across], box[across + 2] - box[across])
    return 2 * level > low and max(line[along], box[along]) - min(line[along + 2], box[along + 2]) < gap
