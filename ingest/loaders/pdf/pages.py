"""What goes on from one PDF page to the next: tables, words, and sentences of scripts without blanks.

Page numbers and running heads may stand between. They stay where they are: what goes on is found across them.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from ingest.loaders.pdf.breaks import MARK, is_cut_sentence, mend
from ingest.loaders.pdf.columns import Cell, Columns, Rows, written
from ingest.loaders.pdf.headings import Block, Pages

_NUMBERED = re.compile(
    r"[-\u2013\u2014 ]*(?:(?:page|seite|p\.|s\.|pag\.?|p\u00e1gina|\u0441\u0442\u0440\.?) *)?(?:\d{1,4}|[ivxlc]{1,6})"
    r"(?: *(?:/|of|von|de|sur|av|van|\u0438\u0437) *\d{1,4})?[-\u2013\u2014 ]*|\u7b2c? ?\d{1,4} ?[\u9875\u9801]",
    re.IGNORECASE,
)
_CONTINUED = re.compile(
    r"\b(?:continue[sd]|cont['\u2019]?d|cont\.|fortsetzung|forts\.|suite|continuaci\u00f3n|continua|vervolg)|\u7d9a\u304d|\u7eed|\u7e8c",
    re.IGNORECASE,
)
_MARGIN = 2
"""Blocks at a page's top or bottom that may be its running head or its number."""
_LONGEST_HEAD = 120
_LONGEST_SENTENCE = 300
_DIGIT = re.compile(r"\d")
_SENTENCE_END = re.compile(r"[\u3002\uff01\uff1f!?][\u300d\u300f\uff09)\u201d]*")


def join_pages(pages: Pages) -> None:
    """Gives the rest of a table its header, and makes words and sentences whole."""
    repeated = _repeated(pages)
    for (_, above), (_, below) in pairwise(pages):
        last = next((block for block in reversed(above) if not _is_between(block, above[-_MARGIN:], repeated)), None)
        first = next((block for block in below if not _is_between(block, below[:_MARGIN], repeated)), None)
        if last is None or first is None:
            continue
        if last.columns:
            _continue_table(last, first, below)
        elif not first.columns:
            _continue_text(last, first)
    everything = [block for _, found in pages for block in found]
    for block, text in zip(everything, mend([block.text for block in everything]), strict=True):
        block.text = text


def _repeated(pages: Pages) -> Counter[str]:
    """On how many pages each line stands at the top or bottom, whatever its numbers."""
    return Counter(
        text
        for _, found in pages
        for text in {_pattern(block) for block in found[:_MARGIN] + found[-_MARGIN:] if len(block.text) <= 2 * _LONGEST_HEAD}
    )


def _pattern(block: Block) -> str:
    return _DIGIT.sub("0", block.text)


def _is_between(block: Block, margin: list[Block], repeated: Counter[str]) -> bool:
    """Whether a block only stands between two pages' text."""
    text = block.text.strip()
    if block.columns or len(text) > _LONGEST_HEAD:
        return False
    at_margin = any(block is other for other in margin)
    return bool(_CONTINUED.search(text)) or (at_margin and (repeated[_pattern(block)] > 1 or bool(_NUMBERED.fullmatch(text))))


def _continue_table(above: Block, below: Block, page: list[Block]) -> None:
    """Puts the table's header over the rows on the next page, if they are the same table's and lack it."""
    rows = _texts(above.rows)
    if below.columns:
        places = _places(above.columns, below.columns)
        more = _texts(below.rows)
        if not places or more[0] == rows[0] or (above.bold and below.bold) or _has_own_header(rows, more, places):
            return
        fitted = [_fitted(row, places, len(above.columns)) for row in below.rows]
    elif not (fitted := _rest(above.columns, rows, below, page)):
        return
    below.rows = [*above.rows[: _headers(rows)], *fitted]
    below.text, numbers = written(below.rows)
    below.numbers, below.columns, below.bold = [numbers], above.columns, above.bold


