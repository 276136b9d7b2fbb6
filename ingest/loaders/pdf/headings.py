"""Paragraphs of a PDF page, and which of them are headings.

A PDF has lines, not paragraphs, and seldom says what a heading is. Its outline is believed where its titles stand on
their pages; else a heading is a short paragraph in letters larger than most of the document's, or in bold ones.
"""

import re
from collections import Counter
from ctypes import byref, c_int, create_string_buffer
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

import pypdfium2.raw as raw

from ingest.loaders.parsed import spelt_out
from ingest.loaders.pdf.breaks import joined
from ingest.loaders.pdf.chars import Ints
from ingest.loaders.pdf.columns import Cell, Columns, Rows
from ingest.loaders.pdf.layout import Line, Stretch

_LONGEST = 120
_BOLD_LONGEST = 80
_LARGER = 1.17
"""Times the body's size: fonts of one size differ by a tenth in the height of their boxes."""
_LIGATURES = {"\x0b": "ff", "\x0c": "fi", "\x0e": "ffi", "\x0f": "ffl", "\u21b5": "ff"}
_TEX = re.compile(r"(?<=[a-zA-Z])[\x0b\x0c\x0e\x0f\u21b5]|[\x0b\x0c\x0e\x0f\u21b5](?=[a-z])")
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u21b5\ufb00-\ufb06]")
"""What isn't left as it is: most text has none of it."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BOLD = re.compile(r"bold|black|heavy|semibold|demi|-medi\b|cmbx|cmb\d|sfbx", re.IGNORECASE)
_ENDS = (".", ",", ";", ":", "…")
_CAPTION = re.compile(r"(figure|fig|table)\b", re.IGNORECASE)

Pages = list[tuple[int, list["Block"]]]


@dataclass(slots=True, eq=False)
class Block:
    """A paragraph or a table.

    Attributes:
        size: the height of its letters' boxes, 0 where that says nothing.
        bold: whether it is set in bold; of a table, whether its first row is and its last isn't.
        columns: a table's, from where to where each reaches.
        cells: the pieces of each line, where all of its lines have several.
        numbers: of its words, line by line, in the order in which its text has them.
        rows: a table's.
        rest: the block of the next page that this one's end was taken from.
    """

    text: str
    size: float = 0.0
    bold: bool = False
    columns: Columns = field(default_factory=list)
    cells: list[list[Stretch]] = field(default_factory=list)
    numbers: list[Ints | list[int]] = field(default_factory=list)
    rows: Rows = field(default_factory=list)
    rest: "Block | None" = None


def blocks(lines: list[Line], text_page: Any) -> list[Block]:
    """Lines gathered into paragraphs, split where the gap to the next line or the size of the letters changes."""
    found: list[Block] = []
    group: list[Line] = []
    pitch = _pitch(lines)
    for line in lines:
        if group and _parts(group[-1], line, pitch):
            found.append(_block(group, lines, text_page))
            group = []
        group.append(line)
    if group:
        found.append(_block(group, lines, text_page))
    return [block for block in found if block.text.strip()]


def _pitch(lines: list[Line]) -> float:
    """How far apart most lines are."""
    steps = [b.box[3] - a.box[3] for a, b in pairwise(lines)]
    steps = [step for step, line in zip(steps, lines, strict=False) if 0.5 * line.size < step < 3 * line.size]
    return median(steps) if steps else 0.0


def _parts(above: Line, line: Line, pitch: float) -> bool:
    if above.table or line.table:
        return True
    small, large = sorted((above.size, line.size))
    if large > 1.12 * small:
        return True
    step = line.box[3] - above.box[3]
    if step < -0.5 * large:
        return above.text.endswith((".", "!", "?"))  # a new column: a sentence may go on there
    return step > (max(1.3 * pitch, 1.05 * large) if large < 1.2 * pitch else 1.35 * large)


def _block(group: list[Line], lines: list[Line], text_page: Any) -> Block:
    """A paragraph; `lines` are all of the page."""
    if group[0].table:
        first, last = group[0].char, group[0].last_char
        bold = min(first, last) >= 0 and _is_bold(text_page, first) and not _is_bold(text_page, last)
        table = group[0]
        rows = [[Cell(readable(cell.text), cell.numbers) for cell in row] for row in table.rows if any(cell.text.strip() for cell in row)]
        return Block(readable(table.text), bold=bold, columns=table.columns, numbers=[table.numbers], rows=rows)
    text = readable(joined([line.text for line in group], lambda number: _is_full(group, number, lines)))
    short = len(group) <= 3 and len(text) <= _LONGEST
    cells = [line.cells for line in group] if all(line.cells for line in group) else []
    return Block(
        text,
        group[0].size,
        short and group[0].char >= 0 and _is_bold(text_page, group[0].char),
        cells=cells,
        numbers=[line.numbers for line in group],
    )


def _is_full(group: list[Line], number: int, lines: list[Line]) -> bool:
    """Whether a line reaches the edge of its column, and the next isn't set in."""
    line, below = group[number], group[number + 1]
    beside = _beside(line, group)
    if len(beside) < 3:
        beside = [other for other in _beside(line, lines) if other.size < 1.12 * line.size]
    long = line.box[2] - line.box[0] > 8 * line.size and line.box[2] > max(other.box[2] for other in beside) - 2.5 * line.size
    return long and below.box[0] < min(other.box[0] for other in _beside(below, group)) + 0.5 * line.size


