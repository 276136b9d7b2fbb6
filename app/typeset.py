"""A document's text as a page would print it: headings, paragraphs with their lines joined, lists, tables; a span of it lit.

The text is data: what comes out are plain strings for a browser to set as text, never HTML.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from ingest.loaders.parsed import Parsed
from ingest.text.items import items

_AROUND = 12_000
"""Characters shown before and behind the span, and of the span itself where it is longer; more can be asked for."""
_PARAGRAPH = re.compile(r"\S(?:.|\n(?![ \t]*\n))*")
_HEADING = re.compile(r"#{1,6}[ \t]+")
_TABLE = re.compile(r"\|.*(?:\n\|.*)*")
_BREAK = re.compile(r"\n(?=\||#{1,6}[ \t])")
_CELL = re.compile(r"(?<!\\)\|")
_ESCAPE = re.compile(r"\\(?=\|)")
_RULE = re.compile(r"[|\s:-]+\Z")
_SHORT = 0.6
"""Of a paragraph's longest line: a line that is shorter ends there, one that is longer was broken by the page's edge."""

Shown = bool | tuple[int, ...]
"""Whether a piece of text is lit; of an answer, the numbers of a marker."""
Run = tuple[str, Shown]
Mark = tuple[int, int, Shown | None]
"""What a span of the text is: lit, a marker's numbers, or None for letters that aren't shown."""
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")


def typeset(parsed: Parsed, start: int, end: int) -> dict[str, Any]:
    """The text around text[start:end] as blocks, this span lit in them.

    Returns:
        `blocks`: dicts with `kind` (heading, text, item, table, code, page), `level`, `mark` (an item's), and `runs` or `rows` of
        cells of runs; `before` and `behind`: where to ask for more, or None.
    """
    text = parsed.text
    start, end = (min(max(0, place), len(text)) for place in (start, end))
    first = _edge(text, start - _AROUND)
    last = _edge(text, min(end, start + _AROUND) + _AROUND)
    setter = _Setter(parsed, [(start, end, True)])
    return {
        "blocks": list(setter.blocks(first, last)),
        "before": first - 1 if first else None,
        "behind": last if last < len(text) else None,
    }


def quoted(text: str, first: int, last: int, start: int, end: int) -> list[dict[str, Any]]:
    """text[first:last] as blocks, text[start:end] lit in them."""
    return list(_Setter(Parsed(text), [(start, end, True)]).blocks(first, last))


def written(text: str, markers: Iterable[tuple[int, int, tuple[int, ...]]]) -> list[dict[str, Any]]:
    """What a model wrote as blocks, its Markdown's bold words lit; `markers` are (start, end, numbers)."""
    marks: list[Mark] = list(markers)
    for bold in _BOLD.finditer(text):
        if not any(start < bold.end() and bold.start() < end for start, end, _ in marks):
            marks += [(bold.start(), bold.start(2), None), (bold.start(2), bold.end(2), True), (bold.end(2), bold.end(), None)]
    marks += [(bar.start(), bar.end(), None) for bar in _ESCAPE.finditer(text)]
    return list(_Setter(Parsed(text), marks).blocks(0, len(text)))


def _edge(text: str, near: int) -> int:
    """The end of a paragraph near a place, so that none is cut; of a line, where they are very long."""
    if near <= 0 or near >= len(text):
        return min(max(0, near), len(text))
    ends = (text.find(end, near, near + _AROUND // 2) + len(end) for end in ("\n\n", "\n"))
    return next((end for end in ends if end > near), near)


class _Setter:
    def __init__(self, parsed: Parsed, marks: Sequence[Mark]) -> None:
        self._text, self._marks = parsed.text, sorted(marks, key=lambda mark: mark[:2])
        self._levels = {at: level for at, level, _ in parsed.headings if at == 0 or parsed.text[at - 1 : at] == "\n"}
        self._starts = sorted(self._levels)
        self._pages = list(parsed.pages or [])

    def blocks(self, first: int, last: int) -> Iterator[dict[str, Any]]:
        pages = [page for page in self._pages if page[0] < last]
        page = max((number for at, number in pages if at <= first), default=None)
        if page is not None:
            yield {"kind": "page", "number": page}
        coming = [page for page in pages if page[0] > first]
        for match in _PARAGRAPH.finditer(self._text, first, last):
            while coming and coming[0][0] <= match.start():
                yield {"kind": "page", "number": coming.pop(0)[1]}
            yield from self._paragraph(match.start(), match.end())

    def _paragraph(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        while start < end:
            stop = self._stop(start, end)
            yield from self._part(start, stop)
            start = stop + 1

    def _stop(self, start: int, end: int) -> int:
        """Where the heading, the table or the text ends that begins a paragraph, or is left of one."""
        if start in self._levels or _HEADING.match(self._text, start):
            found = self._text.find("\n", start, end)
            return end if found == -1 else found
        if table := _TABLE.match(self._text, start, end):
            return table.end()
        found = bisect_right(self._starts, start)
        heading = self._starts[found] - 1 if found < len(self._starts) else end
        broken = _BREAK.search(self._text, start, end) if not self._text.startswith("```", start) else None
        return min(end, max(start, heading), broken.start() if broken else end)

    def _part(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        body = self._text[start:end]
        mark = _HEADING.match(self._text, start)
        if mark or start in self._levels:
            yield {"kind": "heading", "level": self._levels.get(start, 3), "runs": self._runs(mark.end() if mark else start, end)}
        elif body.startswith("|"):
            yield {
                "kind": "table",
                "rows": [self._row(*line) for line in self._lines(start, end) if not _RULE.match(self._text[slice(*line)])],
            }
        elif body.startswith("```"):
            yield {"kind": "code", "runs": self._runs(start, end)}
        elif found := list(items(self._text, start, end)):
            if found[0].start() > start:
                yield {"kind": "text", "runs": self._joined(start, found[0].start())}
            for item, following in zip(found, [*found[1:], None], strict=True):
                rest = following.start() if following else end
                level = len(item[1].expandtabs(4)) // 2
                bullet = "•" if item[2] in "-*+•" else item[2]
                yield {"kind": "item", "level": level, "mark": bullet, "runs": self._joined(item.end(), rest)}
        else:
            yield {"kind": "text", "runs": self._joined(start, end)}

    def _lines(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for match in re.finditer(r"[^\n]+", self._text[start:end]):
            yield start + match.start(), start + match.end()

    def _row(self, start: int, end: int) -> list[list[Run]]:
        cuts = [start + match.start() for match in _CELL.finditer(self._text[start:end])]
        cells = [*zip(cuts, [*cuts[1:], end], strict=True)]
        if cells and not self._text[cells[-1][0] + 1 : end].strip():
            cells.pop()
        return [self._runs(*self._stripped(first + 1, last)) for first, last in cells]

    def _stripped(self, start: int, end: int) -> tuple[int, int]:
        body = self._text[start:end]
        return end - len(body.lstrip()), max(end - len(body.lstrip()), start + len(body.rstrip()))

    def _joined(self, start: int, end: int) -> list[Run]:
        """Its lines in a row, but for those that end early."""
        lines = list(self._lines(start, end))
        longest = max((last - first for first, last in lines), default=0)
        runs: list[Run] = []
        for number, (first, last) in enumerate(lines):
            runs += self._runs(first, last)
            if number + 1 < len(lines):
                runs.append(("\n" if last - first < _SHORT * longest else " ", self._mark(last) is True))
        return runs

    def _runs(self, start: int, end: int) -> list[Run]:
        """text[start:end] cut where marks begin and end."""
        cuts = sorted({start, end, *(cut for mark in self._marks for cut in mark[:2] if start < cut < end)})
        found = [(self._text[first:last], self._mark(first)) for first, last in pairwise(cuts)]
        return [(text, mark) for text, mark in found if mark is not None]

    def _mark(self, place: int) -> Shown | None:
        return next((value for start, end, value in self._marks if start <= place < end), False)
