"""The order in which a person reads a PDF page: columns one after the other, tables row by row.

Most pages are written in the order in which they are read, and a few sums over the words' boxes show it: their lines
stay as PDFium gives them. On the others words are gathered into pieces of a line, pieces into rows, and rows into
bands that share the same gaps; a band of several columns is running text, a table, or rows of short pieces.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np

from ingest.loaders.pdf.breaks import MARK, cell_of
from ingest.loaders.pdf.chars import Floats, Ints
from ingest.loaders.pdf.chars import median as median_of
from ingest.loaders.pdf.columns import (
    NUMBER,
    Cell,
    Columns,
    Piece,
    Row,
    Rows,
    bands_of,
    columns_of,
    is_table,
    is_text,
    rows_of,
    within,
    written,
)
from ingest.loaders.pdf.tables import Table
from ingest.loaders.pdf.words import Words, line_begins

_GAP = 0.9
"""Of a line's height: a wider gap between words may separate columns."""
_DEEPEST = 6


Stretch = tuple[float, float, Cell]
"""A piece of a line: from where to where it reaches, and what it says."""


@dataclass(slots=True)
class Line:
    """A line of text, or a whole table.

    Attributes:
        box: left, top, right, bottom.
        size: the height of its first word's box.
        char, last_char: index of its first character, and of the first one of a table's last word, to ask for their fonts.
        columns: a table's, from where to where each reaches.
        cells: its pieces, where there are several.
        numbers: of its words, in the order in which its text has them.
        rows: a table's.
    """

    text: str
    box: tuple[float, float, float, float]
    size: float = 0.0
    char: int = -1
    table: bool = False
    last_char: int = -1
    columns: Columns = field(default_factory=list)
    cells: list[Stretch] = field(default_factory=list)
    numbers: Ints | list[int] = field(default_factory=list)
    rows: Rows = field(default_factory=list)


def is_plain(words: Words) -> bool:
    """Whether the lines, in the order in which the file has them, are what a person reads."""
    if len(words) < 2:
        return True
    box, same = words.box, np.diff(words.line) == 0
    height = max(1.0, median_of(box[:, 3] - box[:, 1]))
    gaps = (box[1:, 0] - box[:-1, 2])[same]
    if (gaps > _GAP * height).sum() > 2 or (gaps > 2.5 * height).any() or (gaps < -height).any():
        return False
    lines = _line_boxes(words)
    middle = (lines[:, 1] + lines[:, 3]) / 2
    step = np.diff(middle)
    beside = (np.abs(step) < 0.5 * height) & (lines[1:, 0] > lines[:-1, 2])
    up = np.append(np.flatnonzero(step < -0.5 * height), len(step))
    rightmost = np.maximum.accumulate(lines[:, 2])
    for jump, following in pairwise(up.tolist()):
        edge, left = rightmost[jump], lines[jump, 0]
        if following - jump < 3 or lines[jump + 1, 0] < edge - 0.4 * (edge - left):
            return False  # neither the top of another column nor a long one
    return bool(beside.sum() <= 1)


def _line_boxes(words: Words) -> Floats:
    begins = line_begins(words)
    low, high = np.minimum.reduceat(words.box, begins), np.maximum.reduceat(words.box, begins)
    return np.column_stack([low[:, :2], high[:, 2:]])


def plain_lines(words: Words) -> list[Line]:
    """PDFium's own lines."""
    if not len(words):
        return []
    begins = line_begins(words).tolist()
    boxes = _line_boxes(words).tolist()
    chars = words.char.tolist()
    ends = [*begins[1:], len(words)]
    sizes = (words.box[:, 3] - words.box[:, 1]).tolist()
    return [
        Line(" ".join(words.text[a:b]), tuple(box), sizes[a], chars[a], numbers=words.number[a:b])
        for a, b, box in zip(begins, ends, boxes, strict=True)
    ]


def laid_out(words: Words, tables: list[Table]) -> list[Line]:
    """Lines in reading order."""
    inside = {index for table in tables for index in table.words}
    rest = words.pick(np.array([index not in inside for index in range(len(words))], dtype=bool)) if inside else words
    pieces = _pieces(rest) + [_piece_of(table, words) for table in tables]
    return ordered(_once(pieces))


def _piece_of(table: Table, words: Words) -> Piece:
    first, last = (int(words.char[at]) for at in (min(table.words), max(table.words))) if table.words else (-1, -1)
    return Piece(*table.box, table.text, 0.0, first, 0, True, last, table.columns, table.numbers, table.rows)


def ordered(pieces: list[Piece]) -> list[Line]:
    """Lines in reading order, from pieces of them; `Piece.char` says in which order the file, if any, has them."""
    return list(_ordered(pieces, _DEEPEST))


def _once(pieces: list[Piece]) -> list[Piece]:
    """Text that is drawn twice in one place, to make it look bold, is read once."""
    seen: dict[str, list[Piece]] = {}
    found = []
    for piece in pieces:
        alike = seen.setdefault(piece.text, [])
        if not any(abs(other.x0 - piece.x0) < 2 and abs(other.y0 - piece.y0) < 2 for other in alike):
            alike.append(piece)
            found.append(piece)
    return found


