"""CSV and its kin, as one Markdown table: the separator is found out, quotes are undone, short and long rows stay as they are."""

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Builder, Parsed, clean, row_line

_SEPARATORS = ",;\t|"
_SAMPLE = 200
"""Rows from which the separator is told."""


def load(path: Path) -> Parsed:
    text = decode(path.read_bytes()).replace("\0", "")
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) in (4, 5):  # what Excel is told this way, it doesn't show
        separator, text = first.rstrip("\r\n")[4:5] or "\t", rest
    else:
        separator = "\t" if path.suffix.lower() in (".tsv", ".tab") and "\t" in text else separator_of(text)
    return Parsed(clean(text)) if not separator else table(text, separator)


def separator_of(text: str) -> str:
    """The separator that cuts most rows into equally many cells, more than one; empty where none does."""
    best, score = "", 0.0
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row, _ in zip(_reader(text, separator), range(_SAMPLE), strict=False) if row)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]), default=(1, 0))
        if width > 1 and count / sum(widths.values()) * (1 - 1 / width) > score:
            best, score = separator, count / sum(widths.values()) * (1 - 1 / width)
    return best


def table(text: str, separator: str) -> Parsed:
    """Rows of cells as a table. Lines of a single cell above it are its title; blank rows are left out."""
    builder = Builder()
    lines: list[str] = []
    for row in _reader(text, separator):
        if not any(cell.strip() for cell in row):
            continue
        if not lines and sum(bool(cell.strip()) for cell in row) == 1:
            builder.line(" ".join(filter(None, row)))
            continue
        lines.append(row_line(row))
        if len(lines) == 1:
            lines.append("|" + " --- |" * len(row))
    builder.block("\n".join(lines[:1] if len(lines) == 2 else lines))
    return builder.parsed()


def _reader(text: str, separator: str) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=separator != "\t")
