"""Which columns a chunk of a Markdown table is about, where it begins below the table's header.

A header that would fill the chunk is repeated short: its names are cut, all to one length. A part of a row that is longer than a
chunk is told its own columns alone.
"""

import re
from bisect import bisect_right

from ingest.text.tokens import TokenCounter

TABLE = re.compile(r"^(\|[^\n]*\|)\n\|(?: *:?-+:? *\|)+\n(?:\|[^\n]*(?:\n|\Z))+", re.MULTILINE)
CELL_END = re.compile(r"(?<!\\)\|[ \t]*")
_SHARE = 3
"""What part of a chunk a header may fill."""
_LENGTHS = (40, 24, 16, 12, 8, 6, 4, 3, 2, 1)
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
        names = [name.strip() for name in CELL_END.split(self._tables[index][2])[1:-1]]
        line = self._text.rfind("\n", 0, start) + 1
        line_end = self._text.find("\n", start)
        first = max(0, len(CELL_END.findall(self._text, line, start)) - 1)
        in_one_row = end < line_end or line_end < 0
        last = len(CELL_END.findall(self._text, line, end)) if in_one_row else len(names)
        return self._short(tuple(names[first:last]) or tuple(names[-1:]))

    def _short(self, names: tuple[str, ...]) -> str:
        if names not in self._known:
            rows = [f"| {' | '.join(name[:length].rstrip() for name in names)} |" for length in (max(map(len, names)), *_LENGTHS)]
            counts = self._counter.count(rows)
            fitting = (row for row, tokens in zip(rows, counts, strict=True) if tokens <= self._counter.limit // _SHARE)
            self._known[names] = next(fitting, "")
        return self._known[names]