def _rest(columns: Columns, rows: list[list[str]], below: Block, page: list[Block]) -> Rows:
    """Rows, too few to be told for a table, that stand in the columns of the one on the page before; taken off their page."""
    fitted: Rows = []
    taken = []
    for block in page[next(number for number, block in enumerate(page) if block is below) :]:
        places = [_places(columns, [(x0, x1) for x0, x1, _ in cells]) for cells in block.cells]
        if not places or not all(places):
            break
        more = [_fitted([cell for _, _, cell in cells], at, len(columns)) for cells, at in zip(block.cells, places, strict=True)]
        if sum(map(_is_like(rows), _texts(more))) < 0.7 * len(more):
            break
        fitted += more
        taken.append(block)
    page[:] = [block for block in page if block is below or not any(block is other for other in taken)]
    return fitted


def _is_like(rows: list[list[str]]) -> Callable[[list[str]], bool]:
    """Whether a row has numbers where the table has them, and no longer texts than it has."""
    numbers = _numbers(rows)
    longest = 2 * max(len(cell) for row in rows for cell in row)
    return lambda row: all(_DIGIT.search(row[place]) for place in numbers) and (bool(numbers) or all(row)) and max(map(len, row)) <= longest


def _places(columns: Columns, others: Columns) -> list[int]:
    """Which column each of the others is, whether or not the pages' margins are alike; [] if they don't fit."""
    for shift in (0.0, columns[0][0] - others[0][0]):
        places: list[int] = []
        for x0, x1 in others:
            middle = (x0 + x1) / 2 + shift
            at = [n for n, (a, b) in enumerate(columns) if a <= middle <= b or x0 + shift <= (a + b) / 2 <= x1 + shift]
            if len(at) != 1 or (places and at[0] <= places[-1]):
                break
            places += at
        if len(places) == len(others) >= 2:
            return places
    return []


def _has_own_header(rows: list[list[str]], more: list[list[str]], places: list[int]) -> bool:
    """Whether words stand over columns of numbers: then another table begins."""
    numbers = [places.index(place) for place in _numbers(rows) if place in places]
    return len(numbers) > 1 and len(more) > 1 and all(more[0]) and not any(_DIGIT.search(cell) for cell in more[0])


def _headers(rows: list[list[str]]) -> int:
    """How many rows are the header: below a title over several columns stand those of the columns."""
    return 2 if len(rows) > 2 and not all(rows[0]) and _numbers(rows[1:]) and not any(map(_DIGIT.search, rows[1])) else 1


def _numbers(rows: list[list[str]]) -> list[int]:
    """Columns that hold numbers below their header."""
    data = rows[1:]
    return [place for place in range(len(rows[0])) if data and sum(bool(_DIGIT.search(row[place])) for row in data) >= 0.7 * len(data)]


def _fitted(row: list[Cell], places: list[int], width: int) -> list[Cell]:
    cells = [Cell("", [])] * width
    for place, cell in zip(places, row, strict=True):
        cells[place] = cell
    return cells


def _texts(rows: Rows) -> list[list[str]]:
    """What a table's cells say."""
    return [[" ".join(cell.text.split()) for cell in row] for row in rows]


def _continue_text(above: Block, below: Block) -> None:
    """Puts the rest of a word, or of a sentence that has no blanks, to its beginning."""
    begin, rest = above.text.rstrip(), below.text.lstrip()
    if begin.endswith(MARK) and rest[:1].islower():
        end = len(rest.split(None, 1)[0])
    elif above.size and abs(above.size - below.size) < 0.1 * above.size and is_cut_sentence(begin, rest):
        match = _SENTENCE_END.search(rest)
        end = match.end() if match else len(rest)
    else:
        return
    if end <= _LONGEST_SENTENCE:
        above.text, below.text, above.rest = begin + rest[:end], rest[end:].lstrip(), below
