"""A PDF page's words and where they stand, through few and bulk calls into PDFium.

A call through ctypes costs a third of a microsecond at best, and a page has thousands of characters; so the text comes
in one call, and only the first and last character of each word are asked for their boxes.
"""

import ctypes
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint16]

_SPACE = np.isin(np.arange(0x10000), [9, 10, 13, 32, 0xA0])
"""Whether a code is blank: looking it up is quicker than comparing."""
_HYPHEN = np.isin(np.arange(0x10000), [0x02, 0xFFFE])
"""What PDFium puts for a hyphen at the end of a line whose word goes on; no line break follows it."""
_IDEOGRAPHS = 0x2E80
"""From here on scripts are written from the top down too."""
_RIGHT_TO_LEFT = (0x0590, 0x08FF)


def direct(function: Any, *kinds: Any, result: Any = ctypes.c_int) -> Any:
    """A PDFium function that takes plain addresses: building typed pointers would cost more than the call itself."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address
    return ctypes.PYFUNCTYPE(result, *kinds)(address)


_char_box = direct(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True, slots=True)
class Words:
    """Words in the order of the file, each with its box as its reader sees it: x to the right, y downwards.

    Attributes:
        text: the words; one that PDFium took for the first half of a hyphenated word ends in U+FFFE or U+0002.
        box: left, top, right, bottom of each.
        line: which line PDFium put each on.
        turn: quarter turns (0 to 3, counter-clockwise) of each; boxes of different turns don't compare.
        char: index of each word's first character; -1 if it isn't part of the page's own text.
        right_to_left: whether it has Arabic or Hebrew letters: PDFium has then put them into their logical order.
    """

    text: list[str]
    box: Floats
    line: Ints
    turn: Ints
    char: Ints
    right_to_left: bool = False

    def __len__(self) -> int:
        return len(self.text)

    def pick(self, which: NDArray[Any]) -> "Words":
        """Some of them; `which` is a mask, or indices in their new order."""
        chosen = np.flatnonzero(which) if which.dtype == bool else which
        text = [self.text[index] for index in chosen]
        return Words(text, self.box[chosen], self.line[chosen], self.turn[chosen], self.char[chosen], self.right_to_left)


def joined(parts: list[Words]) -> Words:
    """Words of a page and of what is laid over it, which have no characters in the page's own text."""
    lines, above = [], 0
    for part in parts:
        lines.append(part.line + above)
        above += int(part.line.max(initial=0)) + 1
    chars = [parts[0].char, *(np.full(len(part), -1) for part in parts[1:])]
    return Words(
        [word for part in parts for word in part.text],
        np.concatenate([part.box for part in parts]),
        np.concatenate(lines),
        np.concatenate([part.turn for part in parts]),
        np.concatenate(chars),
        any(part.right_to_left for part in parts),
    )


def words_of(text_page: Any, seen: tuple[float, float, float, float], codes: Codes | None = None) -> Words:
    """The words within the page's visible box (left, bottom, right, top); `codes` are read for the page's own text."""
    codes = _codes(text_page) if codes is None else codes
    cuts = np.flatnonzero(_HYPHEN[codes]) + 1
    starts, ends = _spans(codes, cuts)
    if not len(starts):
        return _none()
    first, last, char = _edges(text_page, codes, starts, ends)
    if len(piles := _piles(text_page, codes, starts, ends, first, last, char)):
        cuts = np.union1d(cuts, piles)
        starts, ends = _spans(codes, cuts)
        first, last, char = _edges(text_page, codes, starts, ends)
    breaks = codes == 10
    breaks[cuts[cuts < len(codes)]] = True
    line = np.cumsum(breaks)[starts].astype(np.int64)
    right_to_left = bool(((codes >= _RIGHT_TO_LEFT[0]) & (codes <= _RIGHT_TO_LEFT[1])).any())
    return _turned(_strings(codes, starts, ends), first, last, line, char, right_to_left, seen)


def _none() -> Words:
    empty = np.zeros(0, np.int64)
    return Words([], np.zeros((0, 4)), empty, empty, empty)


def _codes(text_page: Any) -> Codes:
    """The page's text in UTF-16."""
    count = max(0, raw.FPDFText_CountChars(text_page))
    codes = np.zeros(count + 1, np.uint16)
    place = codes.ctypes.data_as(ctypes.POINTER(ctypes.c_ushort))
    return codes[: max(0, raw.FPDFText_GetText(text_page, 0, count, place) - 1)] if count else codes[:0]


def _spans(codes: Codes, cuts: Ints) -> tuple[Ints, Ints]:
    """Where words begin and end: runs of what isn't blank, cut in two where `cuts` says."""
    blank = np.ones(len(codes) + 2, dtype=np.int8)
    blank[1:-1] = _SPACE[codes]
    steps = np.diff(blank)
    starts, ends = np.flatnonzero(steps == -1), np.flatnonzero(steps == 1)
    if len(cuts):
        starts = np.union1d(starts, cuts[blank[cuts + 1] == 0])
        ends = np.union1d(ends, cuts[blank[cuts] == 0])
    return starts, ends


