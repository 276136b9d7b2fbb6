"""The order in which a reader takes the boxes of a slide: by where they stand, not by which lies on top.

A recursive XY cut: boxes are divided at the widest band that runs free across all of them, rows before columns where both are as
wide. Where boxes overlap so that nothing divides them, the topmost comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_OVERLAP = 91440
"""English metric units (914,400 an inch) by which neighbours may overlap: frames of text reach beyond their text."""
_MOST = 400
"""Boxes that are divided; a drawing of more is read from its top to its bottom."""


@dataclass(frozen=True, slots=True)
class Box:
    left: int
    top: int
    width: int
    height: int


def reading_order(boxes: Sequence[Box | None]) -> list[int]:
    """The places of the boxes in the order in which they are read; one whose place isn't known stays behind the one before it."""
    known = [number for number, box in enumerate(boxes) if box is not None]
    found: list[int] = []
    stack = [known]
    while stack:
        numbers = stack.pop()
        if len(numbers) > _MOST:
            found += sorted(numbers, key=lambda number: _corner(boxes[number]))
        elif len(numbers) < 2:
            found += numbers
        else:
            stack += reversed(_divided(boxes, numbers))
    for number, box in enumerate(boxes):
        if box is None:
            found.insert(found.index(number - 1) + 1 if number else 0, number)
    return found


def _corner(box: Box | None) -> tuple[int, int]:
    assert box is not None
    return box.top, box.left


def _divided(boxes: Sequence[Box | None], numbers: list[int]) -> list[list[int]]:
    """At least two groups, in order."""
    rows = _bands([(box.top, box.height, number) for number in numbers if (box := boxes[number])])
    columns = _bands([(box.left, box.width, number) for number in numbers if (box := boxes[number])])
    widest = [max((gap for gap, _ in bands[1:]), default=-_OVERLAP - 1) for bands in (rows, columns)]
    if len(rows) == len(columns) == 1:
        return _without_first(boxes, numbers)
    first, last = set(rows[0][1]), set(rows[-1][1])
    middle = [set(band) for _, band in columns[1:-1]]
    if any(band in (first, last, first | last) for band in middle):  # a title above columns, a note below them
        place = 1 if any(first <= band for band in middle) else -1
        return [[number for _, band in part for number in band] for part in (rows[:place], rows[place:])]
    bands = rows if widest[0] >= widest[1] else columns
    groups: list[list[int]] = []
    for gap, band in bands:
        if groups and gap < max(widest):
            groups[-1] += band
        else:
            groups.append(band)
    return groups


def _bands(spans: list[tuple[int, int, int]]) -> list[tuple[int, list[int]]]:
    """Boxes that overlap along one direction, together, each band with the gap before it; (start, length, number) of each."""
    bands: list[tuple[int, list[int]]] = []
    end = 0
    for start, length, number in sorted(spans, key=lambda span: span[0]):
        overlap = min(_OVERLAP, length // 2)
        if not bands or start >= end - overlap:
            bands.append((start - end if bands else 0, [number]))
            end = start + length
        else:
            bands[-1][1].append(number)
            end = max(end, start + length)
    return [(gap, sorted(band)) for gap, band in bands]


def _without_first(boxes: Sequence[Box | None], numbers: list[int]) -> list[list[int]]:
    """The leftmost of the topmost, and the rest."""
    top = min(_corner(boxes[number])[0] for number in numbers)
    first = min((number for number in numbers if _corner(boxes[number])[0] <= top + _OVERLAP), key=lambda n: _corner(boxes[n])[1])
    return [[first], [number for number in numbers if number != first]]
