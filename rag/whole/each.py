"""The same question of each document, as a table; and which documents speak of something, yes or no for each."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from ingest import Chunk
from rag import gate
from rag.answer import Answer, Citation
from rag.coverage import content_words, coverage
from rag.markers import MARKER, strip_markers
from rag.quote import sentence
from rag.read import default_reader, read
from rag.retriever import LibraryRetriever
from rag.whole.document import Section, Sources, Whole, flat

COLUMNS = ("document", "answer", "page", "verified")
_ALL = 0.999
"""Coverage of what holds all words of the topic."""
_SOME = 0.5
"""Coverage below which a passage is not read for a topic."""
_LOOKED_AT = 8
_NAMED = re.compile(r"\b(?:[A-Z]\w+|\w*\d\w*)")
"""Names and numbers of a topic, which no other words can stand for."""
_NEAR, _SHOWN, _ALIKE = 3, 3, 0.3
"""Passages of a document in which the sentence most like a topic is sought, documents shown so, and the cosine similarity at the least."""
_NOT = re.compile(r"\b(?:not|no|never|without)\b", re.I)
_OR = re.compile(r"\s+or\s+", re.I)
_FORMULA = re.compile(r"[\s\0]*[=+\-@\t\r|%\uff0b\uff0d\uff1d\uff20]")


@dataclass(frozen=True)
class Row:
    """What one document answers. `page` and `verified` are those of its first citation, None where it has none."""

    document: str
    answer: str
    page: int | None = None
    verified: bool | None = None
    failed: bool = False
    whole: Answer = field(default_factory=Answer)

    def cells(self) -> list[str]:
        verified = "" if self.verified is None else "yes" if self.verified else "no"
        return [self.document, self.answer, "" if self.page is None else str(self.page), verified]


def ask_each(paths: Sequence[str], ask: Callable[[str], Answer]) -> Iterator[Row]:
    """A row for each document, as its answer is there; one that fails is a row that says why."""
    for path in paths:
        try:
            answer = ask(path)
        except Exception as error:  # whatever fails at one document must not take the others with it
            yield Row(path, f"error: {' '.join(str(error).split()) or type(error).__name__}", failed=True)
            continue
        first: Citation | None = next(iter(answer.citations), None)
        text = " ".join(strip_markers(answer.text).split())
        yield Row(path, text, first.page_start if first else None, first.verified if first else None, whole=answer)


def write_csv(rows: Iterable[Row], file: TextIO) -> None:
    """The table as CSV."""
    write_cells([COLUMNS, *(row.cells() for row in rows)], file)


def write_cells(rows: Iterable[Sequence[str]], file: TextIO) -> None:
    """Rows as CSV. A cell that a spreadsheet would run as a formula is written as text, behind an apostrophe."""
    csv.writer(file).writerows([f"'{cell}" if _FORMULA.match(cell) else cell for cell in row] for row in rows)


def told(paths: Sequence[str], ask: Callable[[str], Answer]) -> Iterator[Answer]:
    """The table as an Answer: in Markdown, a row for each document, with markers over all of them."""
    used, alike = 0, Counter(Path(path).name for path in paths)
    yield Answer("| document | answer |\n| --- | --- |")
    for count, row in enumerate(ask_each(paths, ask), 1):
        cited = {citation.marker: used + place for place, citation in enumerate(row.whole.citations, 1)}
        used += len(cited)
        path = Path(row.document)
        name = path.name if alike[path.name] == 1 else f"{path.parent.name}/{path.name}"
        yield Answer(
            f"\n| {_cell(name)} | {_cell(row.answer if row.failed else _renumbered(row.whole.text, cited))} |",
            citations=tuple(replace(citation, marker=cited[citation.marker]) for citation in row.whole.citations),
            evidence=tuple(row.whole.evidence[marker - 1] for marker in cited),
            progress=(count, len(paths), "documents asked"),
        )
    yield Answer(note=f"Asked of {len(paths)} of {len(paths)} documents.")


def _cell(text: str) -> str:
    """A text as a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def _renumbered(text: str, cited: Mapping[int, int]) -> str:
    """The text with the numbers that its markers have over all documents; one that no source had is left out, for it would have one now."""
    return MARKER.sub(lambda marker: "".join(f"[{cited[n]}]" for n in map(int, marker[1].split(",")) if n in cited), text)


