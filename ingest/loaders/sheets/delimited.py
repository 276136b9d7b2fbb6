"""CSV and its kin: the separator is found out, quotes are undone, titles and tables are told apart.

The `csv` module reads on to the end of the file for a quote that is never closed, and takes an inch mark for the end of a cell. Here
a quoted cell is one that closes before a separator or the end of a line; any other quote is a character.
"""

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Builder, Parsed, clean
from ingest.loaders.sheets.tables import add_rows

_SEPARATORS = "\t;|,"
"""Of equally good ones the first: commas also stand within numbers."""
_SAMPLE = 200
"""Rows from which the separator is told."""
_NEWLINE, _NEWLINE_OR_END = re.compile(r"\r\n?|\n"), re.compile(r"\r\n?|\n|\Z")


def load(path: Path) -> Parsed:
    text = decode(path.read_bytes()).replace("\0", "")
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) in (4, 5):  # what Excel is told this way, it doesn't show
        separator, text = first.rstrip("\r\n")[4:5] or "\t", rest
    else:
        separator = "\t" if path.suffix.lower() in (".tsv", ".tab") and "\t" in text else separator_of(text)
    if not separator:
        return Parsed(clean(text))
    builder = Builder()
    usual = _widths(text, separator).most_common(1)[0][0]
    add_rows(builder, _trimmed(rows(text, separator, usual)))
    return builder.parsed()


def _trimmed(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Rows without blanks around their cells and without blank cells at their ends."""
    for row in rows:
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        yield cells


def separator_of(text: str) -> str:
    """The separator that cuts most rows into equally many cells, more than one, none of them torn; empty where none does."""
    best, highest = "", 0.0
    for separator in _SEPARATORS:
        sample = [row for row in islice(rows(text, separator), _SAMPLE) if any(row)]
        widths = _widths(text, separator)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]), default=(1, 0))
        cells = [cell for row in sample for cell in row]
        whole = sum(not _torn(separator).search(cell) and cell.count('"') % 2 == 0 for cell in cells) / max(1, len(cells))
        score = count / max(1, len(sample)) * (1 - 1 / width) * whole
        if score > highest:
            best, highest = separator, score
    return best


def _widths(text: str, separator: str) -> Counter[int]:
    return Counter(len(row) for row in islice(rows(text, separator), _SAMPLE) if any(row))


@lru_cache
def _torn(separator: str) -> re.Pattern[str]:
    """What tells that a cell holds several: another separator between characters, other than a comma within a number."""
    others = "".join(other for other in "\t;|" if other != separator)
    comma = "" if separator == "," else r"|(?<=\S),(?=[^\s\d])|(?<=[^\s\d]),(?=\S)"
    return re.compile(rf"(?<=\S)[{others}](?=\S){comma}")


def rows(text: str, separator: str, usual: int = 0) -> Iterator[list[str]]:
    """The cells of each row; a quote that is never closed costs its own cell, not the rows below.

    A line behind a # is a comment, of one cell, unless it has as many cells as is usual.
    """
    csv.field_size_limit(sys.maxsize)
    place = 0
    while place < len(text):
        newline = _NEWLINE_OR_END.search(text, place)
        assert newline
        if usual and text[place] == "#" and text.count(separator, place, newline.start()) != usual - 1:
            row, place = [text[place : newline.start()]], newline.end()
        elif text.find('"', place, newline.start()) < 0:
            row, place = text[place : newline.start()].split(separator), newline.end()
        elif _well_formed(separator).fullmatch(text, place, newline.start()):
            row, place = next(csv.reader((text[place : newline.start()],), delimiter=separator)), newline.end()
        else:
            row, place = _row(text, place, separator)
        yield row


@lru_cache
def _well_formed(separator: str) -> re.Pattern[str]:
    """A line as RFC 4180 has it, which the `csv` module reads rightly, and faster than we do."""
    cell = rf'(?:"(?:[^"]|"")*+"|[^"{re.escape(separator)}]*+)'
    return re.compile(rf"{cell}(?:{re.escape(separator)}{cell})*+")


def _row(text: str, start: int, separator: str) -> tuple[list[str], int]:
    """A row that has quotes in it, and where the next one begins."""
    plain, *quoted = _cells(separator)
    row: list[str] = []
    place = start
    while True:
        matches = filter(None, (pattern.match(text, place) for pattern in quoted))
        match = next((match for match in matches if not _swallows_rows(text, start, match, separator)), None)
        if match:
            row.append(re.sub(r'["\\]"' if match.re == quoted[1] else '""', '"', match[1]))
        else:
            match = plain.match(text, place)
            assert match
            row.append(match[0])
        place = match.end()
        if text[place : place + 1] != separator:
            newline = _NEWLINE_OR_END.match(text, place)
            assert newline
            return row, newline.end()
        place += 1


def _swallows_rows(text: str, start: int, match: re.Match[str], separator: str) -> bool:
    """Whether what looks like a cell of several lines is whole rows: each of its lines has as many separators."""
    lines = _NEWLINE.split(match[0])
    if len(lines) == 1:
        return False
    newline = _NEWLINE_OR_END.search(text, match.end())
    assert newline
    counts = {line.count(separator) for line in _NEWLINE.split(text[start : newline.start()])}
    return len(counts) == 1 and max(counts) > (separator != "\t")


@lru_cache
def _cells(separator: str) -> tuple[re.Pattern[str], ...]:
    """Patterns of a cell without quotes and, the best first, of one in quotes.

    Quotes within it are doubled (RFC 4180); or stand behind a backslash; or, in one line, before what ends no cell (`"1/2" brass"`);
    or so in several lines, where none follows a separator: there another cell opens, and this one never closed; or are single where
    they should be doubled (`"6"",`).
    """
    mark = re.escape(separator)
    blanks = "[ ]*" if separator == "\t" else r"[ \t]*"
    end = rf"{blanks}(?:{mark}|[\r\n]|\Z)"
    lone = f'"(?!{end})'
    contents = [
        r'(?:[^"]|"")*+',
        r'(?:[^"\\\r\n]|\\[^\r\n])*+',
        rf'(?:[^"\r\n]|""|{lone})*+',
        rf'(?:[^"]|(?<![{mark}\r\n])(?:""|{lone})|(?<=[{mark}\r\n])"")*+',
        rf'(?:[^"\r\n]|{lone})*+',
    ]
    return re.compile(rf"[^{mark}\r\n]*"), *(re.compile(f'{blanks}"({content})"(?={end}){blanks}') for content in contents)
