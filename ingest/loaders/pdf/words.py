"""A PDF page's words and where they stand, through few and bulk calls into PDFium.

A call through ctypes costs a third of a microsecond at best, and a page has thousands of characters; so the text comes
in one call, and only the first and last character of each word are asked for their boxes.
"""

import ctypes
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

from ingest.loaders.pdf.chars import Floats, Ints, boxes_of, facing
from ingest.loaders.pdf.raised import Lettering, write_raised
from ingest.loaders.pdf.spaced import join_spaced

Codes = NDArray[np.uint16]

_SPACE = np.isin(np.arange(0x10000), [9, 10, 13, 32, 0xA0])
"""Whether a code is blank: looking it up is quicker than comparing."""
_HYPHEN = 0xFFFE
"""What PDFium puts for a hyphen at the end of a line whose word goes on; no line break follows it."""
_IDEOGRAPHS = 0x2E80
"""From here on scripts are written from the top down too."""
_UNKNOWN = 0x01
_LAM_ALEF = re.compile("([\u0622\u0623\u0625\u0627])(\u0644)")
"""Two letters that fonts draw as one: PDFium, which turns all letters round, turns these too."""
_RIGHT_TO_LEFT = np.zeros(0x10000, bool)
_RIGHT_TO_LEFT[0x0590:0x0900] = _RIGHT_TO_LEFT[0xFB1D:0xFE00] = _RIGHT_TO_LEFT[0xFE70:0xFEFD] = True


@dataclass(frozen=True, slots=True)
class Words:
    """Words in the order of the file, each with its box as its reader sees it: x to the right, y downwards.

    Attributes:
        text: the words; one that PDFium took for the first half of a hyphenated word ends in U+FFFE.
        box: left, top, right, bottom of each.
        line: which line PDFium put each on.
        turn: quarter turns (0 to 3, counter-clockwise) of each; boxes of different turns don't compare.
        char: index of each word's first character; -1 if it isn't part of the page's own text.
        number: what each is called on its page, whatever becomes of it; none before all words of the page are known.
        seen_order: where any of them has Arabic or Hebrew letters, the characters of each as they stand from left to right.
    """

    text: list[str]
    box: Floats
    line: Ints
    turn: Ints
    char: Ints
    seen_order: list[list[str]] = field(default_factory=list)
    number: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.text)

    def pick(self, which: NDArray[Any]) -> "Words":
        """Some of them; `which` is a mask, or indices in their new order."""
        chosen = np.flatnonzero(which) if which.dtype == bool else which
        text = [self.text[index] for index in chosen]
        seen_order = [self.seen_order[index] for index in chosen] if self.seen_order else []
        number = self.number[chosen] if len(self.number) else self.number
        return Words(text, self.box[chosen], self.line[chosen], self.turn[chosen], self.char[chosen], seen_order, number)


def line_begins(words: Words) -> Ints:
    """Which words are the first ones of their lines."""
    changes = np.ones(len(words), dtype=bool)
    np.not_equal(words.line[1:], words.line[:-1], out=changes[1:])
    return np.flatnonzero(changes)


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
        [order for part in parts for order in part.seen_order or map(list, part.text)] if any(part.seen_order for part in parts) else [],
    )


def words_of(text_page: Any, seen: tuple[float, float, float, float], codes: Codes | None = None) -> Words:
    """The words within the page's visible box (left, bottom, right, top); `codes` are read for the page's own text."""
    codes = _codes(text_page) if codes is None else codes
    starts, ends, line, first, last, char = _measured(text_page, codes)
    if not len(starts):
        empty = np.zeros(0, np.int64)
        return Words([], np.zeros((0, 4)), empty, empty, empty)
    strings = _strings(codes, starts, ends)
    left, right = np.minimum(first[:, 0], last[:, 0]), np.maximum(first[:, 2], last[:, 2])
    seen_order: list[list[str]] = []
    backwards = _backwards(codes, starts)
    if backwards is None:
        turn = _turns(first, last, line)
    else:
        turn = _turns(np.where(backwards, last, first), np.where(backwards, first, last), line)
        _set_upright(text_page, turn, line, char, backwards[:, 0])
        left, right, seen_order = _outlines(text_page, char, ends - starts, strings)
    top, bottom = np.maximum(first[:, 1], last[:, 1]), np.minimum(first[:, 3], last[:, 3])
    x, y = left + right, top + bottom
    there = (x > 2 * seen[0]) & (x < 2 * seen[2]) & (y > 2 * seen[1]) & (y < 2 * seen[3])
    box = facing(np.stack([left, top, right, bottom], 1), turn)
    words = Lettering(strings, line, box, facing(first, turn), facing(last, turn), turn, char, there)
    write_raised(words, text_page, codes, starts, ends)
    join_spaced(words, text_page, ends - starts == 1)
    found = Words(words.text, words.box, words.line, turn, char, seen_order)
    return found if words.kept.all() else found.pick(words.kept)


def _measured(text_page: Any, codes: Codes) -> tuple[Ints, Ints, Ints, Floats, Floats, Ints]:
    """Where words begin and end in the text, their lines, the boxes of their first and last characters, and the first's index."""
    cuts = np.flatnonzero(codes == _HYPHEN) + 1
    starts, ends = _spans(codes, cuts)
    first, last, char = _edges(text_page, codes, starts, ends)
    if len(cuts) and len(unknown := _unknown(cuts, starts, ends, first, last)):
        codes[unknown - 1] = _UNKNOWN
        cuts = np.setdiff1d(cuts, unknown)
        starts, ends = _spans(codes, cuts)
        first, last, char = _edges(text_page, codes, starts, ends)
    if len(piles := _piles(text_page, codes, starts, ends, first, last, char)):
        cuts = np.union1d(cuts, piles)
        starts, ends = _spans(codes, cuts)
        first, last, char = _edges(text_page, codes, starts, ends)
    breaks = codes == 10
    breaks[cuts[cuts < len(codes)]] = True
    return starts, ends, np.cumsum(breaks)[starts].astype(np.int64), first, last, char


