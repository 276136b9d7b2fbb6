"""The cells of a spreadsheet as text: one table for each run of rows, titles above it as lines of their own."""

from collections.abc import Iterable

from ingest.loaders.parsed import Builder, check_length, table_rows

Row = dict[int, str]
"""A row's texts by column, from 0; blank cells aren't in it."""


def add_tables(builder: Builder, rows: Iterable[tuple[int, Row]]) -> bool:
    """Adds a sheet's rows, numbered as in the sheet, and tells whether there was anything in them."""
    table: list[Row] = []
    last, characters = 0, 0
    for number, row in rows:
        if table and (number > last + 1 or not row):
            _add(builder, table)
            table = []
        if row:
            table.append(row)
            characters += sum(map(len, row.values()))
            check_length(characters)
        last = number
    if table:
        _add(builder, table)
    return characters > 0


def _add(builder: Builder, rows: list[Row]) -> None:
    """Rows as a table, without columns that are blank throughout; a row of one cell above them is a title."""
    used = sorted(set().union(*rows))
    first = 0
    while first < len(rows) and (len(rows[first]) == 1 or len(used) == 1):
        builder.line(next(iter(rows[first].values())))
        first += 1
    builder.block(table_rows([[row.get(column, "") for column in used] for row in rows[first:]]))
