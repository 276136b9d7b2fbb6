"""Questions about single cells of Markdown tables, by row and column, and about rows and columns that a table hasn't got.

The answer is one cell at its place, not every cell that reads alike.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.reader.asked import Asked

_LINE = re.compile(r"^\|.*\|$", re.M)
_CELL = re.compile(r"(?<=\|) *((?:[^|\\]|\\.)*?) *(?=\|)")
_RULE = re.compile(r"[|\s:-]+")
_NAMES_A_ROW = re.compile(r"[^\W\d_]{3}|^(?:19|20)\d\d$")
_COUNTS = re.compile(r"\b(?:how many|number of|total|average|difference|more|less|sum|times)\b", re.IGNORECASE)
_PERSON = re.compile(
    r"name|player|driver|rider|artist|author|actor|director|winner|champion|candidate|coach|manager|president|member|skip", re.I
)
_CELL_FORMS = (
    "What is the {column} of {row}?",
    "What is the {column} for {row}?",
    "What was {row}'s {column}?",
    "{row} {column}",
    "{column} {row}",
    "{column} of {row}",
    "What {column} does {row} have?",
    "Which {column} is given for {row}?",
    "Tell me the {column} of {row}.",
)
_KEY_FORMS = (
    "Which {key} has the {column} {cell}?",
    "What {key} has {cell} as {column}?",
    "{key} with {column} {cell}",
    "For which {key} is the {column} {cell}?",
)


Cell = tuple[str, int, int]
"""What it says, and where it starts and ends in the table's text."""


@dataclass(frozen=True, slots=True)
class Table:
    """A Markdown table: its text, the names of its columns, its rows."""

    text: str
    header: list[str]
    rows: list[list[Cell]]


def read_table(text: str) -> Table | None:
    """The table that a passage is; None where it is none, or one whose rows aren't of one length, or whose columns share a name."""
    lines = list(_LINE.finditer(text))
    if len(lines) < 4 or not text.lstrip().startswith("|") or not _RULE.fullmatch(lines[1][0]):
        return None
    cells = [[(m[1], line.start() + m.start(1), line.start() + m.end(1)) for m in _CELL.finditer(line[0])] for line in lines]
    header, rows = [name for name, _, _ in cells[0]], cells[2:]
    if len(header) < 2 or len({h.lower() for h in header}) < len(header) or not all(header) or any(len(r) != len(header) for r in rows):
        return None
    return Table(text, header, rows)


def counts(question: str) -> bool:
    """Whether a question wants cells counted or added, so that its answer stands in a table by chance only."""
    return _COUNTS.search(question) is not None


def lookups(table: Table, others: Sequence[Table], rng: random.Random, most: int = 4) -> Iterator[Asked]:
    """Up to `most` cells asked for, each followed by a question that misses its row or column; `others` give what is missed."""
    naming = _naming(table)
    if naming is None:
        return
    for _ in range(most):
        row = rng.choice(table.rows)
        column = rng.choice([n for n in range(len(table.header)) if n != naming])
        if not _plain(row[naming][0]) or not _plain(row[column][0]):
            continue
        once = [r[column][0] for r in table.rows].count(row[column][0]) == 1
        yield from (_of_key if once and rng.random() < 0.3 else _of_cell)(table, row, naming, column, others, rng)


def _of_cell(table: Table, row: list[Cell], naming: int, column: int, others: Sequence[Table], rng: random.Random) -> Iterator[Asked]:
    """What stands in a row's column."""
    label, (_, start, end), named = row[naming][0], row[column], table.header[column].lower()
    form = rng.choice(_CELL_FORMS)
    yield Asked(form.format(row=label, column=named), table.text, [(start, end)], True)
    if rng.random() < 0.6:
        other = _foreign(table, [r[0][0] for t in others for r in t.rows], label, rng)
        missed = form.format(row=other, column=named)
    else:
        other = _foreign(table, [h.lower() for t in others for h in t.header[1:]], named, rng)
        missed = form.format(row=label, column=other)
    if other:
        yield Asked(missed, table.text, [], False)


def _of_key(table: Table, row: list[Cell], naming: int, column: int, others: Sequence[Table], rng: random.Random) -> Iterator[Asked]:
    """Which row has this in its column."""
    (_, start, end), cell, named, key = row[naming], row[column][0], table.header[column].lower(), table.header[naming].lower()
    who = _PERSON.search(key) and rng.random() < 0.5
    form = "Who has the {column} {cell}?" if who else rng.choice(_KEY_FORMS)
    yield Asked(form.format(key=key, column=named, cell=cell), table.text, [(start, end)], True)
    if other := _foreign(table, [r[-1][0] for t in others for r in t.rows], cell, rng):
        yield Asked(form.format(key=key, column=named, cell=other), table.text, [], False)


def _naming(table: Table) -> int | None:
    """The first column whose cells tell the rows apart by words or years; None where there is none."""
    for column in range(len(table.header)):
        cells = [row[column][0] for row in table.rows]
        if len(set(cells)) == len(cells) and sum(bool(_NAMES_A_ROW.search(cell)) for cell in cells) >= 0.8 * len(cells):
            return column
    return None


def _plain(cell: str) -> bool:
    return 0 < len(cell) <= 60 and any(c.isalnum() for c in cell)


def _foreign(table: Table, candidates: list[str], like: str, rng: random.Random) -> str | None:
    """Something that could stand in the place of `like`, no word of which stands in the table; a number changed into another one."""
    text = table.text.lower()
    number = re.search(r"\d+", like)
    if number:
        other = like[: number.start()] + str(int(number[0][:9]) + rng.choice((-1, 1, 2, 3, 7))) + like[number.end() :]
        return other if other.lower() not in text and "-" not in other[:1] else None
    fitting = [c for c in candidates if _plain(c) and not re.search(r"\d", c)]
    for other in rng.sample(fitting, min(len(fitting), 5)):
        if not any(word in text for word in re.findall(r"\w{3,}", other.lower())) and other.lower() not in text:
            return other
    return None
