"""Tables whose cells are ruled: rules that cross form a grid, and each word belongs to the cell that holds its middle."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ingest.loaders.pdf.breaks import cell_of
from ingest.loaders.pdf.chars import Floats, median
from ingest.loaders.pdf.columns import Cell, Rows, written
from ingest.loaders.pdf.rules import Drawn, Rule
from ingest.loaders.pdf.words import Words

_NEAR = 3.0
"""Points by which rules may miss each other and still meet."""
_LONGEST_CELL = 120
"""Words beyond which a cell is a frame around running text."""


@dataclass(frozen=True, slots=True)
class Table:
    """Its text, its box (left, top, right, bottom), which words stand in it, where its columns are, and its rows."""

    text: str
    box: tuple[float, float, float, float]
    words: list[int]
    columns: list[tuple[float, float]]
    rows: Rows = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Grid:
    xs: list[float]
    ys: list[float]
    across: list[Rule]
    down: list[Rule]


def turned(drawn: Drawn, turn: int) -> tuple[list[Rule], list[Rule]]:
    """Horizontal and vertical rules in the coordinates of words of that turn, y downwards."""
    flip = {0: (-1, 1), 1: (1, 1), 2: (1, -1), 3: (-1, -1)}[turn]

    def rules(found: list[Rule], across: int, along: int) -> list[Rule]:
        return [(across * at, *sorted((along * a, along * b))) for at, a, b in found]  # type: ignore[misc]

    if turn in (0, 2):
        return rules(drawn.across, flip[0], flip[1]), rules(drawn.down, flip[1], flip[0])
    return rules(drawn.down, flip[0], flip[1]), rules(drawn.across, flip[1], flip[0])


def ruled_tables(words: Words, across: list[Rule], down: list[Rule]) -> list[Table]:
    """The tables on a page; a grid that holds too little, or running text, is none."""
    if len(across) < 2 or not down or not len(words):
        return []
    middle = np.column_stack([(words.box[:, 0] + words.box[:, 2]) / 2, (words.box[:, 1] + words.box[:, 3]) / 2])
    height = median(words.box[:, 3] - words.box[:, 1])
    tables: list[Table] = []
    for grid in _grids(_joined(across), _joined(down)):
        if table := _table(words, middle, height, grid):
            tables.append(table)
    return tables


def _joined(rules: list[Rule]) -> list[Rule]:
    """Rules on one line that touch are one; those too short to bound a cell are dropped."""
    found: list[Rule] = []
    rules = sorted((rule for rule in rules if rule[2] > rule[1]), key=lambda rule: (rule[0], rule[1]))
    lines: list[list[Rule]] = []
    for rule in rules:
        if lines and rule[0] - lines[-1][0][0] <= 2.0:
            lines[-1].append(rule)
        else:
            lines.append([rule])
    for line in lines:
        at = sum(rule[0] for rule in line) / len(line)
        line.sort(key=lambda rule: rule[1])
        begin, end = line[0][1], line[0][2]
        for _, a, b in line[1:]:
            if a <= end + _NEAR:
                end = max(end, b)
            else:
                found.append((at, begin, end))
                begin, end = a, b
        found.append((at, begin, end))
    return [rule for rule in found if rule[2] - rule[1] > 5.0]


def _grids(across: list[Rule], down: list[Rule]) -> list[_Grid]:
    """Rules that meet, directly or through others, are one grid."""
    if not across or not down:
        return []
    h, v = np.array(across), np.array(down)
    meets = (
        (v[None, :, 0] >= h[:, None, 1] - _NEAR) & (v[None, :, 0] <= h[:, None, 2] + _NEAR)
        & (h[:, None, 0] >= v[None, :, 1] - _NEAR) & (h[:, None, 0] <= v[None, :, 2] + _NEAR)
    )  # fmt: skip
    grids = []
    left = set(range(len(across)))
    while left:
        rows, columns = {left.pop()}, set[int]()
        fresh = set(rows)
        while fresh:
            reached = set(np.flatnonzero(meets[sorted(fresh)].any(axis=0)).tolist()) - columns
            columns |= reached
            fresh = set(np.flatnonzero(meets[:, sorted(reached)].any(axis=1)).tolist()) - rows if reached else set()
            rows |= fresh
        left -= rows
        if len(rows) >= 2 and columns:
            grids.append(_grid([across[i] for i in sorted(rows)], [down[i] for i in sorted(columns)]))
    return [grid for grid in grids if len(grid.xs) > 2 and len(grid.ys) > 2]


def _grid(across: list[Rule], down: list[Rule]) -> _Grid:
    """A table may be open at its sides: it then reaches as far as its rules do."""
    xs = [rule[0] for rule in down] + [min(rule[1] for rule in across), max(rule[2] for rule in across)]
    ys = [rule[0] for rule in across] + [min(rule[1] for rule in down), max(rule[2] for rule in down)]
    return _Grid(_apart(xs), _apart(ys), across, down)


def _apart(places: list[float]) -> list[float]:
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > 4.0:
            found.append(place)
    return found


def _table(words: Words, middle: Floats, height: float, grid: _Grid) -> Table | None:
    xs, ys = grid.xs, grid.ys
    inside = np.flatnonzero((middle[:, 0] > xs[0]) & (middle[:, 0] < xs[-1]) & (middle[:, 1] > ys[0]) & (middle[:, 1] < ys[-1])).tolist()
    if len(inside) < 4:
        return None
    owner = _owners(grid)
    cells: dict[tuple[int, int], list[int]] = {}
    columns = np.searchsorted(xs, middle[inside, 0]) - 1
    rows = np.searchsorted(ys, middle[inside, 1]) - 1
    for index, row, column in zip(inside, rows.tolist(), columns.tolist(), strict=True):
        cells.setdefault(owner[row][column], []).append(index)
    used_rows = {row for row, _ in cells}
    wide_rows = sum(sum(row == used for row, _ in cells) > 1 for used in used_rows)
    if wide_rows < 2 or max(len(cell) for cell in cells.values()) > _LONGEST_CELL:
        return None
    _part(cells, owner, words, xs, height)
    used_columns = {column for _, column in cells}
    lines: Rows = []
    for row in range(len(ys) - 1):
        lines += _row([cells.get((row, column), []) for column in sorted(used_columns)], words, middle, height)
    reaches = [(xs[column], xs[column + 1]) for column in sorted(used_columns)]
    text, numbers = written(lines)
    return Table(text, (xs[0], ys[0], xs[-1], ys[-1]), inside, reaches, lines, numbers)


def _owners(grid: _Grid) -> list[list[tuple[int, int]]]:
    """For each field of the grid the cell that it is part of: without a wall between them, two fields are one cell."""
    owner: list[list[tuple[int, int]]] = []
    for row, (top, bottom) in enumerate(pairwise(grid.ys)):
        owner.append([])
        for column, (left, right) in enumerate(pairwise(grid.xs)):
            if column and not _walled(grid.down, left, (top + bottom) / 2):
                owner[row].append(owner[row][column - 1])
            elif row and not _walled(grid.across, top, (left + right) / 2):
                owner[row].append(owner[row - 1][column])
            else:
                owner[row].append((row, column))
    return owner


def _part(
    cells: dict[tuple[int, int], list[int]], owner: list[list[tuple[int, int]]], words: Words, xs: list[float], height: float
) -> None:
    """Gives the columns what stands in them where a row has no walls, as if every other row of a table has."""
    for (row, column), cell in list(cells.items()):
        span = sum(field == (row, column) for field in owner[row])
        places = (np.searchsorted(xs, (words.box[cell, 0] + words.box[cell, 2]) / 2) - 1).tolist()
        if span < 2 or len(set(places)) < 2:
            continue
        parts = {place: [index for index, at in zip(cell, places, strict=True) if at == place] for place in sorted(set(places))}
        edges = [(words.box[part, 0].min(), words.box[part, 2].max()) for part in parts.values()]
        if all(b[0] - a[1] > height for a, b in pairwise(edges)):
            del cells[row, column]
            cells.update({(row, place): part for place, part in parts.items()})


def _walled(rules: list[Rule], at: float, along: float) -> bool:
    return any(abs(rule[0] - at) <= 4.0 and rule[1] - 1 <= along <= rule[2] + 1 for rule in rules)


def _row(cells: list[list[int]], words: Words, middle: Floats, height: float) -> Rows:
    """A ruled row as one line of the table; as several where only its columns are ruled, and lines of text are its rows."""
    lines = [_lines(cell, middle, height) for cell in cells]
    full = [line for line in lines if line]
    most = max((len(line) for line in full), default=0)
    if most >= 3 and len(full) >= 2 and (aligned := _aligned(full, middle, height)):
        rows = []
        for place in aligned:
            rows.append([_text([part for part in line if abs(middle[part[0], 1] - place) <= height / 2], words) for line in lines])
        return rows
    return [[_text(line, words) for line in lines]]


def _lines(cell: list[int], middle: Floats, height: float) -> list[list[int]]:
    """A cell's words line by line, each from left to right."""
    lines: list[list[int]] = []
    for index in sorted(cell, key=lambda i: float(middle[i, 1])):
        if lines and middle[index, 1] - middle[lines[-1][0], 1] <= height / 2:
            lines[-1].append(index)
        else:
            lines.append([index])
    return [sorted(line, key=lambda i: float(middle[i, 0])) for line in lines]


def _aligned(lines: list[list[list[int]]], middle: Floats, height: float) -> list[float]:
    """Where the rows stand, if every column has a short line in almost every one of them."""
    places: list[float] = []
    heights = sorted(float(middle[part[0], 1]) for line in lines for part in line)
    for place in heights:
        if not places or place - places[-1] > height / 2:
            places.append(place)
    parts = sum(len(line) for line in lines)
    words = sum(len(part) for line in lines for part in line)
    return places if parts >= 0.85 * len(places) * len(lines) and words <= 3 * parts else []


def _text(lines: list[list[int]], words: Words) -> Cell:
    """A cell's lines as one."""
    right = max((words.box[line[-1], 2] for line in lines), default=0.0)
    full = [bool(words.box[line[-1], 2] > right - 1.5 * (words.box[line[-1], 3] - words.box[line[-1], 1])) for line in lines]
    text = cell_of([" ".join(words.text[index] for index in line) for line in lines], full.__getitem__)
    return Cell(text, words.number[[index for line in lines for index in line]].tolist())
