"""Pieces of a page's lines gathered into rows, rows into bands that share their gaps, and what a band of columns is.

Prose made into a table would be garbled, so a band is a table only where that is certain: three columns of short
pieces, or two of which one has numbers under its title.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.loaders.parsed import table_order, table_rows

BULLET = re.compile(r"[•‣▪●○◦■□\u2013\u2014\-*·§➢✓\uf0b7\uf0a7\uf0d8]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\(?[ivx]{1,5}[.)]|\d+(\.\d+)+\.?")
NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?[-+(]?[\d.,:/%\u2013-]+[%)]?[$€£]?|n/?a|[-\u2013\u2014]|[$€£]", re.IGNORECASE)


Columns = list[tuple[float, float]]
"""From where to where each column of a table reaches."""


class Cell(NamedTuple):
    """What a table's cell says, and the numbers of its words."""

    text: str
    numbers: list[int]


Rows = list[list[Cell]]


def written(rows: Rows) -> tuple[str, list[int]]:
    """A table as Markdown, and the numbers of the words that it tells one after the other."""
    texts = [[cell.text for cell in row] for row in rows]
    return table_rows(texts), [number for row, column in table_order(texts) for number in rows[row][column].numbers]


@dataclass(slots=True)
class Piece:
    """Words of one line with no wide gap between them, or a ruled table."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    size: float = 0.0
    char: int = -1
    words: int = 0
    table: bool = False
    last_char: int = -1
    columns: Columns = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rows: Rows = field(default_factory=list)


Row = list[Piece]


@dataclass(slots=True)
class Band:
    """Rows that share their gaps; `taken` are the stretches of the line that their pieces cover."""

    rows: list[Row] = field(default_factory=list)
    taken: list[tuple[float, float]] = field(default_factory=list)


def rows_of(pieces: list[Piece]) -> list[Row]:
    """Pieces whose middles are level stand in one row; a table is a row of its own."""
    rows: list[Row] = []
    middle, height = 0.0, 0.0
    for piece in sorted(pieces, key=lambda p: p.y0 if p.table else (p.y0 + p.y1) / 2):
        at = (piece.y0 + piece.y1) / 2
        if rows and not piece.table and not rows[-1][0].table and abs(at - middle) < 0.33 * min(height, piece.y1 - piece.y0):
            rows[-1].append(piece)
        else:
            rows.append([piece])
            middle, height = at, piece.y1 - piece.y0
    for row in rows:
        row.sort(key=lambda p: p.x0)
        _join_bullets(row)
    return rows


def _join_bullets(row: Row) -> None:
    """A bullet or an item's number belongs to the text after it, however far it stands out."""
    index = 0
    while index < len(row) - 1:
        first, second = row[index], row[index + 1]
        overlap = second.x0 - first.x1 < 0.5 * (first.y1 - first.y0)
        if not second.table and not first.table and (overlap or (BULLET.fullmatch(first.text) and second.x0 - first.x1 < 50)):
            row[index : index + 2] = [
                Piece(
                    first.x0, min(first.y0, second.y0), max(first.x1, second.x1), max(first.y1, second.y1), f"{first.text} {second.text}",
                    second.size, second.char, first.words + second.words, numbers=first.numbers + second.numbers,
                )
            ]  # fmt: skip
        else:
            index += 1


def bands_of(rows: list[Row], strict: bool = False) -> list[Band]:
    """Rows from the top down, a new band where a row leaves none of the gaps of those before it; `strict`: not all of them."""
    bands: list[Band] = []
    for row in rows:
        spans = [(piece.x0, piece.x1) for piece in row]
        if bands:
            band = bands[-1]
            taken = _union(band.taken + spans)
            wide = len(band.taken) > 1 or len(spans) > 1
            finer = len(taken) < (max(len(spans), len(band.taken)) if strict else len(spans) if len(band.taken) == 1 else 0)
            if not (wide and len(taken) < 2) and not finer and not _far(band, row):
                band.rows.append(row)
                band.taken = taken
                continue
        bands.append(Band([row], _union(spans)))
    return bands


