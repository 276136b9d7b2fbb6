"""The cells of a spreadsheet as text: each run of rows without the columns that are blank throughout, two tables side by side as two."""

from collections.abc import Iterable, Iterator

from ingest.loaders.parsed import Builder, check_length
from ingest.loaders.sheets.tables import add_rows, are_names

Row = dict[int, str]
"""A row's texts by column, from 0; blank cells aren't in it."""


def add_tables(builder: Builder, rows: Iterable[tuple[int, Row]]) -> bool:
    """Adds a sheet's rows, numbered as in the sheet, and tells whether there was anything in them."""
    before = len(builder)
    add_rows(builder, _lists(rows))
    return len(builder) > before


def _lists(rows: Iterable[tuple[int, Row]]) -> Iterator[list[str]]:
    """Rows as lists of cells, an empty one between runs."""
    run: list[Row] = []
    last, characters = 0, 0
    for number, row in rows:
        if run and (number > last + 1 or not row):
            yield from _tables(run)
            run = []
        if row:
            run.append(row)
            characters += sum(map(len, row.values()))
            check_length(characters)
        last = number
    if run:
        yield from _tables(run)


def _tables(run: list[Row]) -> Iterator[list[str]]:
    for columns in _side_by_side(run):
        for row in run:
            cells = [row.get(column, "") for column in columns]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield cells
        yield []


def _side_by_side(run: list[Row]) -> list[list[int]]:
    """The columns of each table in a run of rows: several where blank columns part rows of names; a blank one in a table is left out."""
    used = sorted(set().union(*run))
    groups: list[list[int]] = []
    for column in used:
        if groups and column == groups[-1][-1] + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    heads = [[run[0].get(column, "") for column in group] for group in groups]
    return groups if len(groups) > 1 and all(len(head) > 1 and are_names(head) for head in heads) else [used]
