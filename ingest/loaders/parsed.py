"""What a loader returns, and the builder that keeps its offsets true.

A document's canonical text is fixed here, once: every later offset (chunk, page, heading, citation) points into it.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from ingest.loaders.columns import TableLines

_NEWLINES = re.compile(r"[\r\f\v\x85\u2028\u2029]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_JOINING = "\\u0600-\\u0dff\\u1000-\\u109f\\u1780-\\u17ff"
_INVISIBLE = re.compile(
    r"[\0\u00ad\u200b-\u200d\u2060\ufeff]"  # a set comes first, which is searched for without trying every place
    rf"(?:(?<![\u200c\u200d])|(?<![{_JOINING}][\u200c\u200d])(?=[A-Za-z\u00c0-\u04ff]))"
)
"""What hides a word from search: soft hyphens, zero-width blanks, and joiners before letters that don't join."""
_LIGATURES = re.compile("[\ufb00-\ufb06]")


_LONG_ITEM = 160
"""Characters from which a list's item is a paragraph of its own: clauses of contracts are numbered too."""
MOST_TEXT = 100_000_000
"""Characters that one document may hold. A workbook of 100 kB can name one long string a million times."""


class LoadError(Exception):
    """Why a file gave no text, in one line."""


class Locked(LoadError):
    """It is encrypted, and may be read with its password."""

    def __init__(self, tried: bool = False) -> None:
        super().__init__(f"{_LOCKED}, and none that was given does" if tried else _LOCKED)


_LOCKED = "encrypted: only its password opens it"
UNLOCKED = "opened with its password, which was not kept"
"""The note of a document that was encrypted."""


def is_locked(reason: str) -> bool:
    """Whether a file gave no text for want of its password."""
    return reason.startswith(_LOCKED)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document's canonical text, and what a loader knows about it.

    Attributes:
        pages: where each page begins: (start, number); None where the format has no pages.
        headings: (start, level, title); 1 is the highest level.
        scanned: numbers of pages that show text which isn't read (in pictures, in curves, in fonts that tell no letters), so
            that OCR may read it.
        ocr: numbers of pages of which OCR read all or a part.
        empty: numbers of pages with nothing to read.
        notes: what a reader would see and the text lacks, a line each, for the receipt.
        places: where the words of each page stand (`places.pack`), in Base64, as many as pages; none where no loader can tell.
    """

    text: str
    pages: list[tuple[int, int]] | None = None
    headings: list[tuple[int, int, str]] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    ocr: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or table, for loaders that find them before they know where they will stand.

    `level` is a heading's (1 is the highest) or an item's depth (0 is not nested).
    """

    kind: Literal["text", "heading", "item", "table"]
    text: str
    level: int = 0

    @property
    def flat(self) -> str:
        """As it reads within a cell of a table."""
        if self.kind != "table":
            return self.text
        rows = [line.strip("| ") for line in self.text.splitlines() if not line.startswith("| ---")]
        return "; ".join(row.replace(" | ", ", ") for row in rows)


def clean(text: str) -> str:
    """Text that every later step can hold and search can find.

    Newlines are `\\n`; there is no NUL, no invisible character within a word, no ligature, and nothing that UTF-8 can't encode;
    letters and their accents are composed (NFC).
    """
    text = _SURROGATES.sub("\ufffd", _INVISIBLE.sub("", _NEWLINES.sub("\n", text.replace("\r\n", "\n"))))
    return unicodedata.normalize("NFC", spelt_out(text))


def spelt_out(text: str) -> str:
    """Text without ligatures; `str.translate` would ask for every letter."""
    return _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def check_length(characters: int) -> None:
    """Stops a document that would fill the memory.

    Raises:
        LoadError: it is longer than any that people write.
    """
    if characters > MOST_TEXT:
        raise LoadError(f"too long: it gives more than {MOST_TEXT // 1_000_000} million characters")


