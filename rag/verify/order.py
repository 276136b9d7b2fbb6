"""Whether a claim puts a passage's words in an order that still says the same."""

from itertools import combinations

from rag.verify.figures import has_rival
from rag.verify.grammar import DETERMINERS, LOOSE, PRONOUNS, WEIGHTY
from rag.verify.lexicon import is_inflected, keys
from rag.verify.match import Match, Pair
from rag.verify.quantity import Quantity
from rag.verify.terms import Term, Terms
from rag.verify.thesaurus import are_opposed

_COMPARED = keys("compared")
_JOINTS = frozenset("and that which who whom before after".split())


def segments_agree(match: Match) -> bool:
    """What is said of two things isn't mixed: a claim takes what it takes of a segment in one go."""
    fronted = _fronted(match)
    order: list[int] = []
    for claimed, found in match.pairs:
        segment = found.at.segment
        if any(claimed is c for c, _ in fronted) or segment in match.antecedents or _may_interrupt(match, claimed, segment):
            continue
        if order[-1:] != [segment]:
            order.append(segment)
    if any(found.at.segment not in order and not match.is_whole(found.at.segment) for _, found in fronted):
        return False
    return len(order) == len(set(order)) and _may_be_joined(match, order) and not any(_is_stray(match, segment) for segment in order)


def order_agrees(match: Match) -> bool:
    """Within a segment, words that change places must be a phrase like "in May", or subject and object of a verb put in the passive."""
    for segment, pairs in match.by_segment.items():
        if segment in match.antecedents:
            continue
        verbs = [
            (c, f)
            for c, f in pairs
            if c.kind == f.kind == "word" and c.passive != f.passive and (is_inflected(c.raw) or is_inflected(f.raw))
        ]
        voices = [_voice_agrees(match, verb, pairs) for verb in verbs]
        if False in voices:
            return False
        is_relative = any(c.after in ("that", "which", "whom") for c, _ in pairs)  # the bell that divers raised
        if True in voices or is_relative:
            continue
        if not all(_may_change(match, one, two) for one, two in combinations(pairs, 2) if two[1].at.index < one[1].at.index):
            return False
    return True


def prepositions_agree(match: Match) -> bool:
    """From and to, before and after, against and for."""
    for claimed, found in match.pairs:
        is_verb = claimed.kind == found.kind == "word" and claimed.after and found.after
        if is_verb and "against" in (claimed.after, found.after) and {claimed.after, found.after} & {"for", "with"}:
            return False
        if is_verb and claimed.after != found.after and {claimed.after, found.after} <= WEIGHTY:
            return False
        is_free = found.at.segment in match.antecedents or match.taken[found.at.index] is not claimed
        if is_free or not (claimed.link or found.link) or claimed.modifier or (claimed.value and (claimed.keys or found.keys)):
            continue
        if not _may_stand_for(claimed, found):
            return False
    return True


def _may_be_joined(match: Match, order: list[int]) -> bool:
    """Whether a claim that joins nothing itself takes from one segment, or a subject and what is said of it behind an aside."""
    joins = any(claimed.before in _JOINTS or claimed.after in _JOINTS for claimed, _ in match.pairs)
    if joins or len({claimed.at.segment for claimed, _ in match.pairs}) > 1:
        return True
    measures = [
        bool(match.passage.terms[match.passage.segments[segment].terms[0]].value) and match.is_whole(segment) for segment in order[1:]
    ]
    return order == sorted(order) and (all(map(match.is_whole, order[:-1])) or all(measures))


def _may_stand_for(claimed: Term, found: Term) -> bool:
    both = {claimed.preposition, found.preposition}
    if len(both) == 1 or both <= LOOSE:
        return True
    return both <= LOOSE | {"by", "to", "between", "behind"} and not (found.value and "to" in both)


def _may_interrupt(match: Match, claimed: Term, segment: int) -> bool:
    """Whether it is an aside that is taken in one go, or stands between commas in the claim."""
    places = [n for n, (_, found) in enumerate(match.pairs) if found.at.segment == segment]
    if match.is_aside(segment) and places[-1] - places[0] < len(places):
        return True
    inside = {found.at.segment for c, found in match.pairs if c.at.segment == claimed.at.segment}
    outside = {found.at.segment for c, found in match.pairs if c.at.segment != claimed.at.segment}
    return inside == {segment} and segment not in outside and 0 < claimed.at.segment < len(match.claim.segments) - 1


def _fronted(match: Match) -> list[Pair]:
    """A phrase like "on Thursdays" that the claim opens with."""
    end = next((n for n, (claimed, _) in enumerate(match.pairs) if not _sets_the_scene(claimed)), 0)
    return match.pairs[:end]


