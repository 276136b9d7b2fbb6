"""Sums, counts, averages and extremes over a table's parsed rows; or in plain words why not. No model does the sum.

The column is the one whose name the question says; rows are limited where it says a cell's value ("where status is open"). A total
that stands in the table is left out and said to be.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.answer import Answer
from rag.whole.document import Sources
from rag.whole.names import words
from rag.whole.tables import Number, Row, Table, comma_is_decimal, number

_OPERATIONS: dict[str, str] = {
    "average": r"average|mean\b",
    "median": r"median",
    "highest": r"highest|largest|biggest|maximum|max\b|most|greatest|top",
    "lowest": r"lowest|smallest|minimum|min\b|cheapest|least|fewest",
    "sum": r"sum\b|totals?\b|add(?:ed)?\s+up|altogether|how\s+much",
    "count": r"how\s+many|count|number\s+of",
}
_TOTAL = re.compile(
    r"\W*(?:(?:grand|sub|net|overall|running)?[\s-]*totals?|sum|in\s+all|altogether|gesamt|summe|insgesamt|somme|suma)\W*", re.I
)
_CONDITION = re.compile(r"\b(?:where|with|whose|have|has|having|for|is|are|of|from|in|that)\b", re.I)


_MARKERS = 8
"""Markers that are written out; all passages are among the citations."""


@dataclass(frozen=True)
class Picked:
    table: Table
    column: int | None
    rows: list[Row]
    condition: str


def compute(question: str, tables: Sequence[Table], named: bool) -> Answer | None:
    """The result with the rows that it stands on, or a refusal; None where no table has what is asked for.

    Args:
        named: whether the question names the document, so that rows may be counted without a condition.
    """
    operation = next((name for name, pattern in _OPERATIONS.items() if re.search(rf"\b(?:{pattern})", question, re.I)), None)
    if operation is None:
        return _refused("Octavo computes sums, counts, averages, medians, and the highest and lowest of a column.")
    picked = [pick for table in tables if (pick := _pick(question, table, operation, named))]
    if not picked:
        return None
    best = max(_fit(question, pick) for pick in picked)
    picked = [pick for pick in picked if _fit(question, pick) == best]
    if len(picked) > 1:
        listed = "; ".join(f"({', '.join(pick.table.columns)}) in {pick.table.document.name}" for pick in picked[:6])
        return _refused(f"{len(picked)} tables fit the question: {listed}. Say which one, by the document or another of its columns.")
    return _result(operation, picked[0])


def what_there_is(tables: Sequence[Table]) -> Answer:
    """The refusal of a question whose column is in none of the tables."""
    if not tables:
        return _refused("There is no table with a header in it.")
    listed = "; ".join(f"{table.document.name}: {', '.join(filter(None, table.columns))}" for table in tables[:8])
    more = f"; and {len(tables) - 8} more tables" if len(tables) > 8 else ""
    return _refused(f"The column isn't there. Columns are {listed}{more}.")


def _refused(text: str) -> Answer:
    return Answer(text, refused=True)


def _pick(question: str, table: Table, operation: str, named_document: bool) -> Picked | None:
    asked = words(question)
    named = sorted(
        (place for place, name in enumerate(table.columns) if words(name) and _stand_in(words(name), asked)),
        key=lambda place: (not _has_numbers(table, place), -len(words(table.columns[place])), place),
    )
    rows = [
        row
        for place, row in enumerate(table.rows)
        if any(row.cells) and not _is_total(row, table.rows[:place], place == len(table.rows) - 1)
    ]
    conditions: list[tuple[int, str]] = []
    if marker := _CONDITION.search(question):
        asked_behind = words(question[marker.start() :])
        for place in range(len(table.columns)):
            values = {row.cells[place] for row in rows if place < len(row.cells) and words(row.cells[place])}
            said = [value for value in values if _stand_in(words(value), asked_behind) and words(value) != words(table.columns[place])]
            if said and (place in named or number(max(said, key=len)) is None):
                conditions.append((place, max(said, key=len)))
    columns = [place for place in named if place not in dict(conditions)]
    if operation == "count":
        column = None
        if not conditions and not named_document:
            return None
    elif not columns:
        return None
    else:
        column = columns[0]
        if len([place for place in columns if words(table.columns[place]) == words(table.columns[column])]) > 1:
            return None
    kept = [row for row in rows if all(place < len(row.cells) and words(row.cells[place]) == words(value) for place, value in conditions)]
    told = " and ".join(f"'{table.columns[place]}' is '{value}'" for place, value in conditions)
    return Picked(table, column, kept, told)


def _has_numbers(table: Table, place: int) -> bool:
    return any(number(row.cells[place]) for row in table.rows if place < len(row.cells))


def _stand_in(name: list[str], asked: list[str]) -> bool:
    """Whether the words of a name stand in a row in what is asked."""
    return any(asked[at : at + len(name)] == name for at in range(len(asked) - len(name) + 1))


def _fit(question: str, pick: Picked) -> tuple[int, int]:
    """How well a table fits: conditions that it meets, then words of the question among its columns and above it."""
    said = set(words(question))
    about = {word for text in (*pick.table.columns, pick.table.caption) for word in words(text)}
    return int(bool(pick.condition)), len(said & about)


def _is_total(row: Row, above: Sequence[Row], is_last: bool) -> bool:
    """Whether a row sums up those above it: it is called so, or its figures are their sums and its first cell is empty."""
    label = next((cell for cell in row.cells if cell), "")
    if _TOTAL.fullmatch(label):
        return True
    return bool(above) and (label.casefold().startswith("total") or (is_last and not row.cells[0])) and _sums_up(row, above)


def _sums_up(row: Row, above: Sequence[Row]) -> bool:
    places = [place for place, cell in enumerate(row.cells) if number(cell)]
    parsed = [[number(other.cells[place]) for other in above if place < len(other.cells)] for place in places]
    return bool(places) and all(
        (own := number(row.cells[place])) is not None and own.value == sum((n.value for n in column if n), Decimal(0))
        for place, column in zip(places, parsed, strict=True)
    )


def _result(operation: str, pick: Picked) -> Answer:
    table, condition = pick.table, f" where {pick.condition}" if pick.condition else ""
    left_out = sum(map(bool, (any(row.cells) for row in table.rows))) - len(pick.rows) if not pick.condition else 0
    beside = " (a total of the table's own is not counted)" * bool(left_out)
    if operation == "count" or pick.column is None:
        return _cited(f"Rows of {table.document.name}{condition}{beside}: {len(pick.rows):,}", pick.rows, table)
    name = table.columns[pick.column]
    cells = [(row, row.cells[pick.column]) for row in pick.rows if pick.column < len(row.cells)]
    comma = comma_is_decimal([cell for _, cell in cells])
    numbers = [(row, n) for row, cell in cells if (n := number(cell, comma))]
    if not numbers:
        return _refused(f"The column '{name}' of {table.document.name} has no numbers{condition}.")
    units = list(dict.fromkeys(n.unit for _, n in numbers if n.unit))
    if len(units) > 1:
        return _refused(f"The column '{name}' of {table.document.name} mixes {' and '.join(units[:4])}: that can't be computed with.")
    without = len(cells) - len(numbers)
    beside += f" ({without} without a number)" * bool(without)
    if operation in ("highest", "lowest"):
        extreme = (max if operation == "highest" else min)(n.value for _, n in numbers)
        numbers = [(row, n) for row, n in numbers if n.value == extreme]
        held = "; ".join(" | ".join(row.cells) for row, _ in numbers[:5])
        over = f"{operation.capitalize()} of '{name}' over {len(cells) - without} rows of {table.document.name}{condition}{beside}"
        return _cited(f"{over}: {_written(extreme, [n for _, n in numbers])} ({held})", [row for row, _ in numbers], table)
    value = _VALUES[operation]([n.value for _, n in numbers])
    rows = f"{len(numbers)} {'row' if len(numbers) == 1 else 'rows'}"
    over = f"{operation.capitalize()} of '{name}' over {rows} of {table.document.name}{condition}{beside}"
    return _cited(f"{over}: {_written(value, [n for _, n in numbers])}", [row for row, _ in numbers], table)


def _median(values: Sequence[Decimal]) -> Decimal:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


_VALUES: dict[str, Callable[[Sequence[Decimal]], Decimal]] = {
    "sum": lambda values: sum(values, Decimal(0)),
    "average": lambda values: sum(values, Decimal(0)) / len(values),
    "median": _median,
}


def _written(value: Decimal, numbers: Sequence[Number]) -> str:
    """A result as the column writes its numbers; an average may need two decimals more."""
    decimals = max(n.decimals for n in numbers)
    decimals += next(more for more in (0, 1, 2) if more == 2 or value == round(value, decimals + more))
    text = f"{abs(value):,.{decimals}f}"
    unit = next((n for n in numbers if n.unit), None)
    if unit:
        text = f"{unit.unit}{text}" if unit.before else f"{text}{'' if unit.unit == '%' else ' '}{unit.unit}"
    return f"-{text}" if value < 0 else text


def _cited(text: str, rows: Sequence[Row], table: Table) -> Answer:
    """With a marker for each passage that holds some of the rows."""
    sources = Sources()
    spans: dict[str, tuple[int, int]] = {}
    for row in rows:
        chunk = table.document.chunk_at(row.start, row.end)
        first, _ = spans.get(chunk.id, (row.start, 0))
        spans[chunk.id] = first, row.end
    markers = [sources.cite(table.document, *span) for span in spans.values()]
    more = f" and {len(markers) - _MARKERS} more passages" if len(markers) > _MARKERS else ""
    return Answer(
        f"{text} {''.join(markers[:_MARKERS])}{more}".rstrip(), citations=tuple(sources.citations), evidence=tuple(sources.evidence)
    )
