"""A document read whole: its sections and sentences, and citations of any span of it."""

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from ingest import Chunk, View
from ingest.loaders.parsed import Parsed
from ingest.store.paths import absent
from ingest.text.chunking import NUMBER, PARAGRAPH, SENTENCE, Span, pages_of
from rag.answer import Citation, Evidence

_SMALL, _LARGE, _PART = 100, 6000, 1500
"""Characters below which a section joins the one before it, above which it is read in parts, and of a part without headings."""
_ITEM = re.compile(rf"^[ \t]*(?:[-*+•]|{NUMBER})[ \t]+", re.MULTILINE)
_CUT = re.compile(
    rf"""(?<=[.!?])(?:\[\d{{1,3}}\])+\s+(?=[A-Z])|(?<![\s(][a-z]\.)(?:{SENTENCE})"""
    rf"""|\n(?=[ \t]*(?:[-*+•]|{NUMBER})\s)|\n(?=\|)|(?<=\|)\n|(?<=[A-Z0-9]{{4}})\n(?=[A-Z][a-z])"""
)
_HEADING_LINE = re.compile(r"(?![-*+•|\d])[^\n]{2,40}(?<![.,;:!?])\n(?=[A-Z\"'][^\n]{40})")
_REFERENCE = re.compile(r"://|\b(?:Retrieved|Archived|ISBN|doi|pp?\.)(?!\w)")
_NOTE_MARK = re.compile(r"\A(?:\[\d{1,3}\]\s*)+|(?<=[.,;:!?\"')\]])(?:\[\d{1,3}\])+(?=\s|\Z)")
_GAP = re.compile(PARAGRAPH)
_FEW_WORDS = 4
_REPEATED = 3
"""Times that a line stands in a document, its numbers left out, to be a running head or foot."""


@dataclass(frozen=True)
class Section:
    title: str
    start: int
    end: int