def _far(band: Band, row: Row) -> bool:
    """Whether white space sets a row off from the band above it, so that they may be of different kinds."""
    last = band.rows[-1]
    if len(last) == 1 and len(row) == 1:
        return False
    height = max(min(p.y1 - p.y0 for p in row), 1.0)
    gap = min(p.y0 for p in row) - max(p.y1 for r in band.rows for p in r)
    return gap > 2.0 * height


def _union(spans: list[tuple[float, float]], apart: float = 5.0) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin - found[-1][1] < apart:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def columns_of(band: Band) -> list[tuple[float, float]]:
    return band.taken if any(len(row) > 1 for row in band.rows) or len(band.taken) > 1 else []


def within(row: Row, column: tuple[float, float]) -> list[Piece]:
    return [piece for piece in row if column[0] - 0.1 <= piece.x0 <= column[1]]


def is_text(cells: list[list[list[Piece]]], columns: list[tuple[float, float]]) -> bool:
    """Whether columns are to be read one after the other: their lines fill them, or are out of step with each other's."""
    if any(piece.table for row in cells for cell in row for piece in cell):
        return True
    parts = [[cell for row in cells if (cell := row[index])] for index in range(len(columns))]
    fewest = min(len(part) for part in parts)
    if len(cells) < 3:
        return False
    running = [_runs(part, right - left) for part, (left, right) in zip(parts, columns, strict=True)]
    if sum(running) >= 2 and all(runs or len(part) < 3 for runs, part in zip(running, parts, strict=True)):
        return True
    letters = min(sum(len(piece.text) for cell in part for piece in cell) / len(part) for part in parts)
    labels = sum(cell[-1].text.endswith(":") for cell in parts[0]) > 0.3 * len(parts[0])
    if fewest < 3 or letters < 8 or labels:
        return False  # labels and fields, rather than text
    if _column_by_column(cells) and not is_table(cells):
        return True
    if letters < 12:
        return False
    level = sum(sum(bool(cell) for cell in row) > 1 for row in cells)
    return level < 0.7 * fewest or (level < fewest and any(_goes_on(part) for part in parts))


def _runs(part: list[list[Piece]], width: float) -> bool:
    """Whether a column's lines are long and fill it."""
    words = sum(piece.words for cell in part for piece in cell) / len(part)
    letters = sum(len(piece.text) for cell in part for piece in cell) / len(part)
    fill = sum(cell[-1].x1 - cell[0].x0 for cell in part) / (len(part) * max(1.0, width))
    return len(part) >= 3 and (words >= 4 or (words < 2.5 and letters >= 22)) and fill >= 0.6


def _goes_on(part: list[list[Piece]]) -> bool:
    """Whether many of a column's lines continue the sentence of the one above."""
    return sum(cell[0].text[:1].islower() for cell in part) >= 0.4 * len(part)


def _column_by_column(cells: list[list[list[Piece]]]) -> bool:
    """Whether the file has all of a column before the next one begins."""
    last = -1
    for index in range(len(cells[0])):
        chars = [piece.char for row in cells for piece in row[index]]
        if min(chars) < last:
            return False
        last = max(chars)
    return True


def is_table(cells: list[list[list[Piece]]]) -> bool:
    """Whether rows of short pieces are certainly a table: three columns, or two of which one has numbers under its title."""
    full = [row for row in cells if sum(bool(cell) for cell in row) > 1]
    width = len(cells[0])
    if len(full) < 3 or len(full) < 0.5 * len(cells):
        return False
    filled = [cell for row in full for cell in row if cell]
    if len(filled) < (0.35 if all(full[0]) and width > 2 else 0.6) * len(full) * width:
        return False
    if sum(piece.words for cell in filled for piece in cell) / len(filled) > 4.5:
        return False
    if width > 2:
        return True
    numbers = [sum(bool(NUMBER.fullmatch(" ".join(p.text for p in row[i]))) for row in full) for i in range(2)]
    return numbers[1] >= 0.7 * len(full) and numbers[0] <= 0.2 * len(full) and numbers[1] < len(full) and len(full) >= 4
