"""Raised and lowered letters of a PDF page: 10 and a small 6 above it read 10^6, H and a small 2 below it H2.

A PDF says nothing of superscripts: they are smaller letters, higher than those that they touch. Only the first and last
character of each word have been measured; a word is measured letter by letter where these differ, or where figures
and signs within it might be raised.
"""

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.loaders.linear import raised
from ingest.loaders.pdf.chars import Floats, Ints, boxes_of, facing, letters_of, origins_of

_DIGIT, _LETTER, _CLOSING, _SIGN, _BETWEEN = 1, 2, 4, 8, 16
_SMALLER = 0.92
"""Of the height of the letters beside it, at most: a raised or lowered one's."""
_HIGHER = 0.17
"""Of their height, at least: how far a raised letter's foot stands above theirs."""
_TOUCHING = 0.1
"""Of their height, at most: the gap between them."""
_NEAR = 0.4
"""Likewise, where what is raised comes after a blank."""
_LONGEST, _MOST_WORDS = 12, 3
"""Letters and words of what is raised: more are a line beside a large initial."""
_HYPHEN = 0xFFFE
"""PDFium's mark of a hyphen at the end of a line, which stands nowhere."""
_ON_LINE = re.compile(r"[^\W_]|[.,;:]")
_BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)")
_LEADS = re.compile(r"\^\d+[^\W\d_]")
"""What is raised before a letter belongs to that: an isotope's number."""
_OVER = re.compile(r"[/\u2044]\d")


def _kinds() -> NDArray[np.uint8]:
    """Of each UTF-16 code, what it may be in a formula."""
    kinds = np.zeros(0x10000, np.uint8)
    for first, last in ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x370, 0x52F)):
        kinds[first : last + 1] = _LETTER
    kinds[0x30:0x3A] = _DIGIT
    signs = {").,;:!?]}\u201d\u2019\"'": _CLOSING, "*\u2217\u2020\u2021\u00a7+\u2212=\u00d7\u00b7\u2044": _SIGN, ".,:-/'\u2013$(": _BETWEEN}
    for which, kind in signs.items():
        kinds[[ord(sign) for sign in which]] |= kind
    return kinds


_KIND = _kinds()
_MAY_RISE = (_KIND & (_DIGIT | _SIGN)) > 0


@dataclass(slots=True)
class Lettering:
    """Words of a page as they were read.

    Attributes:
        text: the words.
        line: which line each is on.
        box: left, top, right, bottom of each, y downwards.
        first, last: the same of its first and last character.
        turn: quarter turns of each.
        char: index of each word's first character.
        kept: False for one that became part of the word before it.
    """

    text: list[str]
    line: Ints
    box: Floats
    first: Floats
    last: Floats
    turn: Ints
    char: Ints
    kept: NDArray[np.bool_]

    def letters(self, index: int, text_page: Any) -> list[tuple[float, float]]:
        """Size and base line of each of a word's characters."""
        first = int(self.char[index])
        return letters_of(text_page, range(first, first + len(self.text[index])), int(self.turn[index]))


@dataclass(slots=True)
class _Run:
    """Letters of one word that are alike in size and stand on one line; y downwards."""

    text: str
    size: float
    foot: float

    def is_raised(self, base: "_Run") -> bool:
        return self.size < _SMALLER * base.size and _HIGHER < (base.foot - self.foot) / base.size < 1.0


def write_raised(words: Lettering, text_page: Any, codes: NDArray[np.uint16], starts: Ints, ends: Ints) -> None:
    """Writes what is raised as such, joins what is lowered, and mends lines that PDFium broke there.

    Args:
        words: changed in place.
        text_page: PDFium's, asked for more of a few words.
        codes: the page's text; `starts` and `ends` say where each word stands in it.
    """
    bases: dict[int, _Run] = {}
    tall = words.first[:, 3] - words.first[:, 1]
    for index in _doubtful(words, text_page, codes, starts, ends, tall):
        text = words.text[index]
        letters = words.letters(index, text_page)
        if len(letters) == len(text) and len(runs := _runs(text, letters)) > 1:
            base = max((run for run in runs if _ON_LINE.search(run.text)), key=lambda run: run.size, default=runs[0])
            begins = index == 0 or words.line[index] != words.line[index - 1]
            if runs[-1].is_raised(base) and (end := _level_end(words, index)) > index + 1:
                runs[-1].text = _joined(words, index, end, runs[-1].text)
            words.text[index] = _written(runs, base, begins, words.text[index - 1] if index else "")
            bases[index] = base
    for index in _touching(words, tall):
        _attach(words, index, bases, text_page)
    _set_footnotes(words, tall)
    for index, base in bases.items():
        _go_on(words, index, base, text_page)


