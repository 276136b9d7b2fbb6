"""Cuts a document into chunks that the embedder reads whole.

An embedder drops what lies past its window without a word (MiniLM: 256 tokens), so sizes are counted with its own
tokenizer. Text is first cut into units (a sentence, a list item, a table row), which are counted in one batch, then
gathered: a new section begins a new chunk, a section's chunks are about equally long, and each begins with the last
sentence of the one before it. A chunk is a span of the text; every character that isn't blank lies in one. One that
begins in the middle of a table knows the table's header.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.loaders.parsed import Parsed
from ingest.records import Chunk
from ingest.text.tables import CELL_END, Headers
from ingest.text.tokens import TokenCounter

TARGET = 200
"""Tokens that a chunk aims at where its section is longer than the embedder's window."""
OVERLAP = 40
"""Tokens that the sentence repeated from the chunk before may have at most."""
SMALL = 100
"""Tokens below which a section (a title, a clause of a contract) joins the one that follows: half a chunk."""
WIDEST_WORD = 100
"""Characters at which a word is cut for counting: WordPiece takes a longer one for a single unknown token."""

SENTENCE = r"""(?<=[.!?…])(?<!\b[A-Z]\.)(?<!\b[A-Z][a-z]\.)["'\u201d\u2019)\]]*\s+(?=[^a-z\s])|(?<=[\u3002\uff01\uff1f])"""
NUMBER = r"\(?(?:\d+(?:\.\d+)*|[A-Za-z]|[ivxlc]+)[.)]"
_ITEM = rf"\n(?=[ \t]*(?:[-*+•]|\|(?! *:?-+:? *\|)|{NUMBER}\s))"
PARAGRAPH = r"\n[ \t]*\n\s*"
"""Patterns of the end of a sentence, of what a numbered item begins with, and of the gap between paragraphs."""
_BREAK = re.compile(f"{PARAGRAPH}|{_ITEM}|{SENTENCE}")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_WORD = re.compile(rf"\S{{1,{WIDEST_WORD}}}")
_GIANT = re.compile(rf"\w{{{WIDEST_WORD},}}")


VERSION = "4"
"""Of this way of cutting: a library that was cut in another is cut again from its texts."""


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk before it has an id: text[start:end], under a path of headings and perhaps a table's header."""

    start: int
    end: int
    heading: str
    header: str = ""


@dataclass(frozen=True, slots=True)
class _Unit:
    start: int
    end: int
    tokens: int
    ends_paragraph: bool


def split(parsed: Parsed, counter: TokenCounter) -> list[Span]:
    """The chunks of a document, in order, each of at most `counter.limit` tokens."""
    text = parsed.text
    sections = [(_units(text, start, end, counter), heading) for start, end, heading in _sections(parsed)]
    chunks: list[Span] = []
    for units, heading in _join_small(sections):
        chunks += [_trim(text, start, end, heading) for start, end in _gather(units, counter.limit)]
    return _fit(text, [chunk for chunk in chunks if chunk.start < chunk.end], Headers(text, counter), counter)


def _sections(parsed: Parsed) -> Iterator[tuple[int, int, str]]:
    """From heading to heading, with the path of headings in force."""
    path: list[tuple[int, str]] = []
    start = 0
    for position, level, title in parsed.headings:
        if parsed.text[start:position].strip():
            yield start, position, " > ".join(title for _, title in path)
            start = position
        path = [(above, name) for above, name in path if above < level] + [(level, title)]
    if parsed.text[start:].strip():
        yield start, len(parsed.text), " > ".join(title for _, title in path)


