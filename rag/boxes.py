"""Where on its pages the words stand that a citation points at, for whoever draws them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingest import Library
from rag.answer import Answer


def with_boxes(parts: Iterable[Answer], library: Library) -> Iterator[Answer]:
    """The parts of an answer, their citations with the boxes of their span, else their quote, else the whole passage."""
    for part in parts:
        if part.citations:
            with library.snapshot() as view:
                spans = [(c, c.span or c.quote or (c.char_start, c.char_end)) for c in part.citations]
                part = replace(part, citations=tuple(replace(c, boxes=view.boxes(c.path, *span)) for c, span in spans))
        yield part
