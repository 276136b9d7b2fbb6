"""Whether a row of a table says what a claim says: its label, a cell, and the column that the cell stands in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rag.verify.align import says_the_same
from rag.verify.grammar import LIGHT
from rag.verify.parse import read_terms
from rag.verify.quantity import SCALES, UNITS, Quantity
from rag.verify.terms import Term, Terms

_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)
_RULE = re.compile(r"[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*")
_UNIT = re.compile(r"[^\W\d_]+|[%€£$°]")
_ADDED = LIGHT | frozenset(
    """bring cost com spend show record list figur giv set pay payabl receiv valu number actual gam order match person visitor item copy
    piec""".split()
)
"""Stems of words that a claim about a cell may add: they say no more than that it stands there."""
_CHANGE_IT = frozenset("not possible probable if some most few nearly unneeded".split())


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells, what stands above them, and the line before the table."""

    start: int
    end: int
    cells: tuple[Terms, ...]
    headers: tuple[Terms, ...]
    titles: tuple[str, ...]
    """The headers as they are written."""
    caption: Terms


def split_tables(text: str) -> tuple[str, list[Row]]:
    """The text with its tables blanked out, as long as it was, and their rows."""
    rows: list[Row] = []
    headers: tuple[Terms, ...] = ()
    titles: tuple[str, ...] = ()
    caption, end = Terms(), -2
    for line in _ROW.finditer(text):
        is_first, end = line.start() > end + 1, line.end()
        if _RULE.fullmatch(line[0]):
            continue
        written = tuple(line[0].strip()[1:-1].split("|"))
        cells = tuple(map(read_terms, written))
        if is_first:
            headers, titles, caption = cells, written, read_terms(text[: line.start()].rstrip().rpartition("\n")[2])
        else:
            rows.append(Row(line.start(), line.end(), cells, headers, titles, caption))
    return _ROW.sub(lambda line: " " * len(line[0]), text), rows


def find_row(claim: Terms, rows: Sequence[Row]) -> tuple[int, int] | None:
    """The characters of the row that says what the claim says; None where none does."""
    return next(((row.start, row.end) for row in rows if _says(row, claim)), None)


def _says(row: Row, claim: Terms) -> bool:
    label = row.cells[0].terms
    if not label or any(operator.what in _CHANGE_IT for operator in claim.operators):
        return False
    if not all(any(says_the_same(term, claimed) for claimed in claim.terms) for term in label):
        return False
    cells = [[n for n, cell in enumerate(row.cells) if _holds(row, n, cell, claimed)] for claimed in claim.terms]
    heads = [[n for n, header in enumerate(row.headers) if _names(header, claimed)] for claimed in claim.terms]
    for claimed, its_cells, its_heads in zip(claim.terms, cells, heads, strict=True):
        if not its_cells and not its_heads and not _may_be_added(row, claimed):
            return False
    return _columns_agree(row, claim, cells, heads)


def _holds(row: Row, column: int, cell: Terms, claimed: Term) -> bool:
    return any(says_the_same(term, claimed) or _counts(row, column, term, claimed) for term in cell.terms)


def _names(header: Terms, claimed: Term) -> bool:
    """Whether a claim's word names a column: one that may be added anyway only in the same letters."""
    if claimed.kind == "name":
        return False
    is_telling = not claimed.keys & _ADDED
    return any((is_telling and says_the_same(term, claimed)) or term.raw.casefold() == claimed.raw.casefold() for term in header.terms)


def _may_be_added(row: Row, claimed: Term) -> bool:
    return claimed.kind == "word" and (bool(claimed.keys & _ADDED) or any(says_the_same(term, claimed) for term in row.caption.terms))


def _counts(row: Row, column: int, term: Term, claimed: Term) -> bool:
    """A bare number is counted in what stands above it: 20 under "Weeks of work" is 20 weeks."""
    number, wanted = term.value, claimed.value
    if (
        not isinstance(number, Quantity)
        or not isinstance(wanted, Quantity)
        or number.unit
        or claimed.modifier
        or column >= len(row.headers)
    ):
        return False
    above = [*_UNIT.findall(row.titles[column].casefold()), *(term.raw.casefold() for term in row.caption.terms)]
    words = [word.removesuffix("s") for word in above]
    scales = [1, *(SCALES[word] for word in words if word in SCALES)]
    units = [("", Fraction(1)), *(UNITS[word] for word in words if word in UNITS)]
    return any(Quantity(number.value * scale * factor, unit).says(wanted) for scale in scales for unit, factor in units)


def _columns_agree(row: Row, claim: Terms, cells: Sequence[Sequence[int]], heads: Sequence[Sequence[int]]) -> bool:
    """Each cell stands under the header that the claim names nearest to it, and each header that it names has its cell."""
    named = {n: its[0] for n, its in enumerate(heads) if len(its) == 1 and its[0] > 0 and not cells[n]}
    values = {n: columns for n, its in enumerate(cells) if (columns := [column for column in its if column > 0])}
    used = set()
    for n, columns in values.items():
        nearest = sorted(named, key=lambda head: abs(head - n))[: 2 if len(values) == 1 else 1]
        fitting = [column for column in columns if column in (named[head] for head in nearest)]
        if not fitting and not (len(columns) == 1 and _stands_out(row, columns[0], claim.terms[n])):
            return False
        used.add((fitting or columns)[0])
    return bool(values) and used >= set(named.values())


def _stands_out(row: Row, column: int, claimed: Term) -> bool:
    """Whether no other cell of the row holds the like, so that its column needn't be named."""
    others = [_kind(term) for n, cell in enumerate(row.cells[1:], 1) if n != column for term in cell.terms]
    return not isinstance(claimed.value, Quantity) or _kind(claimed) not in others


def _kind(term: Term) -> str:
    return f"number {term.value.unit}" if isinstance(term.value, Quantity) else term.kind
