"""Claims held against the sources of one answer, each source taken apart once, when it is first asked about."""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rag.answer import Evidence, Support
from rag.verify.grammar import is_english
from rag.verify.paraphrase import find_support, is_qualified
from rag.verify.parse import read_terms
from rag.verify.rewording import find_rewording
from rag.verify.tables import Row, find_row, split_tables
from rag.verify.terms import Terms
from rag.verify.verbatim import Source, Wording


class Finding(NamedTuple):
    """How a source supports a claim; where it does in other words, Evidence.text[start:end] says it."""

    support: Support
    span: tuple[int, int] | None = None


class Verifier:
    """The sources of an answer as the model was shown them, number 1 first."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._passages = [_Passage(item.text, f"{item.chunk.heading} {Path(item.chunk.path).stem}") for item in evidence]

    def is_verbatim(self, number: int, words: str, content_words: int = 2) -> bool:
        """Whether source `number` is there and holds these words as they are, and they are a number, a name or so many content words."""
        return 1 <= number <= len(self._passages) and self._passages[number - 1].source.holds(Wording(words), content_words)

    def check(self, number: int, claim: str) -> Finding:
        """How source `number` supports a claim."""
        return self._passages[number - 1].check(claim) if 1 <= number <= len(self._passages) else Finding("unsupported")


class _Passage:
    """A source in the forms that claims are held against."""

    def __init__(self, text: str, context: str) -> None:
        self._text, self._context = text, context

    def check(self, claim: str) -> Finding:
        wording, terms = Wording(claim), read_terms(claim)
        prose, rows = self._parts
        if self.source.holds(wording):
            return Finding("unsupported" if is_qualified(terms, prose) else "verbatim")
        if self.source.cuts(wording):
            return Finding("unsupported")
        if not self._is_english:
            return Finding("unsupported")
        span = find_support(terms, prose, self._context_keys) or find_row(terms, rows) or find_rewording(terms, prose, self._context_keys)
        return Finding("supported", span) if span else Finding("unsupported")

    @cached_property
    def source(self) -> Source:
        return Source(self._text)

    @cached_property
    def _parts(self) -> tuple[Terms, list[Row]]:
        prose, rows = split_tables(self._text)
        return read_terms(prose), rows

    @cached_property
    def _is_english(self) -> bool:
        return is_english(re.findall(r"[^\W\d_]+", self._text.casefold()))

    @cached_property
    def _context_keys(self) -> frozenset[str]:
        """The words of the headings above it and of its file's name, which a claim may take up."""
        return frozenset(key for term in read_terms(self._context).terms for key in term.keys)