def _strings(codes: Codes, starts: Ints, ends: Ints) -> list[str]:
    data = codes.tobytes()
    string = data.decode("utf-16-le", "replace")
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    if len(string) == len(codes):
        return [string[a:b] for a, b in pairs]
    return [data[2 * a : 2 * b].decode("utf-16-le", "replace") for a, b in pairs]


def _edges(text_page: Any, codes: Codes, starts: Ints, ends: Ints) -> tuple[Floats, Floats, Ints]:
    """The boxes of words' first and last characters, and the index of the first; a mark of hyphenation has no box of its own."""
    first, last = starts, ends - 1 - ((ends - starts > 1) & _HYPHEN[codes[ends - 1]])
    if len(codes) != raw.FPDFText_CountChars(text_page):
        first, last = (np.array([raw.FPDFText_GetCharIndexFromTextIndex(text_page, int(i)) for i in which]) for which in (first, last))
    return _boxes(text_page, first), _boxes(text_page, last), first


def _piles(text_page: Any, codes: Codes, starts: Ints, ends: Ints, first: Floats, last: Floats, char: Ints) -> Ints:
    """Where to cut words that PDFium made of a column's figures: upright characters below each other, or far apart."""
    letters = ends - starts
    steps = np.abs(last[:, :2] - first[:, :2])
    height = np.maximum(1.0, np.abs(first[:, 1] - first[:, 3]))
    odd = (letters > 1) & (codes[starts] < _IDEOGRAPHS) & ((steps[:, 1] > steps[:, 0]) | (steps[:, 0] > 1.5 * height * letters))
    cuts: list[int] = []
    for index in np.flatnonzero(odd).tolist():
        if abs(raw.FPDFText_GetCharAngle(text_page, int(char[index]))) < 0.1:
            boxes = _boxes(text_page, np.arange(letters[index]) + char[index])
            below = np.abs(np.diff(boxes[:, 1])) > 0.5 * height[index]
            beside = boxes[1:, 0] - boxes[:-1, 2] > height[index]
            cuts += (np.flatnonzero(below | beside) + starts[index] + 1).tolist()
    return np.array(cuts, np.int64)


def _boxes(text_page: Any, chars: Iterable[int]) -> Floats:
    """Left, top, right, bottom (y upwards) of characters: their font's height, not the ink's, so that a line's are alike."""
    indices = np.asarray(chars).tolist()
    boxes = np.zeros((len(indices), 4), np.float32)
    base: int = boxes.ctypes.data
    page = ctypes.cast(text_page.raw, ctypes.c_void_p).value
    deque(map(_char_box, repeat(page), indices, range(base, base + 16 * len(indices), 16)), 0)
    return np.where(np.isfinite(boxes), boxes, 0).astype(np.float64)


def _turned(
    text: list[str], first: Floats, last: Floats, line: Ints, char: Ints, right_to_left: bool, seen: tuple[float, float, float, float]
) -> Words:
    """Turns boxes so that every word reads from left to right; a line's direction is that of most of its letters."""
    box = np.column_stack([
        np.minimum(first[:, 0], last[:, 0]),
        np.minimum(first[:, 3], last[:, 3]),
        np.maximum(first[:, 2], last[:, 2]),
        np.maximum(first[:, 1], last[:, 1]),
    ])  # fmt: skip
    middle_x, middle_y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    there = (middle_x > seen[0]) & (middle_x < seen[2]) & (middle_y > seen[1]) & (middle_y < seen[3])
    turn = np.zeros(len(text), np.int64) if right_to_left else _turns(first, last, line)
    x0, y0, x1, y1 = box.T
    turned = np.column_stack([x0, -y1, x1, -y0])
    for quarter, columns in ((1, (y0, x0, y1, x1)), (2, (-x1, y0, -x0, y1)), (3, (-y1, -x1, -y0, -x0))):
        if (which := turn == quarter).any():
            turned[which] = np.column_stack(columns)[which]
    words = Words(text, turned, line, turn, char, right_to_left)
    return words if there.all() else words.pick(there)


def _turns(first: Floats, last: Floats, line: Ints) -> Ints:
    """Quarter turns of words: the way from a line's first letters to its last ones."""
    step_x = (last[:, 0] + last[:, 2] - first[:, 0] - first[:, 2]) / 2
    step_y = (last[:, 1] + last[:, 3] - first[:, 1] - first[:, 3]) / 2
    if (step_x >= np.abs(step_y)).all():
        return np.zeros(len(line), np.int64)
    begins = np.flatnonzero(np.diff(line, prepend=-1))
    way_x, way_y = np.add.reduceat(step_x, begins), np.add.reduceat(step_y, begins)
    upright = np.abs(way_x) >= np.abs(way_y)
    turn = np.where(upright, np.where(way_x >= 0, 0, 2), np.where(way_y > 0, 1, 3))
    lone = (way_x == 0) & (way_y == 0)
    if lone.any() and not lone.all():
        turn[lone] = np.bincount(turn[~lone]).argmax()
    return np.repeat(turn, np.diff(np.append(begins, len(line))))