def _doubtful(words: Lettering, text_page: Any, codes: NDArray[np.uint16], starts: Ints, ends: Ints, tall: Floats) -> list[int]:
    """Words in which letters differ: their first and last ones, or one within that might be raised."""
    letters = ends - starts
    places = np.flatnonzero(_MAY_RISE[codes])
    owners = np.maximum(0, np.searchsorted(starts, places, "right") - 1)
    inner = (places > starts[owners]) & (places < ends[owners] - 1)
    places, owners = places[inner], owners[inner]
    before, after = _KIND[codes[places - 1]], _KIND[codes[places + 1]]
    likely = ((before & (_DIGIT | _BETWEEN)) == 0) | ((after & (_CLOSING | _LETTER)) > 0) | ((_KIND[codes[places]] & _SIGN) > 0)
    brief = np.flatnonzero((letters == 3) | (letters == 4))
    brief = brief[(_KIND[codes[ends[brief] - 1]] & _CLOSING) > 0]
    places, owners = np.append(places[likely], ends[brief] - 2), np.append(owners[likely], brief)
    edges = np.flatnonzero((letters > 1) & (np.abs(words.last[:, 3] - words.first[:, 3]) > 0.05 * tall))
    chars = words.char[edges] + letters[edges] - 1 - (codes[ends[edges] - 1] == _HYPHEN)
    if len(owners):
        inside = words.char[owners] + places - starts[owners]
        boxes = facing(boxes_of(text_page, inside), words.turn[owners])
        differ = np.abs(boxes[:, 3] - boxes[:, 1] - tall[owners]) > 0.05 * tall[owners]
        edges, chars = np.append(edges, owners[differ]), np.append(chars, inside[differ])
    if not len(edges):
        return []
    origins = origins_of(text_page, np.append(words.char[edges], chars))  # some fonts' boxes are those of their ink
    steps = np.abs(origins[: len(edges)] - origins[len(edges) :])
    off = np.where(words.turn[edges] % 2, steps[:, 0], steps[:, 1]) > 0.05 * tall[edges]
    return sorted(set(edges[off].tolist()))


def _touching(words: Lettering, tall: Floats) -> list[int]:
    """Words that are smaller than the one before them, and near it."""
    height = np.maximum(tall, words.last[:, 3] - words.last[:, 1])[:-1]
    smaller = np.flatnonzero(tall[1:] < _SMALLER * height)
    if not len(smaller):
        return []
    before, word, height = words.last[smaller], words.first[smaller + 1], np.maximum(1.0, height[smaller])
    gap = word[:, 0] - before[:, 2]
    near = (gap < _NEAR * height) & (gap > -0.5 * height) & (word[:, 1] < before[:, 3]) & (word[:, 3] > before[:, 1])
    return (smaller[near] + 1).tolist()  # type: ignore[no-any-return]


def _set_footnotes(words: Lettering, tall: Floats) -> None:
    """A footnote's mark, of which PDFium makes a line of its own, stands in the line of the note that it begins."""
    lasts = np.flatnonzero(words.line[1:] != words.line[:-1])
    lasts = lasts[tall[lasts] < _SMALLER * tall[lasts + 1]]
    for mark in lasts.tolist():
        _, top, end, foot = words.box[mark].tolist()
        left, upper, _, lower = words.box[mark + 1].tolist()
        alone = not mark or words.line[mark - 1] != words.line[mark]
        beside = -0.1 < (left - end) / (lower - upper) < 1.0 and upper - 0.5 * (foot - top) < top < foot < lower - 0.1 * (lower - upper)
        if alone and beside and len(words.text[mark]) <= 3:
            words.line[mark] = words.line[mark + 1]


def _runs(text: str, letters: list[tuple[float, float]]) -> list[_Run]:
    runs: list[_Run] = []
    for letter, (size, foot) in zip(text, letters, strict=True):
        last = runs[-1] if runs else None
        if last and abs(last.foot - foot) < 0.05 * last.size and abs(last.size - size) < 0.05 * last.size:
            last.text += letter
        else:
            runs.append(_Run(letter, size, foot))
    return runs