def which(topic: str, documents: Sequence[Whole], retriever: LibraryRetriever, threshold: float) -> Iterator[Answer]:
    """Those documents that speak of a topic, each with the sentence that does: told by its words, else by reader and gate.

    Where none does, and where the question is what is not so, which neither can tell, the nearest sentences are shown for what they are.
    """
    sources = Sources()
    lines, nearest, without = [], [], []
    negated = _NOT.search(topic)
    for number, document in enumerate(documents, 1):
        found = None if negated else next(filter(None, (_place(t, retriever, document.path, threshold) for t in _OR.split(topic))), None)
        if found is None:
            without.append(document.name)
            nearest += _nearest(topic, document, retriever)
        else:
            span = document.sentence(*found)
            lines.append(f"- {document.name}: {flat(document.text[slice(*span)])} {sources.cite(document, *span)}")
        yield Answer(progress=(number, len(documents), "documents looked through"))
    head, is_found = f"{len(lines)} of {len(documents)} documents:", bool(lines)
    if not is_found:
        shown = nearest if negated else [near for near in sorted(nearest, key=lambda near: -near[0])[:_SHOWN] if near[0] >= _ALIKE]
        lines = [f"- {document.name}: {flat(document.text[slice(*span)])} {sources.cite(document, *span)}" for _, document, span in shown]
        head = (
            "What is not so can't be told by looking for it."
            if negated
            else f"None of the {len(documents)} documents, as far as search and reader tell."
        )
        head += " Nearest in meaning:" * bool(lines)
    note = f"Looked through {len(documents)} documents."
    if without and is_found:
        note += f" Not in: {', '.join(without[:20])}{f' and {len(without) - 20} more' if len(without) > 20 else ''}."
    text = "\n\n".join(filter(None, (head, "\n".join(lines))))
    yield Answer(text, not is_found, tuple(sources.citations), tuple(sources.evidence), note=note)


def _nearest(topic: str, document: Whole, retriever: LibraryRetriever) -> list[tuple[float, Whole, tuple[int, int]]]:
    """The sentence of a document that is most like a topic, of the passages nearest to it, with its cosine similarity; [] without any."""
    chunks = [item.chunk for item in retriever.evidence(topic, _NEAR, document.path)]
    spans = [span for chunk in chunks for span in document.sentences(Section("", chunk.char_start, chunk.char_end))]
    if not spans:
        return []
    vectors = retriever.library.embed([topic, *(document.text[slice(*span)] for span in spans)])
    likeness = vectors[1:] @ vectors[0]
    return [(float(likeness.max()), document, spans[int(likeness.argmax())])]


def _hits(topic: str, chunk: Chunk) -> Iterator[tuple[int, int, int]]:
    """Where words of the topic stand in a chunk, each with how many of them stand in its sentence; prose comes before headings and rows."""
    begun = [re.compile(rf"\b{re.escape(word[: max(3, len(word) - 2)])}", re.I) for word in content_words(topic)]
    for match in (match for pattern in begun for match in pattern.finditer(chunk.text)):
        first, last = sentence(chunk.text, *match.span())
        held = 2 * sum(pattern.search(chunk.text, first, last) is not None for pattern in begun)
        is_prose = len(chunk.text[first:last].split()) > 4 and chunk.text[first] != "|"
        yield held + is_prose, chunk.char_start + match.start(), chunk.char_start + match.end()


def _place(topic: str, retriever: LibraryRetriever, path: str, threshold: float) -> tuple[int, int] | None:
    """Where a document speaks of the topic, as characters of its text: where all of its words are, else where the reader finds it."""
    evidence = retriever.evidence(topic, _LOOKED_AT, path)
    with retriever.library.snapshot() as view:
        covered = coverage(view, topic, [item.chunk.id for item in evidence])
    holder = next((item for item in evidence if covered[item.chunk.id] >= _ALL), None)
    if holder:
        nothing = (0, holder.chunk.char_start, holder.chunk.char_start + 1)
        return max(_hits(topic, holder.chunk), key=lambda hit: hit[0], default=nothing)[1:]
    named = [name.casefold() for name in _NAMED.findall(topic)]
    near = [item for item in evidence if covered[item.chunk.id] >= _SOME and all(name in item.chunk.whole.casefold() for name in named)]
    if not near:
        return None
    found = read(topic, near, default_reader())
    best = max(found, key=lambda item: item.reading.answerable if item.reading else 0.0)
    if gate.decide(topic, found, threshold).refuse or best.reading is None or not best.reading.end:
        return None
    return best.chunk.char_start + best.reading.start, best.chunk.char_start + best.reading.end
