"""The cells of an OpenDocument spreadsheet that are shown, row by row."""

from collections.abc import Callable, Iterator

from ingest.loaders.sheets.sheet import Row
from ingest.loaders.web.xmltree import Element, attribute, children, integer, local

_GROUPS = {"table-header-rows", "table-rows", "table-row-group"}
_COLUMN_GROUPS = {"table-header-columns", "table-columns", "table-column-group"}
WIDEST = 1000
"""Columns up to which a repeated cell is written out: sheets end with one that is repeated to the last of 16,384."""


class Sheets:
    """Reads sheets; counts what is hidden in them, and keeps comments on cells for what follows a sheet."""

    def __init__(self, text: Callable[[Element], str]) -> None:
        self._text = text
        self.hidden_rows = self.hidden_columns = 0
        self.comments: list[str] = []

    def rows(self, table: Element) -> Iterator[tuple[int, Row]]:
        """A sheet's rows, numbered as they follow each other; hidden ones, and cells in hidden columns, are left out."""
        left_out = _hidden_columns(table)
        used: set[int] = set()
        number = 0
        for element, count in table_rows_of(table):
            row = self._row(element)
            if is_collapsed(element):
                self.hidden_rows += min(count, 10000) if row else 0
                continue
            used |= row.keys() & left_out
            row = {column: text for column, text in row.items() if column not in left_out}
            for copy in range(count if row and count < 10000 else 1):
                yield number + copy + 1, row
            number += count
        self.hidden_columns += len(used)

    def _row(self, element: Element) -> Row:
        row: Row = {}
        column = 0
        for cell in cells_of(element):
            repeated = integer(cell, "number-columns-repeated", 1)
            text = "\n".join(self._text(paragraph) for paragraph in children(cell, "p")) if len(cell) else ""
            for note in children(cell, "annotation") if not is_collapsed(element) else ():
                self.comments.append(f"[Comment: {' '.join(self._text(paragraph) for paragraph in children(note, 'p'))}]")
            if text.strip() and local(cell) == "table-cell":
                row |= dict.fromkeys(range(column, column + min(repeated, WIDEST)), text)
            column += repeated
        return row


def _hidden_columns(table: Element) -> set[int]:
    """Columns that aren't shown, as far as cells are written out."""
    hidden: set[int] = set()
    place = 0
    for column in _columns(table):
        count = integer(column, "number-columns-repeated", 1)
        if is_collapsed(column):
            hidden |= set(range(place, min(place + count, 20000)))
        place += count
    return hidden


def _columns(table: Element) -> Iterator[Element]:
    for element in table:
        if local(element) == "table-column":
            yield element
        elif local(element) in _COLUMN_GROUPS:
            yield from _columns(element)


def is_collapsed(element: Element) -> bool:
    """Whether a row or column is hidden, or filtered away."""
    return attribute(element, "visibility") in ("collapse", "filter")


def table_rows_of(table: Element) -> Iterator[tuple[Element, int]]:
    """A table's rows, and how often each is repeated."""
    for element in table:
        if local(element) == "table-row":
            yield element, integer(element, "number-rows-repeated", 1)
        elif local(element) in _GROUPS:
            yield from table_rows_of(element)


def cells_of(row: Element) -> Iterator[Element]:
    return (cell for cell in row if local(cell) in ("table-cell", "covered-table-cell"))
