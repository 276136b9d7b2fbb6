"""Whether a row of a table says what a claim says: its label, a cell, and the column that the cell stands in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rag.verify.paraphrase import _LIGHT, _same
from rag.verify.quantity import _SCALES, _UNITS, Quantity
from rag.verify.terms import Term, Terms, read_terms

_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*")
_ADDED = _LIGHT | frozenset(
    "bring amount cost com total spend show record reach stand list figur giv set pay receiv valu number actual payabl gam match person visitor item copy piec".split()
)
"""Stems of words that a claim about a cell may add: they say no more than that it stands there."""


@dataclass(frozen=True, slots=True)
class Cell:
    terms: Terms
    column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[Cell, ...]
    headers: tuple[Terms, ...]
    caption: Terms


def split_tables(text: str) -> tuple[str, list[Row]]:
    """The text with its tables blanked out, in the same length, and their rows."""
    prose, rows = text, []
    headers: tuple[Terms, ...] | None = None
    end = -2
    caption = read_terms("")
    for line in _ROW.finditer(text):
        prose = prose[: line.start()] + " " * (line.end() - line.start()) + prose[line.end() :]
        if line.start() > end + 1:
            headers = None
            caption = _caption(text[: line.start()])
        end = line.end()
        if _RULE.fullmatch(line[0]):
            continue
        cells = _cells(line[0], line.start())
        if headers is None:
            headers = tuple(cell.terms for cell in cells)
        else:
            rows.append(Row(cells, headers, caption))
    return prose, rows


def _caption(before: str) -> Terms:
    lines = before.rstrip().splitlines()
    return read_terms(lines[-1] if lines else "")


def _cells(line: str, offset: int) -> tuple[Cell, ...]:
    cells = []
    at = line.index("|") + 1
    for column, part in enumerate(line.strip()[1:-1].split("|")):
        cells.append(Cell(read_terms(part), column, offset + at, offset + at + len(part)))
        at += len(part) + 1
    return tuple(cells)


def find_row(claim: Terms, rows: Sequence[Row]) -> tuple[int, int] | None:
    """The characters of the row that says what the claim says; None where none does."""
    return next(((row.cells[0].start, row.cells[-1].end) for row in rows if row_says(claim, row)), None)


def row_says(claim: Terms, row: Row) -> bool:
    """Whether a row says it."""
    if not row.cells or any(
        o.keys & {"NOT", "POSSIBLE", "PROBABLE", "IF", "SOME", "MOST", "FEW", "NEARLY"} for o in claim.operators
    ) != _denies(row):
        return False
    taken: dict[int, list[int]] = {}
    named: dict[int, list[int]] = {}
    loose: list[Term] = []
    for n, term in enumerate(claim.terms):
        cells = [c for c in row.cells if any(_same(term, t) or _counts(term, t, row, c.column) for t in c.terms.terms)]
        heads = [
            h
            for h, header in enumerate(row.headers)
            if term.kind != "name" and any(_same(term, t) or _same_word(term, t) for t in header.terms)
        ]
        if cells:
            taken[n] = [c.column for c in cells]
        if heads:
            named[n] = heads
        if not cells and not heads:
            loose.append(term)
    if any(not _may_be_added(t, row) for t in loose):
        return False
    label = row.cells[0].terms.terms
    if not label or not all(any(_same(c, t) for c in claim.terms) for t in label):
        return False
    return _columns_agree(claim, taken, named, row)


def _same_word(claim: Term, header: Term) -> bool:
    return claim.raw.casefold() == header.raw.casefold()


def _denies(row: Row) -> bool:
    return False


def _may_be_added(term: Term, row: Row) -> bool:
    return term.kind == "word" and (bool(term.keys & _ADDED) or any(_same(term, t) for t in row.caption.terms))


def _counts(claim: Term, cell: Term, row: Row, column: int) -> bool:
    """A bare number in a cell is counted in what its header says: 20 under "Weeks of work" is 20 weeks."""
    if (
        not isinstance(claim.value, Quantity)
        or not isinstance(cell.value, Quantity)
        or cell.value.unit
        or claim.modifier
        or column >= len(row.headers)
    ):
        return False
    said = [t.raw.casefold() for t in (*row.headers[column].terms, *row.caption.terms)]
    scales = [Fraction(1), *(Fraction(_SCALES[w.removesuffix("s")]) for w in said if w.removesuffix("s") in _SCALES)]
    units = [("", Fraction(1)), *(_UNITS[w.removesuffix("s")] for w in said if w.removesuffix("s") in _UNITS)]
    return any(Quantity(cell.value.value * scale * factor, unit).says(claim.value) for scale in scales for unit, factor in units)


def _columns_agree(claim: Terms, taken: dict[int, list[int]], named: dict[int, list[int]], row: Row) -> bool:
    """Each number stands in the column whose header the claim names nearest to it, and each header named has its cell."""
    own = {n: columns[0] for n, columns in named.items() if len(columns) == 1 and n not in taken and columns[0] > 0}
    used: set[int] = set()
    values = [n for n in taken if any(column > 0 for column in taken[n])]
    if not values:
        return False
    for n in values:
        columns = [c for c in taken[n] if c > 0]
        near = sorted(own, key=lambda h: abs(h - n))
        fitting = [c for c in columns if any(own[h] == c for h in near[: 2 if len(values) == 1 else 1])]
        if fitting:
            used.add(fitting[0])
        elif len(columns) == 1 and _stands_out(row, columns[0], claim.terms[n]):
            used.add(columns[0])
        else:
            return False
    return all(column in used for column in own.values())


def _stands_out(row: Row, column: int, term: Term) -> bool:
    """Whether no other cell of the row holds the like, so that its column needn't be named."""
    kinds = [_kind(t) for c in row.cells[1:] if c.column != column for t in c.terms.terms]
    return _kind(term) not in kinds or not isinstance(term.value, Quantity)


def _kind(term: Term) -> str:
    return f"{term.kind} {term.value.unit}" if isinstance(term.value, Quantity) else term.kind


__all__: Sequence[str] = ()