@dataclass(frozen=True)
class Whole:
    """A document with its text, headings and chunks."""

    path: str
    parsed: Parsed = field(repr=False)
    chunks: list[Chunk] = field(repr=False)

    @classmethod
    def read(cls, view: View, path: str) -> "Whole":
        """
        Raises:
            PathError: it isn't in the library any more.
        """
        found = view.document(path)
        if found is None:
            raise absent(path)
        return cls(path, *found)

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def text(self) -> str:
        return self.parsed.text

    @cached_property
    def sections(self) -> list[Section]:
        """From heading to heading, small ones joined; where there are no headings, parts of about equal size."""
        starts = [(at, title) for at, _, title in self.parsed.headings]
        if not starts or self.text[: starts[0][0]].strip():
            starts.insert(0, (0, ""))
        ends = [at for at, _ in starts[1:]] + [len(self.text)]
        found: list[Section] = []
        for (start, title), end in zip(starts, ends, strict=True):
            last = found[-1] if found else None
            if last and (last.end - last.start < _SMALL or end - start < _SMALL):
                found[-1] = Section(last.title or title, last.start, end)
            else:
                found += [Section(title, start, end)]
        return [part for section in found for part in self._parts(section)]

    def _parts(self, section: Section) -> list[Section]:
        """A section, or where it is long its parts, cut between paragraphs."""
        count = -(-(section.end - section.start) // (_LARGE if self.parsed.headings else _PART))
        goal = (section.end - section.start) / count
        cuts = [section.start]
        gaps = list(_GAP.finditer(self.text, section.start, section.end))
        for gap in gaps if len(gaps) >= count else re.finditer(r"\n", self.text[: section.end]):
            if gap.end() - cuts[-1] >= goal:
                cuts.append(gap.end())
        return [Section(section.title, start, end) for start, end in zip(cuts, [*cuts[1:], section.end], strict=True) if start < end]

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """The sentence, row or item that holds a span."""
        first = max((gap.end() for gap in _GAP.finditer(self.text, max(0, start - 5000), start)), default=max(0, start - 5000))
        gap = _GAP.search(self.text, end, end + 5000)
        last = gap.start() if gap else min(len(self.text), end + 5000)
        cuts = [first, self._below_a_line(first, last), *(cut.end() for cut in _CUT.finditer(self.text, first, last)), last]
        begin = max(cut for cut in cuts if cut <= start)
        finish = min(cut for cut in cuts if cut >= end)
        if len(self.text[begin:finish].split()) < _FEW_WORDS and self.text[begin] != "|":  # "9 January. Winter inspection ..."
            finish = min((cut for cut in cuts if cut > finish), default=finish)
        return self._trimmed(begin, finish)

    def sentences(self, section: Section) -> list[tuple[int, int]]:
        """The sentences of a section's running text and lists: no headings, tables, or lines that every page repeats."""
        found: list[tuple[int, int]] = []
        cuts = [section.start, *(gap.end() for gap in _GAP.finditer(self.text, section.start, section.end)), section.end]
        for first, last in pairwise(cuts):
            if first in self._headings or self.text.startswith("|", first) or self._is_running(self.text[first:last]):
                continue
            begin = self._below_a_line(first, last)
            for end in [*(cut.end() for cut in _CUT.finditer(self.text, begin, last)), last]:
                if len(self.text[begin:end].split()) >= _FEW_WORDS or end == last:
                    found.append(self._trimmed(begin, end))
                    begin = end
        return [(start, end) for start, end in found if self._is_sentence(self.text[start:end])]

    def _below_a_line(self, first: int, last: int) -> int:
        """Where a paragraph begins to be sentences: behind a short first line without a full stop, which is a heading of its own."""
        line = _HEADING_LINE.match(self.text, first, last)
        return line.end() if line else first

    def heading_at(self, place: int) -> str:
        """The heading that a place stands under; "" where there is none."""
        index = bisect_right([at for at, _, _ in self.parsed.headings], place) - 1
        return self.parsed.headings[index][2] if index >= 0 else ""

    def leads_in(self, end: int) -> bool:
        """Whether a list or table follows a sentence that ends here, which says little without it."""
        return self.text[end - 1] == ":" or re.match(rf"\s*\n\s*(?:\||[-*+\u2022]|{NUMBER})", self.text[end : end + 9]) is not None

    def _is_sentence(self, text: str) -> bool:
        """Whether it reads as a sentence or a list's item: no fragment, address, reference or heading."""
        letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
        ends = text.endswith(tuple(".!?:;\"'\u201d\u2019)\u2026")) or _ITEM.match(text) is not None
        is_prose = (
            letters >= 0.5 * len(text)
            and letters + digits >= 0.65 * len(text)
            and not (text.isupper() or text[:1].islower() or _REFERENCE.search(text))
        )
        return ends and is_prose and len(text.split()) >= _FEW_WORDS

    @cached_property
    def _headings(self) -> frozenset[int]:
        return frozenset(at for at, _, _ in self.parsed.headings)

    @cached_property
    def _lines(self) -> Counter[str]:
        return Counter(re.sub(r"\d+", "0", line.strip()) for line in self.text.splitlines() if line.strip())

    def _is_running(self, paragraph: str) -> bool:
        return self._lines[re.sub(r"\d+", "0", paragraph.strip())] >= _REPEATED

    @cached_property
    def _starts(self) -> list[int]:
        return [chunk.char_start for chunk in self.chunks]

    def chunk_at(self, start: int, end: int) -> Chunk:
        """The chunk that holds a span, or the most of it."""
        place = max(0, bisect_right(self._starts, start) - 1)
        near = self.chunks[max(0, place - 1) : place + 2]
        return max(near, key=lambda chunk: min(end, chunk.char_end) - max(start, chunk.char_start))

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        body = self.text[start:end]
        return end - len(body.lstrip()), start + len(body.rstrip())


class Sources:
    """Numbers what an answer quotes, each span once, in the order in which it is first cited."""

    def __init__(self) -> None:
        self.citations: list[Citation] = []
        self.evidence: list[Evidence] = []
        self._numbers: dict[tuple[str, int, int], int] = {}

    def cite(self, document: Whole, start: int, end: int) -> str:
        """The marker for a span of a document, which its citation shows within the chunk that holds it."""
        key = document.path, start, end
        if key not in self._numbers:
            self._numbers[key] = number = len(self.citations) + 1
            c = document.chunk_at(start, end)
            span = max(start, c.char_start), max(c.char_start, min(end, c.char_end))
            first, last = pages_of(document.parsed, Span(*span, ""))
            self.evidence.append(Evidence(c, 0.0))
            self.citations.append(Citation(number, c.path, first, last, c.char_start, c.char_end, c.text, True, span, span, "verbatim"))
        return f"[{self._numbers[key]}]"


def flat(text: str) -> str:
    """A quote in one line, without a list's mark or the marks of footnotes, which look like ours."""
    return " ".join(_NOTE_MARK.sub("", _ITEM.sub("", text, count=1)).split()).strip("*_")
