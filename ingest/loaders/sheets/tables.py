"""Rows of cells as a person reads them: titles, `key: value` lines, and tables, each with its own header.

Neither CSV nor a sheet says where a table begins and whether its first row names the columns. What the cells are tells: names stand
above numbers and dates, and a row of names below numbers begins another table. Rows come as a stream; a few are looked at ahead.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby, islice, takewhile

from ingest.loaders.columns import TableLines
from ingest.loaders.parsed import Builder

_SAMPLE = 50
"""Rows from which a table's columns are told."""
_MOSTLY = 0.8
"""Share of a column's cells that have to be alike."""
_LETTER = re.compile(r"[^\W\d_]+")
_DATE = re.compile(r"\d+([-/.:])\d+\1\d+|\d:\d\d")
_YEAR = re.compile(r"(?:19|20)\d\d")


def add_rows(builder: Builder, rows: Iterable[list[str]]) -> None:
    """Adds rows without blank cells at their ends; an empty row stands between tables, and now and then within one."""
    ahead = _Ahead(rows)
    widest, tables = 0, 0
    while sample := ahead.peek(_SAMPLE):
        run = list(takewhile(bool, sample))
        widest = max(widest, *(_usual_width(list(group)) for filled, group in groupby(sample, bool) if filled), 0)
        if not run:
            ahead.take()
            builder.end_lines()
        elif _is_line(run, widest, tables > 0):
            builder.line(": ".join(cell.rstrip(": ") if cell != run[0][-1] else cell for cell in filter(None, ahead.take())))
        else:
            builder.block("\n".join(_table(ahead, run)))
            tables += 1


class _Ahead:
    """Rows of which the next ones can be looked at."""

    def __init__(self, rows: Iterable[list[str]]) -> None:
        self._rows = iter(rows)
        self._next: deque[list[str]] = deque()

    def peek(self, count: int) -> list[list[str]]:
        self._next.extend(islice(self._rows, max(0, count - len(self._next))))
        return list(islice(self._next, count))

    def take(self) -> list[str]:
        return self._next.popleft()


def _usual_width(rows: list[list[str]]) -> int:
    widths = Counter(map(len, filter(None, rows)))
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _is_line(run: list[list[str]], widest: int, below: bool) -> bool:
    """Whether a run of rows begins with a title, or with a key and its value above or below a wider table."""
    filled = sum(map(bool, run[0]))
    if filled == 1:
        return True
    if len(run[0]) > 2 or widest <= 2:
        return False
    if max(map(len, run)) <= 2:
        return _header_evidence(run) < (0 if below and len(run) > 1 else 1)
    return are_names(next(row for row in run if len(row) > 2))


def _table(ahead: _Ahead, run: list[list[str]]) -> Iterator[str]:
    """The lines of the table that begins here."""
    end = next((row for row in range(2, len(run)) if _begins_table(run[row : row + 3], run[:row])), len(run))
    run = run[:end]
    named = len(run) > 1 and _header_evidence(run) >= 0
    width = max(map(len, run))
    typed = _typed(run)
    lines = TableLines(ahead.take(), width, named)
    yield from lines.head()
    while following := ahead.peek(4):
        if not following[0]:
            if not _continues(following[1:], run, typed):
                return
            ahead.take()
        elif not any(column < len(following[0]) and _is_data(following[0][column]) for column in typed) and _begins_table(following, run):
            return
        else:
            yield lines.row(ahead.take())


def _typed(run: list[list[str]]) -> list[int]:
    """The columns of a table that hold numbers or dates."""
    below = [[row[column] for row in run[1:] if column < len(row) and row[column]] for column in range(max(map(len, run)))]
    return [column for column, cells in enumerate(below) if cells and sum(map(_is_data, cells)) >= _MOSTLY * len(cells)]


def _continues(rows: list[list[str]], run: list[list[str]], typed: list[int]) -> bool:
    """Whether a table goes on below an empty row: with cells of the same kinds, or a row alone, where every other one is empty."""
    if not rows or len(rows[0]) != _usual_width(run):
        return False
    if len(run) > 1 and typed:
        cells = [rows[0][column] for column in typed if column < len(rows[0]) and rows[0][column]]
        return bool(cells) and all(map(_is_data, cells))
    return len(run) == 1 and (len(rows) == 1 or not rows[1])


def _begins_table(rows: list[list[str]], above: list[list[str]]) -> bool:
    """Whether a row of names, perhaps below a title, begins another table where numbers stood."""
    if sum(map(bool, rows[0])) == 1:
        rows = rows[1:]
    if len(rows) < 2 or not 1 < len(rows[0]) == len(rows[1]) or not are_names(rows[0]) or not any(map(_is_data, rows[1])):
        return False
    typed = _typed(above)
    return len(set(rows[0])) == len(rows[0]) and (len(typed) > 1 or (bool(typed) and len(rows[0]) != max(map(len, above))))


def are_names(cells: list[str]) -> bool:
    """Whether a row's cells are filled, all of them, with words."""
    return all(cell and not _is_data(cell) for cell in cells)


def _header_evidence(rows: list[list[str]]) -> int:
    """More than 0 where the first row names the columns, less where it is like those below it; 0 where nothing tells."""
    names = alike = 0
    first = rows[0]
    for column, cell in enumerate(first):
        below = [row[column] for row in rows[1:] if column < len(row) and row[column]]
        if cell and below and sum(any(map(str.isdecimal, text)) for text in below) >= _MOSTLY * len(below):
            alike += (same := _shape(cell) in set(map(_shape, below)))
            names += not same
    if names or not alike or _are_labels(first):
        return int(names > 0)
    return -1


def _are_labels(cells: list[str]) -> bool:
    """Whether numbers name columns: years, or 1, 2, 3 beside a name."""
    numbers = [cell for cell in cells if cell and _is_data(cell)]
    counted = [int(cell) for cell in numbers if cell.isdecimal() and len(cell) < 4]
    steps = len(counted) == len(numbers) > 2 and counted == list(range(counted[0], counted[0] + len(counted)))
    return all(map(_YEAR.fullmatch, numbers)) or (steps and not _is_data(cells[0]))


def _is_data(cell: str) -> bool:
    """Whether a cell is a number, a date, an amount: digits and no word."""
    return _shape(cell) in ("#", "date")


@lru_cache(maxsize=1 << 14)
def _shape(cell: str) -> str:
    """A cell with its digits and letters told apart: `#` for a number, `date`, `A-9` for P-117."""
    if _DATE.search(cell):
        return "date"
    if not any(map(str.isdecimal, cell)):
        return "A"
    words = _LETTER.findall(cell)
    if not words or (cell[0].isdecimal() and max(map(len, words)) <= 3 and len(words) == 1) or (len(cell) > 3 and words == ["E"]):
        return "#"
    return re.sub(r"\d+", "9", _LETTER.sub("A", cell))
