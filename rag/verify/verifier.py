"""Claims held against the sources of one answer, each source taken apart once, when it is first asked about."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rag.answer import Evidence, Support
from rag.verify.paraphrase import find_support
from rag.verify.tables import Row, find_row, split_tables
from rag.verify.terms import Terms, read_terms
from rag.verify.verbatim import Source, Wording


class Finding(NamedTuple):
    """How a source supports a claim, and where: chunk.whole[start:end]; None where it doesn't, or the words stand there as they are."""

    support: Support
    span: tuple[int, int] | None = None


class Verifier:
    """The sources of an answer as the model was shown them, number 1 first."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._passages = [_Passage(item.chunk.whole, f"{item.chunk.heading} {Path(item.chunk.path).stem}") for item in evidence]

    def is_verbatim(self, number: int, wording: Wording, content_words: int = 2) -> bool:
        """Whether source `number` is there and holds these words as they are."""
        return 1 <= number <= len(self._passages) and self._passages[number - 1].source.holds(wording, content_words)

    def check(self, number: int, claim: str) -> Finding:
        """How source `number` supports a claim."""
        wording = Wording(claim)
        if self.is_verbatim(number, wording):
            return Finding("verbatim")
        if not 1 <= number <= len(self._passages) or self._passages[number - 1].source.cuts(wording):
            return Finding("unsupported")
        span = self._passages[number - 1].find(read_terms(claim))
        return Finding("supported", span) if span else Finding("unsupported")


class _Passage:
    """A source in the three forms that claims are held against."""

    def __init__(self, text: str, context: str) -> None:
        self._text, self._context = text, context

    @cached_property
    def source(self) -> Source:
        return Source(self._text)

    def find(self, claim: Terms) -> tuple[int, int] | None:
        prose, rows = self._parts
        return find_support(claim, prose, self._names) or find_row(claim, rows)

    @cached_property
    def _parts(self) -> tuple[Terms, list[Row]]:
        prose, rows = split_tables(self._text)
        return read_terms(prose), rows

    @cached_property
    def _names(self) -> frozenset[str]:
        """The words of the headings above it and of its file's name, which a claim may take up."""
        return frozenset(key for term in read_terms(self._context).terms for key in term.keys)
