"""Whether a claim's numbers and dates are said of what the passage says them of."""

from rag.verify.match import Match
from rag.verify.quantity import Quantity
from rag.verify.terms import Term


def figures_agree(match: Match) -> bool:
    """No number says two things, none is torn from the word before it, and none of its kind stands nearer to what it is said of."""
    taken = [found.at.index for _, found in match.pairs if found.value]
    if len(taken) != len(set(taken)):
        return False
    return not any(_is_torn(match, n) for n in range(1, len(match.pairs))) and not any(
        _is_nearer(match, n) or _is_another_s(match, n) for n, (_, found) in enumerate(match.pairs) if found.value
    )


def has_rival(match: Match, found: Term) -> bool:
    """Whether its segment has another number or date of its kind that the claim leaves out: in March, in April."""
    terms = (match.passage.terms[place] for place in match.segment_of(found).terms)
    return found.value is not None and any(_is_rival(match, term, found) for term in terms)


def _is_rival(match: Match, term: Term, found: Term, prepositions: tuple[str, ...] = ()) -> bool:
    if term.at.index in match.taken or term.kind != found.kind or term.preposition not in (found.preposition, *prepositions):
        return False
    return not (isinstance(term.value, Quantity) and isinstance(found.value, Quantity)) or term.value.is_like(found.value)


def _is_torn(match: Match, n: int) -> bool:
    """Whether "in 1811" stands in another segment than the word before it."""
    (before, its), (claimed, found) = match.pairs[n - 1], match.pairs[n]
    if not found.value or not claimed.link or before.at.segment != claimed.at.segment or its.at.segment == found.at.segment:
        return False
    return not match.is_aside(found.at.segment) and its.at.segment not in match.antecedents


def _is_nearer(match: Match, n: int) -> bool:
    """Whether a rival stands nearer to the word before or behind it."""
    claimed, found = match.pairs[n]
    if match.is_whole(found.at.segment):
        return False
    before = [] if _is_anchored(match, found) else match.pairs[max(0, n - 1) : n]
    beside = [other for _, other in before + match.pairs[n + 1 : n + 2]]
    rivals = [
        place for place in match.segment_of(found).terms if _is_rival(match, match.passage.terms[place], found, (claimed.preposition,))
    ]
    return any(
        abs(place - other.at.index) < abs(found.at.index - other.at.index)
        for other in beside
        if other.at.segment == found.at.segment and other.value is None
        for place in rivals
    )


def _is_another_s(match: Match, n: int) -> bool:
    """Of "9 in the drug group and 3 in the placebo group", whether the 9 is said of the second."""
    claimed, found = match.pairs[n]
    terms, place = match.passage.terms, found.at.index
    for said, other in match.pairs[n + 1 :]:
        if other.value or said.at.segment != claimed.at.segment:
            break
        if other.at.segment == found.at.segment and any(_is_rival(match, t, found) for t in terms[place + 1 : other.at.index]):
            return True
    before = match.pairs[n - 1][1] if n else found
    if _is_anchored(match, found) or before.at.segment != found.at.segment or before.value:
        return False
    return any(_is_rival(match, t, found) for t in terms[before.at.index + 1 : place])


def _is_anchored(match: Match, found: Term) -> bool:
    """Whether a word just behind it is taken too: 3 in the placebo group."""
    behind = match.passage.terms[found.at.index + 1 : found.at.index + 4]
    return any(t.at.index in match.taken and t.at.segment == found.at.segment and not t.value for t in behind)