def _unknown(cuts: Ints, starts: Ints, ends: Ints, first: Floats, last: Floats) -> Ints:
    """Cuts after which the line goes on: there PDFium's mark is no hyphen, but a letter that the font doesn't tell."""
    before, after = np.searchsorted(ends, cuts), np.searchsorted(starts, cuts)
    there = (before < len(ends)) & (after < len(starts))
    cuts, before, after = cuts[there], before[there], after[there]
    height = np.abs(last[before, 3] - last[before, 1])
    level = np.abs(last[before, 1] - first[after, 1]) < 0.3 * height
    found: Ints = cuts[level & (np.abs(first[after, 0] - last[before, 2]) < 2 * height)]
    return found


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
    words = string.split()
    if len(words) == len(starts) and sum(map(len, words)) == len(string) - len(codes) + (ends - starts).sum():
        return words  # no cut within a word, and no blank but those that part words
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    if len(string) == len(codes):
        return [string[a:b] for a, b in pairs]
    return [data[2 * a : 2 * b].decode("utf-16-le", "replace") for a, b in pairs]


def _edges(text_page: Any, codes: Codes, starts: Ints, ends: Ints) -> tuple[Floats, Floats, Ints]:
    """The boxes of words' first and last characters, and the index of the first; a mark of hyphenation has no box of its own."""
    first, last = starts, ends - 1 - ((ends - starts > 1) & (codes[ends - 1] == _HYPHEN))
    if len(codes) != raw.FPDFText_CountChars(text_page):
        first, last = (np.array([raw.FPDFText_GetCharIndexFromTextIndex(text_page, int(i)) for i in which]) for which in (first, last))
    long = last != first
    boxes = boxes_of(text_page, np.concatenate([first, last[long]]))
    last_boxes = boxes[: len(first)].copy()
    last_boxes[long] = boxes[len(first) :]
    return boxes[: len(first)], last_boxes, first


def _piles(text_page: Any, codes: Codes, starts: Ints, ends: Ints, first: Floats, last: Floats, char: Ints) -> Ints:
    """Where to cut words that PDFium made of a column's figures: upright characters below each other, or far apart."""
    letters = ends - starts
    steps = np.abs(last[:, [0, 3]] - first[:, [0, 3]])
    height = np.maximum(1.0, np.abs(first[:, 1] - first[:, 3]))
    odd = (letters > 1) & (codes[starts] < _IDEOGRAPHS) & ((steps[:, 1] > steps[:, 0]) | (steps[:, 0] > 1.5 * height * letters))
    cuts: list[int] = []
    for index in np.flatnonzero(odd).tolist():
        if abs(raw.FPDFText_GetCharAngle(text_page, int(char[index]))) < 0.1:
            boxes = boxes_of(text_page, np.arange(letters[index]) + char[index])
            below = np.abs(np.diff(boxes[:, 3])) > 0.5 * height[index]
            beside = boxes[1:, 0] - boxes[:-1, 2] > height[index]
            cuts += (np.flatnonzero(below | beside) + starts[index] + 1).tolist()
    return np.array(cuts, np.int64)


def _backwards(codes: Codes, starts: Ints) -> NDArray[np.bool_] | None:
    """Of each word, in a column, whether it has letters that are written from right to left: its first one then stands last."""
    places = np.flatnonzero(_RIGHT_TO_LEFT[codes])
    if not len(places):
        return None
    found = np.zeros((len(starts), 1), bool)
    found[np.searchsorted(starts, places, "right") - 1] = True
    return found


def _set_upright(text_page: Any, turn: Ints, line: Ints, char: Ints, backwards: NDArray[np.bool_]) -> None:
    """Lines of Arabic or Hebrew that some programs write, and PDFium leaves, from left to right aren't upside down."""
    for index in np.flatnonzero(backwards & (turn == 2)).tolist():
        if turn[index] and abs(raw.FPDFText_GetCharAngle(text_page, int(char[index]))) < 0.1:
            turn[line == line[index]] = 0


def _outlines(text_page: Any, char: Ints, letters: Ints, strings: list[str]) -> tuple[Floats, Floats, list[list[str]]]:
    """Left and right of words by all of their characters: where directions mix, the first and the last aren't the outermost;
    and the characters from left to right, those that share a place as one."""
    begins = np.cumsum(letters) - letters
    boxes = boxes_of(text_page, np.arange(letters.sum()) + np.repeat(char - begins, letters))
    seen_order = []
    for text, begin in zip(strings, begins.tolist(), strict=True):
        clusters: list[tuple[float, str]] = []
        for letter, x0 in zip(text, boxes[begin : begin + len(text), 0].tolist(), strict=False):
            if clusters and (abs(x0 - clusters[-1][0]) < 0.01 or unicodedata.combining(letter)):
                clusters[-1] = (clusters[-1][0], clusters[-1][1] + letter)
            else:
                clusters.append((x0, letter))
        seen_order.append([_LAM_ALEF.sub(r"\2\1", cluster) for _, cluster in sorted(clusters, key=lambda placed: placed[0])])
    return np.minimum.reduceat(boxes[:, 0], begins), np.maximum.reduceat(boxes[:, 2], begins), seen_order


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
