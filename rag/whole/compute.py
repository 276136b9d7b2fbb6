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
    "sum": r"sum\b|totals?\b|add(?:s|ed)?\s|altogether|how\s+much",
    "count": r"how\s+many|count|number\s+of",
}
_TOTAL = re.compile(
    r"\W*(?:(?:grand|sub|net|overall|running)?[\s-]*totals?|sum|in\s+all|altogether|gesamt|summe|insgesamt|somme|suma)\W*", re.I
)
_CONDITION = re.compile(r"\b(?:where|with|whose|have|has|having|for|is|are|of|from|in|that)\b", re.I)
_SMALL = frozenset(words("the of in a an per and for to is by on"))
_LEAD = 300
"""Characters before a table that may tell what it is of."""
_MARKERS = 8
"""Markers that are written out; all passages are among the citations."""


@dataclass(frozen=True)
class Picked:
    """The cells that a question means.

    Attributes:
        column: None where rows are counted.
        fit: how well the table fits: whether a condition is met, the share of the column's words that are said, the question's words
            among columns and above the table.
    """

    table: Table
    column: int | None
    rows: list[Row]
    condition: str
    fit: tuple[bool, float, int]


def compute(question: str, tables: Sequence[Table], named: bool) -> Answer | None:
    """The result with the rows that it stands on, or a refusal; None where no table has what is asked for.

    Args:
        question: without the documents that it names.
        named: whether it names the document, so that the table need not be told by words of its own.
    """
    operation = next((name for name, pattern in _OPERATIONS.items() if re.search(rf"\b(?:{pattern})", question, re.I)), None)
    if operation is None:
        return _refused("Octavo computes sums, counts, averages, medians, and the highest and lowest of a column.")
    picked = [pick for table in tables if (pick := _pick(question, table, operation, named))]
    if not picked:
        return None
    best = max(pick.fit for pick in picked)
    picked = [pick for pick in picked if pick.fit == best]
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


def _pick(question: str, table: Table, operation: str, named: bool) -> Picked | None:
    asked = words(question)
    rows = [
        row
        for place, row in enumerate(table.rows)
        if any(row.cells) and not _is_total(row, table.rows[:place], place == len(table.rows) - 1)
    ]
    conditions = _conditions(question, table, rows)
    kept = [row for row in rows if all(place < len(row.cells) and row.cells[place] in values for place, values in conditions.items())]
    told = " and ".join(f"'{table.columns[place]}' is {' or '.join(map(repr, values))}" for place, values in conditions.items())
    before = table.document.text[max(0, table.rows[0].start - _LEAD) : table.rows[0].start]
    about = {word for text in (*table.columns, table.caption, before) for word in words(text)} - _SMALL
    overlap = len(about.intersection(asked))
    said = {place: _share(name, asked) for place, name in enumerate(table.columns) if place not in conditions}
    if operation == "count":
        label = _share(table.columns[0], asked)
        return Picked(table, None, kept, told, (bool(told), label, overlap)) if told or named or label else None
    numeric = [place for place in said if _has_numbers(table, place)]
    called = [place for place in said if said[place] == 1 and re.search(rf"\b{re.escape(table.columns[place])}\s+column", question, re.I)]
    column = max((place for place in called or numeric if said[place]), key=lambda place: (said[place], -place), default=None)
    if column is None:
        values = [place for place in numeric if not _is_years(table, place)]
        if len(values) != 1 or not (_share(table.columns[0], asked) or told):
            return None
        if not named and overlap < 2:
            return None
        column = values[0]
    elif not named and overlap <= len(set(words(table.columns[column])).intersection(asked) - _SMALL) and not told:
        return None
    if not called and len(kept) < 2 and len(rows) > 1 and not re.search(r"\bwhere|\bwhose", question, re.I) and operation in _VALUES:
        return None  # one cell is looked up, not computed
    return Picked(table, column, kept, told, (bool(told), said[column], overlap))


def _conditions(question: str, table: Table, rows: Sequence[Row]) -> dict[int, list[str]]:
    """Of each column the values that the question says; numbers only behind a word like "where", of a column that it names."""
    asked = words(question)
    marker = _CONDITION.search(question)
    behind = words(question[marker.start() :]) if marker else []
    found: dict[int, list[str]] = {}
    for place, name in enumerate(table.columns):
        values = list(dict.fromkeys(row.cells[place] for row in rows if place < len(row.cells) and words(row.cells[place])))
        said = [
            value
            for value in values
            if _stand_in(words(value), asked if number(value) is None else behind)
            and words(value) != words(name)
            and (number(value) is None or (_stand_in(words(name), asked) and words(name)))
        ]
        longest = [value for value in said if not any(set(words(value)) < set(words(other)) for other in said)]
        if longest:
            found[place] = longest
    return found


def _share(name: str, asked: Sequence[str]) -> float:
    """The share of a column's words that are said."""
    own = set(words(name)) - _SMALL
    return len(own.intersection(asked)) / len(own) if own else 0.0


def _has_numbers(table: Table, place: int) -> bool:
    return any(number(row.cells[place]) for row in table.rows if place < len(row.cells))


def _is_years(table: Table, place: int) -> bool:
    return all(re.fullmatch(r"(?:1[5-9]|20)\d\d", row.cells[place]) for row in table.rows if place < len(row.cells))


def _stand_in(name: list[str], asked: list[str]) -> bool:
    """Whether the words of a name stand in a row in what is asked."""
    return any(asked[at : at + len(name)] == name for at in range(len(asked) - len(name) + 1))


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