def _written(runs: list[_Run], base: _Run, begins: bool, before: str) -> str:
    """A word's text; `begins`: it is the first of its line, where a raised number is a footnote's; `before` is the word before it."""
    parts = [(up, "".join(run.text for run in group)) for up, group in groupby(runs, lambda run: run.is_raised(base))]
    text = ""
    for place, (up, part) in enumerate(parts):
        if not up:
            follows = place > 1 or (place and begins)
            text += " " * bool(follows and part[0].isalnum() and text[-1].isalnum()) + part
        elif part.isdigit() and place + 1 < len(parts) and _OVER.match(parts[place + 1][1]):
            text += " " * text[-1:].isdigit() + part
        else:
            text += _raised(part, text or before)
    return text


def _raised(text: str, before: str) -> str:
    """A mark in brackets is plain enough; a comma that is raised with one isn't a part of it."""
    mark = text.rstrip(",;. ")
    return (mark if _BRACKETED.fullmatch(mark) else raised(mark, before)) + text[len(mark) :].strip()


def _attach(words: Lettering, index: int, bases: dict[int, _Run], text_page: Any) -> None:
    """Joins a small word, and those level with it, to the larger one that it touches."""
    owner = index - 1
    while owner and not words.kept[owner]:
        owner -= 1
    if not words.kept[index]:
        return
    base = bases.get(owner) or _Run("", *max(words.letters(owner, text_page)))
    small = _Run(words.text[index], *words.letters(index, text_page)[0])
    if small.size >= _SMALLER * base.size:
        return
    end = _level_end(words, index)
    gap = words.first[index, 0] - words.box[owner, 2]
    if index in bases:
        leads = not words.text[index].startswith("^") or _LEADS.match(words.text[index])
        apart = gap > _TOUCHING * base.size and leads
        words.text[owner] += " " * bool(apart) + words.text[index]
    elif end and small.is_raised(base):
        text = _joined(words, index, end, small.text)
        over = end < len(words.text) and text.isdigit() and _OVER.match(words.text[end])
        apart = over or (gap > _TOUCHING * base.size and _BRACKETED.fullmatch(text))
        words.text[owner] += f" {text}" if apart else _raised(text, words.text[owner])
    elif words.text[owner].isalpha() and len(words.text[owner]) == 1 and base.size > 1.5 * small.size:
        _start_with(words, index, owner)
        return
    elif gap < _TOUCHING * base.size and abs(base.foot - small.foot) < 0.5 * base.size:
        words.text[owner] += small.text
    else:
        return
    words.kept[index] = False
    words.box[owner, 2] = max(words.box[owner, 2], words.box[index, 2])
    bases[owner] = base


def _start_with(words: Lettering, index: int, initial: int) -> None:
    """A large initial belongs to the word beside it."""
    words.text[index] = words.text[initial] + words.text[index]
    words.box[index, 0] = words.box[initial, 0]
    words.kept[initial] = False


def _level_end(words: Lettering, index: int) -> int:
    """Where words end that go on as the last letter of this one does; 0 if that is a line of its own."""
    height = words.last[index, 3] - words.last[index, 1]
    end = index + 1
    while end < len(words.text) and end - index <= _MOST_WORDS:
        alike = np.abs(words.first[end, [1, 3]] - words.last[index, [1, 3]]).max() < 0.1 * height
        if not (alike and -0.2 * height < words.first[end, 0] - words.last[end - 1, 2] < 0.6 * height):
            break
        end += 1
    letters = sum(map(len, words.text[index + 1 : end])) + (len(words.text[index]) if words.first[index, 3] == words.last[index, 3] else 0)
    return end if end - index <= _MOST_WORDS and letters <= _LONGEST else 0


def _joined(words: Lettering, index: int, end: int, text: str) -> str:
    words.kept[index + 1 : end] = False
    words.box[index, 2] = words.box[end - 1, 2]
    return " ".join([text, *words.text[index + 1 : end]])


def _go_on(words: Lettering, index: int, base: _Run, text_page: Any) -> None:
    """The line that PDFium began after a raised letter is the one that it stands in."""
    after = index + 1
    while after < len(words.text) and not words.kept[after]:
        after += 1
    if after == len(words.text):
        return
    gap = words.first[after, 0] - words.box[index, 2]
    level = abs(words.letters(after, text_page)[0][1] - base.foot) < 0.08 * base.size and -0.3 * base.size < gap < 1.5 * base.size
    if not level:
        return
    if words.line[after] != words.line[index]:
        words.line[words.line == words.line[after]] = words.line[index]
    if gap < 0.12 * base.size and not words.text[after][0].isalnum():
        words.text[index] += words.text[after]
        words.kept[after] = False
        words.box[index, 2] = words.box[after, 2]
