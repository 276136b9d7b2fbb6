"""From a task to the parts of an Answer: the documents are read, and the kind's own module goes over them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ingest import Library
from rag.answer import Answer, Timings
from rag.query import Query
from rag.retriever import LibraryRetriever, stored
from rag.whole import each, quoting
from rag.whole.compute import compute, what_there_is
from rag.whole.document import Sources, Whole, flat
from rag.whole.names import Names
from rag.whole.patterns import every, kinds_of
from rag.whole.tables import items_under, tables_of
from rag.whole.task import Task, recognise, speaks_of_a_table
from rag.whole.writing import Writer, write

_NEAR = 16
"""Passages whose documents' tables are looked through where a sum names no document."""


@dataclass(frozen=True)
class Helpers:
    """What a task takes from the chain.

    Attributes:
        threshold: the gate's.
        writer: the model, where it writes; None for one that can only quote.
        ask: a question of one document, by its path.
    """

    library: Library
    threshold: float
    writer: Writer | None
    ask: Callable[[str, str], Answer]


def whole(query: Query, helpers: Helpers) -> Iterator[Answer] | None:
    """The parts of an Answer over whole documents; None for a question like any other, which nothing was spent on.

    Raises:
        QuestionError: the library has nothing at one of `query.within`.
    """
    task = recognise(query, lambda: names_of(query, helpers.library))
    if task is None:
        return None
    if task.mode == "compute" or (task.mode == "every" and not kinds_of(task.what) and not task.unclear):
        found = (_computed if task.mode == "compute" else _items)(task, query, helpers)
        return None if found is None else _timed(task, iter([found]))
    return _timed(task, _parts(task, query, helpers))


def names_of(query: Query, library: Library) -> Names:
    """The documents that a question may be about: those within, and which one the conversation was about last."""
    with library.snapshot() as view:
        openings = view.openings()
        within = None if query.within is None else stored(view, query.within)
    if within is not None:
        openings = {path: openings[path] for path in within}
    last = LibraryRetriever(library=library).evidence(" ".join(query.turns[-1]), 1, query.within) if query.turns else []
    return Names(openings, last[0].chunk.path if last else "")


def _timed(task: Task, parts: Iterator[Answer]) -> Iterator[Answer]:
    started = time.monotonic()
    yield Answer(mode=task.mode)
    timed = False
    for part in parts:
        timed = timed or part.timings.total_s > 0
        yield part
    if not timed:
        yield Answer(timings=Timings(0.0, 0.0, time.monotonic() - started, 0, 0))


def _parts(task: Task, query: Query, helpers: Helpers) -> Iterator[Answer]:
    if task.unclear:
        yield Answer(task.unclear, refused=True)
    elif not task.documents:
        yield Answer("There are no documents to read.", refused=True)
    elif task.mode == "each":
        yield from each.told(task.documents, lambda path: helpers.ask(task.what, path))
    elif task.mode == "which":
        yield from each.which(task.what, _read(task.documents, helpers), LibraryRetriever(library=helpers.library), helpers.threshold)
    elif task.mode == "every":
        yield _listed(_read(task.documents, helpers), kinds_of(task.what))
    elif task.mode == "compare" and len(task.documents) < 2:
        yield Answer("To compare, name two documents, or ask it of two with --in.", refused=True)
    elif helpers.writer:
        yield from write(query.question, _read(task.documents, helpers), helpers.writer)
    else:
        quote, what = (quoting.compare, task.what) if task.mode == "compare" else (quoting.summarise, query.question)
        yield from quote(what, _read(task.documents, helpers), helpers.library)


def _read(paths: Sequence[str], helpers: Helpers) -> list[Whole]:
    with helpers.library.snapshot() as view:
        return [Whole.read(view, path) for path in paths]


def _computed(task: Task, query: Query, helpers: Helpers) -> Answer | None:
    """The result over the documents named, else those retrieved; None where the question only looked like a sum."""
    paths: Sequence[str] = task.documents
    if not paths:
        evidence = LibraryRetriever(library=helpers.library).evidence(query.question, _NEAR, query.within)
        paths = list(dict.fromkeys(item.chunk.path for item in evidence))
    tables = [table for document in _read(paths, helpers) for table in tables_of(document)]
    told = query.mode == "compute" or speaks_of_a_table(query.question)
    named = told or len(task.documents) == 1
    found = compute(task.what, tables, named) or compute(query.question, tables, named)  # a column may be called like a document
    return what_there_is(tables) if found is None and told else found


def _items(task: Task, _: Query, helpers: Helpers) -> Answer | None:
    """A list or a table's column, told by the word that it stands under; None where no document has one."""
    sources, shown = Sources(), []
    for document in _read(task.documents, helpers):
        spans = items_under(document, task.what)
        lines = [f"- {text} {sources.cite(document, *span)}" for text, span in spans]
        shown += ["\n".join([f"{len(lines)} under '{task.what}' in {document.name}:", *lines])] * bool(lines)
    note = "These are the items of a list or a table's column; what is said elsewhere in the text is not among them."
    return Answer("\n\n".join(shown), False, tuple(sources.citations), tuple(sources.evidence), note=note) if shown else None


def _listed(documents: Sequence[Whole], kinds: Sequence[str]) -> Answer:
    """All of some kinds in some documents, each once, with its sentence and the markers of all its places."""
    sources = Sources()
    shown: list[str] = []
    without: dict[str, list[str]] = {}
    for document in documents:
        for kind in kinds:
            items = every(document, kind)
            lines = []
            for item in items:
                spans = list(dict.fromkeys(document.sentence(*place) for place in item.places))
                markers = [sources.cite(document, *span) for span in spans]
                also = f" (also {''.join(markers[1:])})" if markers[1:] else ""
                lines.append(f"- {item.text}: {_around(document, spans[0], item.places[0])} {markers[0]}{also}")
            if lines:
                shown.append("\n".join([f"{len(items)} {plural(kind, len(items))} in {document.name}:", *lines]))
            else:
                without.setdefault(kind, []).append(document.name)
    names = ", ".join(document.name for document in documents)
    note = f"Found by pattern in the whole text of {names}: what is written in an unusual way may be missing, and not all may be meant."
    nothing = [f"No {kind} in {', '.join(names_)}." for kind, names_ in without.items()]
    return Answer("\n\n".join([*shown, *nothing]), not shown, tuple(sources.citations), tuple(sources.evidence), note=note)


_LONGEST = 240
"""Characters of a sentence that a list shows; its citation has all of it."""


def _around(document: Whole, sentence: tuple[int, int], place: tuple[int, int]) -> str:
    """A sentence, of a long one the words around a place in it."""
    text, (start, end) = document.text, sentence
    if end - start <= _LONGEST:
        return flat(text[start:end])
    first, last = max(start, place[0] - _LONGEST // 2), min(end, place[1] + _LONGEST // 2)
    before = "" if first == start else "... "
    return before + flat(text[first:last].partition(" ")[2] if before else text[first:last]) + (" ..." if last < end else "")


def plural(kind: str, count: int) -> str:
    return kind if count == 1 else f"{kind}es" if kind.endswith("s") else f"{kind}s"
