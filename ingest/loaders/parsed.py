"""What a loader returns, and the builder that keeps its offsets true.

A document's canonical text is fixed here, once: every later offset (chunk, page, heading, citation) points into it.
"""

import re
from dataclasses import dataclass, field

_NEWLINES = re.compile(r"\r\n|[\r\f\v\x85\u2028\u2029]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class LoadError(Exception):
    """Why a file gave no text, in one line."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document's canonical text, and what a loader knows about it.

    Attributes:
        pages: where each page begins: (start, number); None where the format has no pages.
        headings: (start, level, title); 1 is the highest level.
        scanned: numbers of pages without text that hold a picture, so that OCR may read them.
        ocr: numbers of pages whose text OCR read.
        empty: numbers of pages with nothing to read.
        notes: what a reader would see and the text lacks, a line each, for the receipt.
    """

    text: str
    pages: list[tuple[int, int]] | None = None
    headings: list[tuple[int, int, str]] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    ocr: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def clean(text: str) -> str:
    """Text that every later step can hold: newlines are `\\n`, no NUL, and nothing that UTF-8 can't encode."""
    return _SURROGATES.sub("\ufffd", _NEWLINES.sub("\n", text).replace("\0", ""))


class Builder:
    """Collects a document's blocks, one blank line between them, and notes where pages and headings begin."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[tuple[int, int]] = []
        self._headings: list[tuple[int, int, str]] = []

    def block(self, text: str) -> None:
        """Adds a paragraph, list item or table; blank ones are dropped."""
        if text := clean(text).strip():
            self._append(text + "\n\n")

    def line(self, text: str) -> None:
        """Adds a line that belongs to the ones before and after it, as a list's items do."""
        if text := clean(text).strip():
            self._append(text + "\n")

    def heading(self, level: int, title: str) -> None:
        """Adds a heading; 1 is the highest level."""
        if title := " ".join(clean(title).split()):
            self._close_lines()
            self._headings.append((self._length, level, title))
            self._append(title + "\n\n")

    def page(self, number: int, text: str) -> None:
        """Adds a whole page, blank or not."""
        self._pages.append((self._length, number))
        self.block(text)

    def end_lines(self) -> None:
        """Sets a run of lines off from what follows."""
        self._close_lines()

    def parsed(self) -> Parsed:
        return Parsed("".join(self._parts), self._pages or None, self._headings)

    def _close_lines(self) -> None:
        if self._parts and not self._parts[-1].endswith("\n\n"):
            self._append("\n")

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)


def table_rows(rows: list[list[str]]) -> str:
    """A table as Markdown rows, its first row as the header."""
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return ""
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    if len(lines) > 1:
        lines.insert(1, "|" + " --- |" * len(cells[0]))
    return "\n".join(lines)
