"""What a text is taken apart into: terms that can be compared one by one, and operators, which change what terms near them say."""

from dataclasses import dataclass, field
from typing import Literal

from rag.verify.quantity import Date, Quantity


@dataclass(slots=True)
class Place:
    """Where in a text something stands.

    Attributes:
        index: of a term, its number in the text; of an operator, that of the term behind it.
        segment: what commas and words like "while" part; counted through the text, as are sentences and clauses.
        clause: what semicolons and ", but" part.
    """

    start: int
    end: int
    index: int
    segment: int
    clause: int
    sentence: int


@dataclass(slots=True)
class Operator:
    """A word like not, may, if, most (grammar.OPERATORS)."""

    what: str
    raw: str
    at: Place


@dataclass(slots=True)
class Term:
    """A word, name, number or date.

    Attributes:
        keys: what a word is compared by (lexicon.keys); of "a mile" or "per hour" the unit's.
        modifier: the sign for "at most", "about" and the like before a number.
        label: the word before a number that is only a name: Section 5.
        preposition: that which the term stands under, `link` if it stands just before it.
        passive: whether a form of "be" stands before it, or "by" behind.
        is_joined: whether but a hyphen stands before it.
        before: the word before it, `after` that behind; in lower case.
    """

    kind: Literal["word", "name", "number", "date"]
    keys: frozenset[str]
    raw: str
    at: Place
    value: Quantity | Date | None = None
    modifier: str = ""
    label: str = ""
    preposition: str = ""
    link: str = ""
    passive: bool = False
    is_joined: bool = False
    before: str = ""
    after: str = ""

    def touches(self, following: "Term") -> bool:
        """Whether but one character stands between it and another."""
        return following.at.start - self.at.end == 1


@dataclass(slots=True)
class Segment:
    """A part of a sentence."""

    sentence: int
    opening: str
    """Its first word, in lower case."""
    terms: list[int] = field(default_factory=list)
    pronouns: list[tuple[int, str]] = field(default_factory=list)
    """Each behind the number of the term that follows it."""


@dataclass(slots=True)
class Terms:
    """A text taken apart."""

    terms: list[Term] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    sentences: list[tuple[int, int]] = field(default_factory=list)
    questions: frozenset[int] = frozenset()
    """The sentences that ask, and so say nothing."""
