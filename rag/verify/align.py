"""Which term of a passage stands for which of a claim: of all ways, the one whose places lie closest together."""

from collections.abc import Sequence
from itertools import pairwise

from rag.verify.grammar import DIMENSIONS, LIGHT
from rag.verify.quantity import UNITS, Date, Quantity
from rag.verify.terms import Term, Terms

Alignment = list[int | None]
"""Of each term of a claim the place in the passage; None where it stands nowhere and need not."""
_OTHER_SENTENCE, _OTHER_SEGMENT, _BACKWARD, _A_TERM_APART = 4.0, 1.5, 0.7, 0.1
_OTHER_PREPOSITION, _OTHER_FORM, _TAKEN_TWICE, _LEFT_OUT = 0.3, 0.05, 2.0, 1.0
"""Costs, chosen by hand: what counts is their order."""
_PATHS, _PLACES = 16, 24
"""How many ways are followed, and to how many places of a term."""


def says_the_same(found: Term, claimed: Term) -> bool:
    """Whether one term of a passage says all that one of a claim says."""
    if isinstance(claimed.value, Date) and isinstance(found.value, Date):
        return found.value.says(claimed.value) and found.modifier == claimed.modifier
    if isinstance(claimed.value, Quantity) and isinstance(found.value, Quantity):
        return found.value.says(claimed.value) and (found.modifier, found.label) == (claimed.modifier, claimed.label)
    return bool(found.keys & claimed.keys)


def candidates(claimed: Term, passage: Terms) -> list[int]:
    """The places in a passage that a term of a claim may stand for."""
    return [n for n, found in enumerate(passage.terms) if found.at.sentence not in passage.questions and says_the_same(found, claimed)]


def may_be_added(term: Term) -> bool:
    """Whether a claim may say it though the passage doesn't."""
    return term.kind == "word" and bool(term.keys & LIGHT or (term.keys & DIMENSIONS and term.before.removesuffix("s") in UNITS))


def first_names(claim: Terms, passage: Terms) -> set[int]:
    """The claim's names that stand somewhere in the passage before the one that follows them: elsewhere the last name is enough."""
    full = [(one, two) for one, two in pairwise(passage.terms) if one.touches(two)]
    return {
        first.at.index
        for first, last in pairwise(claim.terms)
        if first.kind == last.kind == "name" and first.touches(last)
        and any(says_the_same(one, first) and says_the_same(two, last) for one, two in full)
    }  # fmt: skip


def align(claim: Terms, passage: Terms, places: Sequence[Sequence[int]], optional: set[int]) -> Alignment:
    """The cheapest way through the candidates (Viterbi, in a beam, so that a word that stands everywhere costs no more than others).

    Args:
        places: the candidates of each term of the claim.
        optional: terms of the claim that may be left out.
    """
    paths: list[tuple[float, Alignment]] = [(0.0, [])]
    for n, wanted in enumerate(claim.terms):
        paths = sorted(paths, key=_first)[:_PATHS]
        left_out = [(cost + _LEFT_OUT, [*path, None]) for cost, path in paths] if n in optional or not places[n] else []
        here = places[n][:_PLACES]
        taken = [min(((cost + _cost(wanted, passage, path, place), path) for cost, path in paths), key=_first) for place in here]
        paths = [(cost, [*path, place]) for (cost, path), place in zip(taken, here, strict=True)] + left_out
    return min(paths, key=_first)[1]


def _first(path: tuple[float, Alignment]) -> float:
    return path[0]


def _cost(wanted: Term, passage: Terms, path: Alignment, place: int) -> float:
    term = passage.terms[place]
    cost = _OTHER_PREPOSITION * (term.preposition != wanted.preposition) + _OTHER_FORM * (term.raw.casefold() != wanted.raw.casefold())
    cost += _TAKEN_TWICE * (place in path) * (10 if term.value else 1)
    last = next((passage.terms[p] for p in reversed(path) if p is not None), None)
    if last is None:
        return cost
    cost += _A_TERM_APART * abs(place - last.at.index) + _BACKWARD * (place < last.at.index)
    if last.at.sentence != term.at.sentence:
        return cost + _OTHER_SENTENCE
    return cost + _OTHER_SEGMENT * (last.at.segment != term.at.segment)