def _pieces(words: Words) -> list[Piece]:
    """Words that follow each other on a line without a wide gap."""
    pieces: list[Piece] = []
    last: Piece | None = None
    line, height = -1, 1.0
    lines, chars, numbers = words.line.tolist(), words.char.tolist(), words.number.tolist()
    for index, (x0, y0, x1, y1) in enumerate(words.box.tolist()):
        near = last is not None and lines[index] == line and abs(y0 + y1 - last.y0 - last.y1) < 1.2 * height
        if last is not None and near and -height < x0 - last.x1 <= _GAP * height:
            last.text += " " + words.text[index]
            last.words += 1
            last.numbers.append(numbers[index])
            last.x1, last.y0, last.y1 = max(x1, last.x1), min(y0, last.y0), max(y1, last.y1)
            continue
        line, height = lines[index], max(1.0, y1 - y0)
        last = Piece(x0, y0, x1, y1, words.text[index], y1 - y0, chars[index], 1, numbers=[numbers[index]])
        pieces.append(last)
    return pieces


def _ordered(pieces: list[Piece], depth: int) -> Iterator[Line]:
    for band in bands_of(rows_of(pieces)):
        columns = columns_of(band)
        if len(columns) < 2 or not depth:
            yield from _in_rows(band.rows)
            continue
        cells = [[within(row, column) for column in columns] for row in band.rows]
        if is_text(cells, columns):
            for index in range(len(columns)):
                yield from _ordered([piece for row in cells for piece in row[index]], depth - 1)
        elif is_table(cells):
            yield from _as_table(band.rows, cells, columns)
        else:
            yield from _tables_among(band.rows)


def _tables_among(rows: list[Row]) -> Iterator[Line]:
    """Rows that follow each other, and where some of them have all their gaps in common, perhaps a table."""
    for band in bands_of(rows, strict=True):
        columns = columns_of(band)
        cells = [[within(row, column) for column in columns] for row in band.rows]
        yield from _as_table(band.rows, cells, columns) if len(columns) > 1 and is_table(cells) else _in_rows(band.rows)


def _as_table(rows: list[Row], cells: list[list[list[Piece]]], columns: Columns) -> Iterator[Line]:
    """Rows before the first and after the last full one stay lines; a row that lacks its first cell continues the one above."""
    full = [index for index, row in enumerate(cells) if sum(bool(cell) for cell in row) > 1]
    first, last = full[0], full[-1]
    yield from _in_rows(rows[:first])
    height = median(piece.y1 - piece.y0 for row in rows for piece in row)
    gaps = [min(p.y0 for p in b) - max(p.y1 for p in a) for a, b in pairwise(rows[first : last + 1])]
    begun = [gap for gap, row in zip(gaps, cells[first + 1 :], strict=False) if row[0]]
    near = max(0.35 * height, 0.6 * median(begun) if begun else 0.0)
    table: Rows = []
    for index in range(first, last + 1):
        row = [
            Cell(" ".join(piece.text for piece in cell), [number for piece in cell for number in piece.numbers]) for cell in cells[index]
        ]
        texts, above = [cell.text for cell in row], [cell.text for cell in table[-1]] if table else []
        lacks = sum(map(bool, texts)) < len([text for text in above if text])
        if above and gaps[index - first - 1] < near and lacks and (not texts[0] or sum(map(bool, texts)) == 1) and _continues(texts, above):
            table[-1] = [
                Cell(cell_of([part.text for part in (a, b) if part.text]), a.numbers + b.numbers)
                for a, b in zip(table[-1], row, strict=True)
            ]
        else:
            table.append(row)
    pieces = [piece for row in rows[first : last + 1] for piece in row]
    box = (min(p.x0 for p in pieces), min(p.y0 for p in pieces), max(p.x1 for p in pieces), max(p.y1 for p in pieces))
    text, numbers = written(table)
    yield Line(text, box, 0.0, pieces[0].char, True, pieces[-1].char, columns, numbers=numbers, rows=table)
    yield from _in_rows(rows[last + 1 :])


def _continues(texts: list[str], above: list[str]) -> bool:
    return all(a or not b for a, b in zip(above, texts, strict=True)) and not any(NUMBER.fullmatch(text) for text in texts if text)


def _in_rows(rows: list[Row]) -> Iterator[Line]:
    for row in rows:
        box = (row[0].x0, min(p.y0 for p in row), row[-1].x1, max(p.y1 for p in row))
        cells = [(piece.x0, piece.x1, Cell(piece.text, piece.numbers)) for piece in row] if len(row) > 1 else []
        numbers = [number for piece in row for number in piece.numbers]
        first = row[0]
        yield Line(_side_by_side(row), box, first.size, first.char, first.table, first.last_char, first.columns, cells, numbers, first.rows)


def _side_by_side(row: Row) -> str:
    """Where another column follows, the other half of a word doesn't."""
    return " ".join([piece.text[:-1] + "-" if piece.text.endswith(MARK) else piece.text for piece in row[:-1]] + [row[-1].text])
