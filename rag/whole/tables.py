"""The tables of a document's canonical text, as rows that can be counted with.

A table is stored as Markdown rows below its header, or, where it is wide, as a paragraph of `column: value` for each row
(ingest/loaders/columns.py). Tables of one document with the same header are one: pages and chunks cut them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ingest.text.chunking import NUMBER
from ingest.text.tables import CELL_END
from rag.whole.document import Whole
from rag.whole.names import words

_BLOCK = re.compile(r"^\|[^\n]*(?:\n\|[^\n]*)*", re.MULTILINE)
_RULE = re.compile(r"\|(?: *:?-+:? *\|)+")
_SHEET = re.compile(r"\.(?:csv|tsv|xlsx?|xlsm|xlsb|ods)\Z", re.I)
_LIST = re.compile(rf"\s*\n(?:[ \t]*(?:[-*+\u2022]|{NUMBER})[ \t]+[^\n]+(?:\n[^\n]+)*\n*)+")
_RECORD = re.compile(r"\s*\n\n([^\n|]+)")


@dataclass(frozen=True)
class Row:
    cells: list[str]
    start: int
    end: int


@dataclass(frozen=True)
class Table:
    document: Whole
    caption: str
    """The heading above it."""
    columns: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class Number:
    value: Decimal
    unit: str
    """The currency, percent sign or unit that is written to it; "" where there is none."""
    before: bool
    """Whether the unit stands before it."""
    decimals: int


def is_sheet(path: str) -> bool:
    """Whether a file is one table or several, and nothing else."""
    return _SHEET.search(path) is not None


def tables_of(document: Whole) -> list[Table]:
    """Its tables that have a header, in order."""
    found: dict[tuple[str, ...], Table] = {}
    for columns, rows in _blocks(document.text):
        key = tuple(columns)
        if key in found:
            found[key].rows.extend(row for row in rows if row.cells != columns)
        elif any(columns):
            found[key] = Table(document, document.heading_at(rows[0].start), columns, rows)
    return list(found.values())


def items_under(document: Whole, word: str) -> list[tuple[str, tuple[int, int]]]:
    """The items of a list below a heading that is the word, or the cells of a column of that name, each with its span."""
    wanted = words(word)
    for table in tables_of(document):
        for place, name in enumerate(table.columns):
            if words(name) == wanted:
                return [(row.cells[place], (row.start, row.end)) for row in table.rows if row.cells[place : place + 1] > [""]]
    for line in re.finditer(r"^[^\n|]{2,40}$", document.text, re.MULTILINE):
        block = _LIST.match(document.text, line.end())
        if block and [w for w in words(line[0]) if not w.isdigit()] == wanted:
            return [
                (item[1].strip(), (block.start() + item.start(1), block.start() + item.end(1)))
                for item in re.finditer(
                    rf"^[ \t]*(?:[-*+\u2022]|{NUMBER})[ \t]+([^\n]+(?:\n(?![ \t]*(?:[-*+\u2022]|{NUMBER})\s)[^\n]+)*)",
                    block[0],
                    re.MULTILINE,
                )
            ]
    return []


def _blocks(text: str) -> Iterator[tuple[list[str], list[Row]]]:
    header: list[str] = []
    for block in _BLOCK.finditer(text):
        lines = list(_lines(text, block.start(), block.end()))
        if len(lines) > 1 and _RULE.fullmatch(text[lines[1].start : lines[1].end].strip()):
            if lines[2:]:
                yield lines[0].cells, lines[2:]
        elif len(lines) == 1 and (rows := _records(text, block.end(), lines[0].cells)):
            yield lines[0].cells, rows
        elif header and len(header) == len(lines[0].cells):
            yield header, lines
        header = lines[0].cells if len(lines) == 1 else []


def _lines(text: str, start: int, end: int) -> Iterator[Row]:
    for line in re.finditer(r"[^\n]+", text[start:end]):
        cells = [cell.replace("\\|", "|").strip() for cell in CELL_END.split(line[0].strip())[1:-1]]
        yield Row(cells, start + line.start(), start + line.end())


def _records(text: str, at: int, columns: list[str]) -> list[Row]:
    """The rows of a wide table, each one or more paragraphs that begin with the same part."""
    rows: list[Row] = []
    while found := _RECORD.match(text, at):
        cells, place = [""] * len(columns), -1
        for part in found[1].split("; "):
            name = next((n for n in range(place + 1, len(columns)) if columns[n] and _is_of(part, columns[n], cells[0])), None)
            if name is not None:
                place = name
                cells[name] = part.partition(f"{columns[name]}: ")[2]
            elif place >= 0:
                cells[place] += f"; {part}"
        if place < 0:
            break
        if rows and cells[0] and rows[-1].cells[0] == cells[0]:  # the row goes on: its first part is said again
            rows[-1] = Row([old or new for old, new in zip(rows[-1].cells, cells, strict=True)], rows[-1].start, found.end(1))
        else:
            rows.append(Row(cells, found.start(1), found.end(1)))
        at = found.end()
    return rows


def _is_of(part: str, column: str, key: str) -> bool:
    return part.startswith(f"{column}: ") or (bool(key) and part.startswith(f"{key} {column}: "))


_CURRENCY = r"(?:US\$|[A-Z]?\$|[£€¥₹₩]|(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|SEK|NOK|DKK|Rs\.?)(?![a-z]))"
_NUMBER = re.compile(
    rf"""(?P<open>\()?\s*(?P<sign>[-\u2212\u2013+])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[-\u2212\u2013])?\s*
    (?P<digits>\d{{1,3}}(?:[ \u00a0\u202f'\u2019]\d{{3}})+(?:[.,]\d+)?|\d[\d.,]*|\.\d+)
    \s*(?P<after>%|[A-Za-z°µ²³/€£$¥]{{0,12}}\.?)\s*(?P<sign3>-)?\s*(?P<close>\))?""",
    re.VERBOSE,
)


def comma_is_decimal(cells: list[str]) -> bool:
    """Whether a column writes 1.234,50: a comma before one or two last digits stands in it, and no point does so."""
    return any(re.search(r",\d{1,2}(?!\d)", cell) for cell in cells) and not any(re.search(r"\.\d{1,2}(?!\d)", cell) for cell in cells)


def number(cell: str, comma: bool = False) -> Number | None:
    """The number that a cell is; None where it is something else.

    Args:
        comma: whether a comma is the decimal sign.
    """
    found = _NUMBER.fullmatch(cell.strip().strip("*"))
    if not found or bool(found["open"]) != bool(found["close"]):
        return None
    digits = re.sub(r"[ \u00a0\u202f'\u2019]", "", found["digits"]).rstrip(".,")
    mark, other = (",", ".") if comma else (".", ",")
    whole, _, rest = digits.replace(other, "").partition(mark)
    if mark in rest:  # 1.234.567 with a comma nowhere: thousands
        whole, rest = whole + rest.replace(mark, ""), ""
    try:
        value = Decimal(f"{whole or '0'}.{rest or '0'}")
    except InvalidOperation:
        return None
    negative = found["open"] or "+" not in (found["sign"] or "+") or found["sign2"] or found["sign3"]
    unit = found["before"] or found["after"] or ""
    return Number(-value if negative else value, unit.rstrip("."), bool(found["before"]), len(rest))
