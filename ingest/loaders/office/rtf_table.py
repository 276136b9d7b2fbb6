"""RTF's rows, whose cells tell only where they end: a row of fewer cells than others has to be set under their headers."""

import itertools
from dataclasses import dataclass, field

_SAME = 100
"""Twentieths of a point within which two edges are one."""


@dataclass
class Row:
    cells: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    left: int = 0


def aligned(rows: list[Row]) -> list[list[str]]:
    """The rows' texts by column; as they stand where all have as many cells, or some don't tell their edges."""
    plain = [row.cells for row in rows]
    if len({len(row.cells) for row in rows}) == 1 or any(len(row.ends) != len(row.cells) for row in rows):
        return plain
    edges: list[int] = []
    for edge in sorted({edge for row in rows for edge in (row.left, *row.ends)}):
        if not edges or edge - edges[-1] > _SAME:
            edges.append(edge)
    table = []
    for row in rows:
        places = [sum(edge <= end + _SAME // 2 for edge in edges) - 1 for end in (row.left, *row.ends)]
        if any(after <= before for before, after in itertools.pairwise(places)):
            return plain
        texts = [""] * max(0, places[0])
        for text, before, after in zip(row.cells, places, places[1:], strict=False):
            texts += [text, *[""] * (after - before - 1)]
        table.append([*texts, *[""] * (len(edges) - 1 - len(texts))])
    return table
