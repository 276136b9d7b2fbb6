"""Where on its pages the words stand that a citation points at, for whoever draws them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingest import Library, View
from ingest.text.chunking import Span, pages_of
from rag.answer import Answer, Citation


def with_boxes(parts: Iterable[Answer], library: Library) -> Iterator[Answer]:
    """The parts of an answer, their citations with the boxes of their span, else their quote, else the whole passage; in a format
    that has pages and no boxes (slides), with their pages alone."""
    for part in parts:
        if part.citations:
            with library.snapshot() as view:
                spans = [(c, c.span or c.quote or (c.char_start, c.char_end)) for c in part.citations]
                part = replace(part, citations=tuple(_placed(view, c, span) for c, span in spans))
        yield part


def _placed(view: View, citation: Citation, span: tuple[int, int]) -> Citation:
    boxes = view.boxes(citation.path, *span)
    if boxes or citation.page_start == citation.page_end or (document := view.document(citation.path)) is None:
        return replace(citation, boxes=boxes)
    first, last = pages_of(document[0], Span(*span, ""))
    return replace(citation, on=None if first is None or last is None else (first, last))