def _sets_the_scene(term: Term) -> bool:
    return bool(term.preposition) or term.kind == "date"


def _is_stray(match: Match, segment: int) -> bool:
    """Whether it lends but a word, or what it speaks of, to what another clause says."""
    pairs = match.by_segment[segment]
    clauses = {found.at.clause for _, found in match.pairs if found.at.segment not in match.antecedents}
    has_antecedent = bool(match.antecedents) and match.passage.segments[segment].opening in PRONOUNS
    if match.is_aside(segment) or has_antecedent or len(clauses) == 1:
        return False
    taken = sorted({found.at.index for _, found in pairs})
    is_head = taken == match.passage.segments[segment].terms[: len(taken)] and len(taken) <= 3 and not match.is_whole(segment)
    return len(taken) == 1 or (is_head and match.passage.segments[segment].opening not in PRONOUNS)


def _voice_agrees(match: Match, verb: Pair, pairs: list[Pair]) -> bool | None:
    """Whether a verb was rightly put in the passive, or out of it; None where nothing moved about it."""
    side = 0 if verb[0].passive else 1
    """Which of a pair is the passive one."""
    active, passive = verb[1 - side], verb[side]
    moved = [pair for pair in pairs if pair is not verb and (pair[0].at.index < verb[0].at.index) != (pair[1].at.index < verb[1].at.index)]
    if not moved:
        return False if _has_object(active, match.claim if active is verb[0] else match.passage) else None
    has_agent = any(pair[side].preposition == "by" and pair[side].at.index > passive.at.index for pair in pairs)
    bare = [pair for pair in moved if not pair[0].preposition or pair[0].preposition != pair[1].preposition]
    return has_agent or not any(pair[side].at.index > passive.at.index for pair in bare)


def _has_object(verb: Term, text: Terms) -> bool:
    """Whether somebody or something stands behind a verb."""
    behind = text.terms[verb.at.index + 1 : verb.at.index + 2]
    return verb.after in DETERMINERS or any(verb.touches(term) and not term.value for term in behind)


def _may_change(match: Match, one: Pair, two: Pair) -> bool:
    """Whether two terms may have changed places."""
    if any(claimed.kind == "number" and claimed.keys for claimed, _ in (one, two)):
        return True  # a year, per hour
    if one[0].kind == two[0].kind != "word" and _are_alike(one[1], two[1]):
        return False
    is_near = one[1].at.index - two[1].at.index <= 3 and two[0].at.index - one[0].at.index <= 3
    if is_near and _is_genitive(two[1], one[1]) != _is_genitive(one[0], two[0]) and not any(has_rival(match, f) for _, f in (one, two)):
        return True
    return any(_is_adverbial(pair) and _is_at_an_end(match, pair[0]) and not has_rival(match, pair[1]) for pair in (one, two))


def _are_alike(one: Term, other: Term) -> bool:
    """Whether they are two names, two dates, or two numbers of one unit."""
    return not (isinstance(one.value, Quantity) and isinstance(other.value, Quantity)) or one.value.is_like(other.value)


def _is_genitive(first: Term, second: Term) -> bool:
    """Whether one is said of the other: a crane of 25 tonnes, damage by water, the miller's house."""
    if first.raw.endswith(("'s", "s'")):
        return True
    is_under = second.preposition != "" and second.preposition != first.preposition
    return is_under and (first.kind == second.kind == "word" or second.link in ("of", "for", "in", "from"))


def _is_adverbial(pair: Pair) -> bool:
    claimed, found = pair
    if claimed.kind == found.kind == "date":
        return True
    both = {claimed.preposition, found.preposition}
    return "" not in both and (len(both) == 1 or both <= LOOSE)


def _is_at_an_end(match: Match, claimed: Term) -> bool:
    """Whether its phrase opens or closes its part of the claim."""
    others = [c for c, _ in match.pairs if c.at.segment == claimed.at.segment]
    before = [c for c in others if c.at.index < claimed.at.index]
    behind = [c for c in others if c.at.index > claimed.at.index]
    return all(map(_sets_the_scene, before)) or all(map(_sets_the_scene, behind))


def opposites_agree(match: Match) -> bool:
    """Not: smaller in girls than in boys, for: smaller in boys than in girls. "Compared with" may put the second first."""
    if any(term.keys & _COMPARED for term in match.claim.terms):
        return True
    return not any(a[1].at.index > b[1].at.index and are_opposed(a[1].keys, b[1].keys) for a, b in combinations(match.pairs, 2))
