"""The lines of a table: Markdown rows below a header, or, where the header is wide, a paragraph of `column: value` for each row.

A reader of one chunk can't count to the fourteenth cell of a row, and a header that fills the chunk leaves no room for the row.
"""

from collections.abc import Iterator
from itertools import chain

_WIDE, _LONG_NAMES = 8, 80
"""Columns from which, and characters of all their names together above which, a row names its columns itself."""
_NAMED = 0.8
"""Share of the columns that have a name: the first one often has none."""
_NAME = 80
"""Characters up to which the first cell of a column is a name; a longer one is a text in a table that lays out a page."""
_SHORT_KEY = 3, 24
"""Characters of a row's first cell that is repeated before each of its columns. Asked about one of 22 columns of 40 pumps, the starter
answered 18 of 20 questions right so, 12 where it stood once, and 3 where rows were Markdown."""
_PARAGRAPH = 700
"""Characters at which a row is cut, so that each part fits a chunk: each begins with the row's first cell."""


class TableLines:
    """Writes a table's rows.

    Args:
        first: the first row, the header where there is one.
        width: how many cells a row has.
        named: whether the first row names the columns.
    """

    def __init__(self, first: list[str], width: int, named: bool) -> None:
        self._first = [" ".join(cell.split()) for cell in first]
        self._width = width
        self._named = named
        self._wide = named and is_wide(self._first)

    def head(self) -> Iterator[str]:
        """The header's lines."""
        yield row_line(self._padded(self._first))
        if self._named and not self._wide:
            yield "|" + " --- |" * max(self._width, len(self._first))

    def row(self, cells: list[str]) -> str:
        """A row's line, or paragraphs."""
        return self._record(cells) if self._wide else row_line(self._padded(cells))

    def _padded(self, cells: list[str]) -> list[str]:
        return cells + [""] * (self._width - len(cells))

    def order(self, row: int, cells: list[str]) -> Iterator[tuple[int, int]]:
        """Which cells, by row and column, the line or paragraphs of a row tell one after the other."""
        if not self._wide:
            yield from ((row, column) for column in range(len(cells)))
            return
        for column, _ in chain.from_iterable(self._paragraphs(cells)):
            if self._names(cells)[column]:
                yield from [(row, 0)] * bool(column and self._key(cells))
                yield 0, column
            yield row, column

    def _record(self, cells: list[str]) -> str:
        """`Number: P-117; P-117 Flow rate: 219; ...`: what the row is about stands beside each value."""
        return "\n" + "\n\n".join("; ".join(part for _, part in paragraph) for paragraph in self._paragraphs(cells))

    def _paragraphs(self, cells: list[str]) -> list[list[tuple[int, str]]]:
        """A row's cells, each by its column and with its name; every paragraph begins with the first one."""
        cells = [" ".join(cell.split()) for cell in cells]
        key = self._key(cells)
        parts = [
            (column, f"{key * bool(column)}{name}: {cell}" if name else cell)
            for column, (name, cell) in enumerate(zip(self._names(cells), cells, strict=False))
            if cell
        ]
        letters = sum(len(part) for _, part in parts)
        goal = letters / -(-letters // _PARAGRAPH)
        paragraphs, size = [parts[:1]], 0
        for column, part in parts[1:]:
            if size >= goal:
                paragraphs.append(parts[:1])
                size = 0
            paragraphs[-1].append((column, part))
            size += len(part)
        return paragraphs

    def _names(self, cells: list[str]) -> list[str]:
        return self._first + [""] * (len(cells) - len(self._first))

    def _key(self, cells: list[str]) -> str:
        """What stands before the names of a row's other cells."""
        first = " ".join(cells[0].split())
        return f"{first} " if self._first[0] and _SHORT_KEY[0] <= len(first) <= _SHORT_KEY[1] else ""


def is_wide(names: list[str]) -> bool:
    """Whether rows should name their columns: many, most with a name, none with a text."""
    characters = list(map(len, names))
    named = sum(map(bool, names)) >= _NAMED * len(names)
    return len(names) >= _WIDE and named and sum(characters) > _LONG_NAMES and max(characters) <= _NAME


def row_line(cells: list[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
