"""Words of pages with Hebrew or Arabic, put so that a reader's next word always stands to the right of the last one.

PDFium gives the letters of each word in their order, and the words of a line nearly so. Their boxes tell the rest: each
stretch of a line reads as most letters of its column do, and where most of a page reads from right to left, the page
is mirrored, so that its columns and the cells of its tables follow each other as they are read.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from ingest.loaders.pdf.chars import Floats
from ingest.loaders.pdf.columns import BULLET
from ingest.loaders.pdf.rules import Rule
from ingest.loaders.pdf.tables import Table
from ingest.loaders.pdf.words import Words

_GAP = 0.9
"""Of a line's height: a wider gap ends a stretch of a line."""
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_OTHER = re.compile(r"[^\W\d_\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_OTHER_RUN = re.compile(r"L(?:[LNO]*[LN])?")
_WITHIN = re.compile(r"[LN](?:[LNOS]*[LN])?S?")
_RIGHT_TO_LEFT_RUN = re.compile(r"R(?:[RNO]*R)?")
"""Of kinds of words, or of characters, as `_kind` tells them, from left to right."""
_BEFORE_NUMBERS, _AFTER_NUMBERS = frozenset("$\u20ac\u00a3\u20aa#"), frozenset("%\u2030\u00b0")
_MIRRORED = dict(zip("()[]{}<>\u00ab\u00bb", ")(][}{><\u00bb\u00ab", strict=True))


@dataclass(slots=True)
class _Stretch:
    """Words of a line without a wide gap between them, from left to right; `letters` of right-to-left scripts less others."""

    words: list[int] = field(default_factory=list)
    x0: float = 0.0
    x1: float = 0.0
    letters: int = 0


def in_reading_direction(
    words: Words, across: list[Rule], down: list[Rule], regions: list[Table]
) -> tuple[Words, list[Rule], list[Rule], list[Table]]:
    """Words, rules and recognised regions of a page, mirrored if most of it reads from right to left; each stretch of a line is a
    line of its own."""
    letters = [len(_RIGHT_TO_LEFT.findall(text)) - len(_OTHER.findall(text)) for text in words.text]
    rows = [_stretches(row, words, letters) for row in _rows(words)]
    mirrored = sum(letters) > 0
    boxes = words.box.copy()
    backwards = np.zeros(len(words), bool)
    order: list[int] = []
    lines: list[int] = []
    directions = iter(_directions([stretch for row in rows for stretch in row], words))
    for row in rows:
        for stretch in row:
            direction = next(directions)
            _place(stretch, words, boxes, direction)
            backwards[stretch.words] = direction
            if mirrored:
                boxes[stretch.words, 0::2] -= stretch.x0 + stretch.x1
        for stretch in sorted(row, key=lambda part: float(boxes[part.words, 0].min())):
            order += sorted(stretch.words, key=lambda index: float(boxes[index, 0]))
            lines += [lines[-1] + 1 if lines else 0] * len(stretch.words)
    chosen = np.array(order)
    spelt = [(words.text[index], words.seen_order[index], bool(backwards[index])) for index in order]
    text = [_spelt(*word, False) for word in spelt]
    turned = [(line, word) for line, word, (_, _, direction) in zip(lines, text, spelt, strict=True) if direction]
    if _brackets_are_mirrored("".join(word for _, word in part) for _, part in groupby(turned, lambda placed: placed[0])):
        text = [_spelt(*word, True) for word in spelt]
    found = Words(text, boxes[chosen], np.array(lines), words.turn[chosen], words.char[chosen], words.seen_order, words.number[chosen])
    if not mirrored:
        return found, across, down, regions
    seen = [replace(region, box=(-region.box[2], region.box[1], -region.box[0], region.box[3])) for region in regions]
    return found, [(y, -b, -a) for y, a, b in across], [(-x, a, b) for x, a, b in down], seen


def _rows(words: Words) -> list[list[int]]:
    """Words that are level, from the top down, each row from left to right."""
    rows: list[list[int]] = []
    boxes = words.box.tolist()
    for index in np.argsort(words.box[:, 1] + words.box[:, 3], kind="stable").tolist():
        _, top, _, bottom = boxes[index]
        _, above, _, below = boxes[rows[-1][0]] if rows else boxes[index]
        if rows and min(bottom, below) - max(top, above) > 0.6 * min(bottom - top, below - above):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [sorted(row, key=lambda index: float(words.box[index, 0])) for row in rows]


def _stretches(row: list[int], words: Words, letters: list[int]) -> list[_Stretch]:
    found: list[_Stretch] = []
    for index in row:
        x0, y0, x1, y1 = words.box[index].tolist()
        if not found or x0 - found[-1].x1 > _GAP * (y1 - y0):
            found.append(_Stretch(x0=x0, x1=x1))
        stretch = found[-1]
        stretch.words.append(index)
        stretch.x1 = max(stretch.x1, x1)
        stretch.letters += letters[index]
    return _labelled(found, words)


def _labelled(stretches: list[_Stretch], words: Words) -> list[_Stretch]:
    """An item's number stands in the stretch of its text."""
    if len(stretches) > 1 and stretches[1].letters < 0 and BULLET.fullmatch(words.text[stretches[0].words[0]]):
        label, item = stretches[:2]
        return [_Stretch(label.words + item.words, label.x0, item.x1, item.letters), *stretches[2:]]
    return stretches


def _directions(stretches: list[_Stretch], words: Words) -> list[bool]:
    """Whether each reads from right to left, as most letters do of it and of the lines right above and below."""
    x0, x1 = np.array([part.x0 for part in stretches]), np.array([part.x1 for part in stretches])
    y0, y1 = (np.array([words.box[part.words[0], side] for part in stretches]) for side in (1, 3))
    letters = np.array([part.letters for part in stretches])
    common = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
    near = np.abs((y0 + y1)[:, None] - (y0 + y1)) / 2 < 1.4 * np.minimum(y1 - y0, (y1 - y0)[:, None])
    votes = ((near & (common > 0.5 * np.minimum(x1 - x0, (x1 - x0)[:, None]))) * letters).sum(axis=1)
    return np.where(votes == 0, letters.sum() > 0, votes > 0).tolist()  # type: ignore[no-any-return]


def _place(stretch: _Stretch, words: Words, boxes: Floats, right_to_left: bool) -> None:
    """Moves a stretch's boxes, within its own width, to where they would be if it were written from left to right."""
    kinds = "".join(_kind(words.text[index]) for index in stretch.words)
    run = _OTHER_RUN if right_to_left else _RIGHT_TO_LEFT_RUN
    if right_to_left:
        _mirror(stretch.words, boxes, stretch.x0 + stretch.x1)
    for match in run.finditer(kinds):
        part = stretch.words[match.start() : match.end()]
        _mirror(part, boxes, float(boxes[part, 0].min() + boxes[part, 2].max()))


def _mirror(part: list[int], boxes: Floats, twice: float) -> None:
    boxes[part, 0], boxes[part, 2] = twice - boxes[part, 2], twice - boxes[part, 0]


def _spelt(text: str, seen: list[str], right_to_left: bool, mirror: bool) -> str:
    """A word's characters in the order in which they are read, from that in which they stand from left to right."""
    if sum(map(len, seen)) != len(text):
        return text  # what is raised in it was written anew
    kinds = "".join(_kind(cluster) for cluster in seen)
    runs = [match.span() for match in (_WITHIN if right_to_left else _RIGHT_TO_LEFT_RUN).finditer(kinds)]
    found, done = [], 0
    for begin, end in [*runs, (len(seen), len(seen))]:
        for part, turned in ((seen[done:begin], right_to_left), (seen[begin:end], not right_to_left)):
            if turned and mirror:
                part = [_MIRRORED.get(cluster, cluster) for cluster in part]
            found.append("".join(reversed(part) if turned else part))
        done = end
    return "".join(reversed(found)) if right_to_left else "".join(found)


def _brackets_are_mirrored(lines: Iterable[str]) -> bool:
    """Whether brackets close before they open: some fonts tell what a bracket looks like, not what it does."""
    wrong = 0
    for line in lines:
        brackets = "".join(letter for letter in line if letter in "()")
        wrong += brackets.startswith(")(") - brackets.startswith("()")
    return wrong > 0


def _kind(text: str) -> str:
    """R: right to left, L: has other letters, N: a number, S: the sign after one, O: only signs."""
    if text in _BEFORE_NUMBERS or text in _AFTER_NUMBERS:
        return "S" if text in _AFTER_NUMBERS else "N"
    if _RIGHT_TO_LEFT.search(text):
        return "R"
    return "L" if _OTHER.search(text) else "N" if any(letter.isdigit() for letter in text) else "O"
