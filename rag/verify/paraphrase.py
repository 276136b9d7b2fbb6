"""Whether a passage says in other words what a claim says: each term is there, and nothing parts the passage's terms from each other."""

from collections.abc import Iterator

from rag.verify.align import Alignment, align, candidates, first_names, may_be_added, says_the_same
from rag.verify.bearing import is_so, is_unqualified, operators_agree
from rag.verify.figures import figures_agree
from rag.verify.match import Match
from rag.verify.order import opposites_agree, order_agrees, prepositions_agree, segments_agree
from rag.verify.quantity import ORDINAL, Date
from rag.verify.subjects import is_apposition, names_agree, subjects_agree
from rag.verify.terms import Terms

CHECKS = (
    figures_agree,
    names_agree,
    subjects_agree,
    segments_agree,
    operators_agree,
    is_so,
    prepositions_agree,
    order_agrees,
    opposites_agree,
)
_WINDOWS = (1, 2, 3, 5)
"""Sentences that a claim is looked for in, before the whole passage."""
_CLAUSE = 3
"""Terms of which a claim is more than a name or a phrase."""


def find_support(claim: Terms, passage: Terms, context: frozenset[str] = frozenset()) -> tuple[int, int] | None:
    """The characters of the passage that say what the claim says; None where it doesn't say it.

    Args:
        context: keys of words that a claim may take up from headings.
    """
    if not _says_enough(claim):
        return None
    for alignment in _alignments(claim, passage, context):
        match = Match(claim, passage, alignment)
        if match.pairs and (is_apposition(match) or all(check(match) for check in CHECKS)):
            places = [found.at for _, found in match.pairs]
            return min(at.start for at in places), max(at.end for at in places)
    return None


def is_qualified(claim: Terms, passage: Terms) -> bool:
    """Whether a claim that stands in the passage word for word is torn from an "if", a "nearly" or a "believes that" before it."""
    length = len(claim.terms)
    if length < _CLAUSE:
        return False
    runs = [
        Match(claim, passage, [*range(start, start + length)])
        for start in range(len(passage.terms) - length + 1)
        if all(says_the_same(passage.terms[start + n], term) for n, term in enumerate(claim.terms))
    ]
    return bool(runs) and not any(map(is_unqualified, runs))


def _says_enough(claim: Terms) -> bool:
    """Two terms, or a date or a number with its unit: a name or a count alone may stand anywhere."""
    if len(claim.terms) + len(claim.operators) != 1 or not claim.terms:
        return bool(claim.terms)
    value = claim.terms[0].value
    return value.month is not None if isinstance(value, Date) else value is not None and value.unit not in ("", ORDINAL)


def _alignments(claim: Terms, passage: Terms, context: frozenset[str]) -> Iterator[Alignment]:
    """The best one in each few sentences that hold all terms, the fewest first."""
    places = [candidates(term, passage) for term in claim.terms]
    for term, found in zip(claim.terms, places, strict=True):
        if not found and not may_be_added(term) and (term.value or not term.keys & context):
            return
    optional, count = first_names(claim, passage), len(passage.sentences)
    for width in sorted({min(width, count) for width in (*_WINDOWS, count)}):
        for first in range(count - width + 1):
            inside = [[p for p in found if first <= passage.terms[p].at.sentence < first + width] for found in places]
            if all(here or not found or n in optional for n, (here, found) in enumerate(zip(inside, places, strict=True))):
                yield align(claim, passage, inside, optional)