def _units(text: str, start: int, end: int, counter: TokenCounter) -> list[_Unit]:
    units = []
    for unit in _cut(text, start, end, [match.end() for match in _BREAK.finditer(text, start, end)], counter):
        if _fits(text, unit, counter.limit):
            units.append(unit)
        elif text[unit.start] == "|":
            cells = [match.end() for match in CELL_END.finditer(text, unit.start + 1, unit.end)]
            for cell in _cut(text, unit.start, unit.end, cells, counter):
                units += [cell] if _fits(text, cell, counter.limit // 2) else _words(text, cell, counter)
        else:
            units += _words(text, unit, counter)
    return units


def _cut(text: str, start: int, end: int, cuts: list[int], counter: TokenCounter) -> list[_Unit]:
    pairs = list(pairwise(sorted({start, *cuts, end})))
    counts = counter.count([text[first:last] for first, last in pairs])
    return [_Unit(*pair, tokens, bool(_BLANK_LINE.search(text, *pair))) for pair, tokens in zip(pairs, counts, strict=True)]


def _fits(text: str, unit: _Unit, limit: int) -> bool:
    """Whether a unit can stay whole: it isn't too long, and its tokens tell how long it is."""
    return unit.tokens <= limit and not _GIANT.search(text, unit.start, unit.end)


def _words(text: str, unit: _Unit, counter: TokenCounter) -> list[_Unit]:
    """A unit word by word; each word carries the blanks that follow it."""
    return _cut(text, unit.start, unit.end, [match.start() for match in _WORD.finditer(text, unit.start, unit.end)][1:], counter)


def _join_small(sections: list[tuple[list[_Unit], str]]) -> Iterator[tuple[list[_Unit], str]]:
    carried: list[_Unit] = []
    heading = ""
    for units, heading in sections:
        carried = carried + units
        if sum(unit.tokens for unit in carried) >= SMALL:
            yield carried, heading
            carried = []
    if carried:
        yield carried, heading


def _gather(units: list[_Unit], limit: int) -> Iterator[tuple[int, int]]:
    """Spans of about equal size, ending where a paragraph does if that is near."""
    total = sum(unit.tokens for unit in units)
    pieces = 1 if total <= limit else -(-total // min(TARGET, limit))
    goal = total / pieces
    first, size = 0, 0
    for index, unit in enumerate(units):
        full = size + unit.tokens > limit or (pieces > 1 and size >= goal)
        if index > first and (full or (pieces > 1 and size >= 0.7 * goal and units[index - 1].ends_paragraph)):
            yield units[first].start, units[index - 1].end
            first, size = _overlap(units, first, index, limit)
        size += unit.tokens
    if units:
        yield units[first].start, units[-1].end


def _overlap(units: list[_Unit], first: int, index: int, limit: int) -> tuple[int, int]:
    """Where the next chunk starts: at the last sentence of this one, if it is short and leaves room for the next."""
    last = units[index - 1]
    if index - 1 > first and last.tokens <= OVERLAP and last.tokens + units[index].tokens <= limit:
        return index - 1, last.tokens
    return index, 0


def _trim(text: str, start: int, end: int, heading: str) -> Span:
    body = text[start:end]
    return Span(end - len(body.lstrip()), start + len(body.rstrip()), heading)


def _fit(text: str, spans: list[Span], headers: Headers, counter: TokenCounter) -> list[Span]:
    """Halves what is still too long: a whole may count higher than the sum of its parts, and a header takes its room."""
    spans = [replace(span, header=headers.of(span.start, span.end)) for span in spans]
    counts = counter.count([f"{span.header}\n{text[span.start : span.end]}" for span in spans])
    fitting = []
    for span, tokens in zip(spans, counts, strict=True):
        if tokens <= counter.limit or span.end - span.start == 1:
            fitting.append(span)
            continue
        cut = _middle(text, span)
        halves = [_trim(text, span.start, cut, span.heading), _trim(text, cut, span.end, span.heading)]
        fitting += _fit(text, [half for half in halves if half.start < half.end], headers, counter)
    return fitting


def _middle(text: str, span: Span) -> int:
    """Where to halve a span: between rows of a table, else between cells of a row, else between lines or words."""
    middle = (span.start + span.end) // 2
    line, cell, blank = (text.rfind(edge, span.start + 1, middle) for edge in ("\n", " | ", " "))
    if span.header:
        return line if line > 0 else cell + 2 if cell > 0 else max(blank, 0) or middle
    return max(line, blank) if max(line, blank) > 0 else middle


def pages_of(parsed: Parsed, span: Span) -> tuple[int, int] | tuple[None, None]:
    """The first and last page of a span, from 1, or None where the format has no pages."""
    if not parsed.pages:
        return None, None
    starts = [start for start, _ in parsed.pages]
    first = max(0, bisect_right(starts, span.start) - 1)
    last = max(0, bisect_right(starts, span.end - 1) - 1)
    return parsed.pages[first][1], parsed.pages[last][1]


def chunks_of(path: str, sha256: str, loader: str, parsed: Parsed, spans: Sequence[Span]) -> list[Chunk]:
    """Chunks with ids that depend on the document's bytes, its text and the span alone, not on where the file lies."""
    text = parsed.text
    document = hashlib.sha256(f"{sha256}\0{loader}\0{text}".encode()).hexdigest()
    chunks = []
    for span in spans:
        key = hashlib.sha256(f"{document}:{span.start}:{span.end}".encode()).hexdigest()[:32]
        first, last = pages_of(parsed, span)
        chunks.append(Chunk(key, path, text[span.start : span.end], span.start, span.end, first, last, span.heading, span.header))
    return chunks
