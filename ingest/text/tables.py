"""Which columns a chunk of a Markdown table is about, where it begins below the table's header.

A header that would fill half of the chunk is repeated short: its names are cut, all to one length. Where even so it doesn't fit beside
a row, the row is cut into parts, each with the names of its own columns.
"""

import re
from bisect import bisect_right

from ingest.text.tokens import TokenCounter

TABLE = re.compile(r"^(\|[^\n]*\|)\n\|(?: *:?-+:? *\|)+\n(?:\|[^\n]*(?:\n|\Z))+", re.MULTILINE)
CELL_END = re.compile(r"(?<!\\)\|[ \t]*")
_LENGTHS = (40, 24, 16, 12)
"""Characters of a column's name, from which the longest that fit are taken."""


class Headers:
    """The headers of a text's tables."""

    def __init__(self, text: str, counter: TokenCounter) -> None:
        self._text = text
        self._counter = counter
        self._tables = [(match.end(1), match.end(), match[1]) for match in TABLE.finditer(text)]
        self._starts = [start for start, _, _ in self._tables]
        self._known: dict[tuple[str, ...], str] = {}

    def of(self, start: int, end: int) -> str:
        """The names of the columns that a span begins with, as a row; empty outside of a table, and where the span has its header."""
        index = bisect_right(self._starts, start) - 1
        if index < 0 or start >= self._tables[index][1]:
            return ""
        names = tuple(name.strip() for name in CELL_END.split(self._tables[index][2])[1:-1])
        line = self._text.rfind("\n", 0, start) + 1
        if "\n" in self._text[start:end]:
            return self._short(names)
        first = max(0, len(CELL_END.findall(self._text, line, start)) - 1)
        last = len(CELL_END.findall(self._text, line, end)) - self._text[start:end].endswith("|")
        return self._short(names[first:last] or names[-1:])

    def _short(self, names: tuple[str, ...]) -> str:
        """The names as a row that fills half a chunk at most, or else, where there are several, their shortest row."""
        if names not in self._known:
            rows = [f"| {' | '.join(name[:length].rstrip() for name in names)} |" for length in (max(map(len, names)), *_LENGTHS)]
            counts = self._counter.count(rows)
            fitting = (row for row, tokens in zip(rows, counts, strict=True) if tokens <= self._counter.limit // 2)
            self._known[names] = next(fitting, rows[-1] if len(names) > 1 else "")
        return self._known[names]