class Builder:
    """Collects a document's blocks, one blank line between them, and notes where pages and headings begin."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[tuple[int, int]] = []
        self._headings: list[tuple[int, int, str]] = []
        self._notes: list[str] = []

    def __len__(self) -> int:
        """Characters so far."""
        return self._length

    def block(self, text: str, depth: int = 0) -> None:
        """Adds a paragraph, list item or table; blank ones are dropped, nested ones are indented."""
        if text := clean(text).strip():
            self._close_lines()
            self._append("  " * depth + text + "\n\n")

    def line(self, text: str, depth: int = 0) -> None:
        """Adds a line that belongs to the ones before and after it, as a list's items do; nested ones are indented."""
        if text := clean(text).strip():
            self._append("  " * depth + text + "\n")

    def heading(self, level: int, title: str) -> None:
        """Adds a heading; 1 is the highest level."""
        if title := " ".join(clean(title).split()):
            self._close_lines()
            self._headings.append((self._length, level, title))
            self._append(title + "\n\n")

    def add(self, block: Block) -> None:
        """Adds a block as its kind asks."""
        if block.kind == "heading":
            self.heading(block.level, block.text)
        elif block.kind == "item" and len(block.text) < _LONG_ITEM:
            self.line(block.text, block.level)
        else:
            self.block(block.text, block.level if block.kind == "item" else 0)

    def append(self, parsed: Parsed, below: int = 0) -> None:
        """Adds a whole other document (a chapter, an attachment), its headings so many levels lower, its notes too."""
        self._close_lines()
        start = self._length
        body = parsed.text.strip()
        skipped = len(parsed.text) - len(parsed.text.lstrip())
        if body:
            self._append(body + "\n\n")
        self._headings += [(start + at - skipped, level + below, title) for at, level, title in parsed.headings if at >= skipped]
        for note in parsed.notes:
            self.note(note)

    def page(self, number: int, text: str) -> None:
        """Adds a whole page, blank or not."""
        self._close_lines()
        self._pages.append((self._length, number))
        self.block(text)

    def note(self, text: str) -> None:
        """Says in a line what a reader would see and the text lacks; an empty line says nothing."""
        if text and text not in self._notes:
            self._notes.append(text)

    def end_lines(self) -> None:
        """Sets a run of lines off from what follows."""
        self._close_lines()

    def parsed(self) -> Parsed:
        return Parsed("".join(self._parts), self._pages or None, self._headings, notes=self._notes)

    def _close_lines(self) -> None:
        if self._parts and self._parts[-1] != "\n" and not self._parts[-1].endswith("\n\n"):
            self._append("\n")

    def _append(self, text: str) -> None:
        check_length(self._length + len(text))
        self._parts.append(text)
        self._length += len(text)


def counted(number: int, thing: str, what: str) -> str:
    """A note on some things: "1 picture not read", "3 pictures not read"; nothing for none."""
    return f"{number} {thing}{'' if number == 1 else 's'} {what}" if number else ""


def table_rows(rows: list[list[str]]) -> str:
    """A table as Markdown rows, its first row as the header; rows below a wide one name their columns themselves."""
    rows = [row for row in rows if not _is_blank(row)]
    if not rows:
        return ""
    lines = TableLines(rows[0], len(rows[0]), len(rows) > 1)
    return "\n".join([*lines.head(), *map(lines.row, rows[1:])])


def table_order(rows: list[list[str]]) -> list[tuple[int, int]]:
    """Which cells, by row and column, `table_rows` tells one after the other; a wide table's names are told again in each row."""
    numbers = [number for number, row in enumerate(rows) if not _is_blank(row)]
    if not numbers:
        return []
    first, *others = numbers
    lines = TableLines(rows[first], len(rows[first]), bool(others))
    order = [(0, column) for column in range(len(rows[first]))]
    for number in others:
        order += lines.order(number, rows[number])
    return [(row or first, column) for row, column in order]


def _is_blank(row: list[str]) -> bool:
    return not any(cell and not cell.isspace() for cell in row)