def _beside(line: Line, lines: list[Line]) -> list[Line]:
    """Lines of the same column: they begin about where it does."""
    return [other for other in lines if abs(other.box[0] - line.box[0]) < 3 * line.size]


def readable(text: str) -> str:
    """Ligatures as letters: TeX's older fonts tell them only by their place in the font."""
    if not _ODD.search(text):
        return text
    text = _TEX.sub(lambda match: _LIGATURES[match[0]], spelt_out(text))
    return _CONTROL.sub("", text)


def _is_bold(text_page: Any, char: int) -> bool:
    buffer, flags = create_string_buffer(128), c_int()
    raw.FPDFText_GetFontInfo(text_page, char, buffer, 128, byref(flags))
    return bool(_BOLD.search(buffer.value.decode("utf-8", "replace"))) or raw.FPDFText_GetFontWeight(text_page, char) >= 600


def choose(pages: Pages) -> dict[int, int]:
    """Headings by their looks: the level of each block that is one, by its identity."""
    everything = [block for _, found in pages for block in found]
    weights: Counter[float] = Counter()
    for block in everything:
        weights[round(block.size * 2) / 2] += len(block.text) if block.size else 0
    if not weights or not weights.most_common(1)[0][1]:
        return {}
    body = weights.most_common(1)[0][0]
    letters = sum(weights.values())
    bold_means = sum(len(block.text) for block in everything if block.bold and block.size) < 0.3 * letters
    seen = Counter(block.text for block in everything if block.size)
    chosen = [block for block in everything if _looks_like_one(block, body, bold_means) and seen[block.text] <= max(2, 0.1 * len(pages))]
    if sum(len(block.text) for block in chosen) > 0.5 * letters:
        return {}
    sizes: list[float] = []
    for size in sorted({max(block.size, body) for block in chosen}, reverse=True):
        if not sizes or size < sizes[-1] * 0.94:
            sizes.append(size)
    return {id(block): min(6, 1 + sum(max(block.size, body) < size * 0.94 for size in sizes)) for block in chosen}


def _looks_like_one(block: Block, body: float, bold_means: bool) -> bool:
    text = block.text.strip()
    if not block.size or len(text) > _LONGEST or sum(letter.isalpha() for letter in text) < 3 or _CAPTION.match(text) or "@" in text:
        return False
    if block.size >= _LARGER * body:
        return not text.endswith((",", ";"))
    one_line = "\n" not in text and len(text) <= _BOLD_LONGEST
    return block.bold and bold_means and block.size >= 0.95 * body and one_line and not text.endswith(_ENDS)


def outline(document: Any, pages: Pages) -> dict[int, int]:
    """Headings by the document's outline: its titles found on the pages that they name; {} if most aren't."""
    found: dict[int, int] = {}
    entries = 0
    by_number = dict(pages)
    for entry in document.get_toc(max_depth=6):
        title = _letters(entry.get_title() or "")
        destination = entry.get_dest()
        if not title or destination is None:
            continue
        entries += 1
        index = destination.get_index()
        if entries > 20_000 or index is None:
            break
        match = _titled(by_number.get(index + 1, []), title)
        if match is not None:
            found.setdefault(id(match), min(6, entry.level + 1))
    return found if len(found) >= max(2, 0.6 * entries) else {}


def _titled(found: list[Block], title: str) -> Block | None:
    """The block that a title names; before it there may be a number that the outline lacks, or the other way about."""
    for block in found:
        text = _letters(block.text) if len(block.text) <= 3 * _LONGEST and block.size else ""
        short, long = sorted((text, title), key=len)
        if short and long.endswith(short) and (long == short or long[: -len(short)].isdigit()):
            return block
    return None


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
