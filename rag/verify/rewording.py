"""Whether a claim that is freely reworded says what a passage says: every fact stands there, every word or one that may stand for it.

paraphrase.py goes by the order of a passage's words, which a fluent rewording gives up. Here the order is free, and so less may be
left open: no word of the claim is without its like, no number, date or name is another's, and nothing that is opposed to what is claimed
stands nearer. A claim in the passage's own words that paraphrase.py refuses is a mix-up of them sooner than a rewording, and isn't
looked at here.
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from rag.verify.align import align, may_be_added
from rag.verify.bearing import bearing, is_so, kind_agrees
from rag.verify.grammar import DETERMINERS, OPERATORS, SILENT
from rag.verify.lexicon import keys, lemmas
from rag.verify.likeness import likeness
from rag.verify.match import Match, Pair
from rag.verify.order import opposites_agree
from rag.verify.quantity import SCALES, UNITS, Date, Quantity
from rag.verify.terms import Operator, Place, Term, Terms
from rag.verify.thesaurus import are_opposed, may_stand_for

_WINDOW = 3
"""Sentences that a claim may be drawn from."""
_ALIKE, _ALIKE_WORDS = 0.52, 2
"""How alike a word must be to one that it stands for without being in the thesaurus, and how many such words a claim may have."""
_OTHERS = 5
"""Terms that a claim must have beside one that is like none of the passage's."""
_COUNTED = 12
"""Up to here a bare number counts something; 12 of one thing aren't 12 of another."""
_BOUNDS = {"<": "<", "<=": "<", ">": ">", ">=": ">", "~<": "<"}
"""About so much is so much; no more than it isn't."""
_WAYS = frozenset("by to from since until before after".split())
"""Before a number or date they say which end of it is meant."""
_BEHIND_A_BARE_NUMBER = (
    (SILENT - {"a", "an", "per", "each", "every"}) | OPERATORS.keys() | frozenset("apart deep wide long high that which".split())
)
_EVERY = frozenset("all every each always any entire whole".split())
_ACCORDING = keys("according")
_KINDS = ("possible", "probable", "some", "most", "few", "nearly", "unneeded")
_FREE = frozenset(
    key
    for word in """start begin help compare available rather far even once full default another other use hold get call away there actual
    facing upwards however thank alternative place period time times layer lie like much still thus overall person people someone thing
    colleague """.split()
    for key in keys(word)
)
"""Words that a rewording may add: they say nothing of their own."""


def find_rewording(claim: Terms, passage: Terms, context: frozenset[str] = frozenset()) -> tuple[int, int] | None:
    """The characters of the passage that say what the claim says in other words; None where it doesn't say it."""
    match = _nearest(claim, passage, context)
    if match is None or not all(check(match) for check in (_is_reworded, _facts_agree, _operators_agree, _is_so, _hangs_together)):
        return None
    places = [found.at for _, found in match.pairs]
    return min(at.start for at in places), max(at.end for at in places)


def _nearest(claim: Terms, passage: Terms, context: frozenset[str]) -> Match | None:
    """The claim beside the fewest sentences that hold all of it, in the alignment that lies closest together."""
    scales = {SCALES[t.raw.casefold()] for t in passage.terms if t.raw.casefold() in SCALES}
    said = [t for t in passage.terms if t.at.sentence not in passage.questions]
    places = [[t.at.index for t in said if _says(t, c, scales)] for c in claim.terms]
    lacking = [n for n, found in enumerate(places) if not found and not _may_lack(claim.terms[n], context)]
    if len(lacking) > _ALIKE_WORDS or any(claim.terms[n].kind != "word" or not claim.terms[n].raw.isalpha() for n in lacking):
        return None
    if found := None if lacking else _closest(claim, passage, places, context):
        return found
    words = [t for t in said if t.kind == "word"]
    for n in lacking if words else ():
        alike = likeness([claim.terms[n].raw.casefold()], [t.raw.casefold() for t in words])[0]
        places[n] = [
            t.at.index
            for t, score in zip(words, alike.tolist(), strict=True)
            if score >= _ALIKE and not are_opposed(t.keys, claim.terms[n].keys)
        ]
    if not lacking:
        return None
    unlike = [n for n in lacking if not places[n]]
    may_lack = len(unlike) == 1 and len(claim.terms) > _OTHERS and claim.terms[unlike[0]].before not in DETERMINERS
    return _closest(claim, passage, places, context, frozenset(unlike if may_lack else ()))


def _closest(
    claim: Terms, passage: Terms, places: Sequence[Sequence[int]], context: frozenset[str], left: frozenset[int] = frozenset()
) -> Match | None:
    """`left` are terms that may stand nowhere; what the first sentence speaks of, the whole passage does."""
    count = len(passage.sentences)
    for width in range(1, min(_WINDOW, count) + 1):
        for first in range(count - width + 1):
            inside = [[p for p in found if first <= passage.terms[p].at.sentence < first + width] for found in places]
            inside = [
                [p for p in found if passage.terms[p].keys & term.keys] or found for found, term in zip(inside, claim.terms, strict=True)
            ]
            missing = {n for n, found in enumerate(inside) if not found}
            foremost = min(set(range(len(places))) - missing, default=0)
            topics = {
                n
                for n in missing
                if (claim.terms[n].kind == "word" or (claim.terms[n].kind == "name" and n < foremost))
                and any(passage.terms[p].at.sentence == 0 for p in places[n])
            }
            if len(missing) < len(places) and all(n in topics | left or _may_lack(claim.terms[n], context) for n in missing):
                return Match(claim, passage, align(claim, passage, inside, missing))
    return None


def _may_lack(term: Term, context: frozenset[str]) -> bool:
    if term.value is not None:
        return False
    return bool(term.keys & context) or may_be_added(term) or (term.kind == "word" and bool(term.keys & _FREE))


def _says(found: Term, claimed: Term, scales: set[int]) -> bool:
    """Whether a term of the passage may stand for one of the claim; `scales` are those that the passage names: million, thousand."""
    if isinstance(claimed.value, Date):
        return isinstance(found.value, Date) and found.value.says(claimed.value)
    if isinstance(claimed.value, Quantity):
        return (
            isinstance(found.value, Quantity)
            and (found.label == claimed.label or claimed.value.value.denominator > 1)
            and _BOUNDS.get(found.modifier) == _BOUNDS.get(claimed.modifier)
            and (found.value.says(claimed.value) or (_is_bare_of_unit(found, claimed) and _counts(found.value, claimed.value, scales)))
        )
    if found.value is not None or found.keys & claimed.keys:
        return bool(found.keys & claimed.keys)
    if len(claimed.raw) == 1 and claimed.raw.isupper():
        return found.raw.startswith(claimed.raw)
    return may_stand_for(found.keys, claimed.keys)


def _is_bare_of_unit(found: Term, claimed: Term) -> bool:
    """Whether one of two numbers has no unit and counts nothing: 5 cm deep and 15 apart, in £ million."""
    return any(
        isinstance(term.value, Quantity) and not term.value.unit and (not term.after.isalpha() or term.after in _BEHIND_A_BARE_NUMBER)
        for term in (found, claimed)
    )


def _counts(found: Quantity, claimed: Quantity, scales: set[int]) -> bool:
    """Whether they are the same amount where one is bare: its unit or its "million" stands elsewhere."""
    bare, other = (found, claimed) if not found.unit else (claimed, found)
    if bare.unit or (bare.value.denominator == 1 and bare.value <= _COUNTED):
        return False
    factors = {factor for base, factor in UNITS.values() if base == other.unit} | {Fraction(1)}
    return any(bare.value * scale * factor == other.value for factor in factors for scale in (1, *scales))


def _is_reworded(match: Match) -> bool:
    """Whether a word was put for another, or a number written otherwise."""
    return any(not lemmas(claimed.raw.casefold()) & lemmas(found.raw.casefold()) for claimed, found in match.pairs)


def _facts_agree(match: Match) -> bool:
    """No number, date or name says two things or changes places with its like, and "by" isn't "to"."""
    facts = [pair for pair in match.pairs if pair[0].value is not None]
    names = [pair for pair in match.pairs if pair[0].kind == pair[1].kind == "name"]
    if max(Counter(found.at.index for _, found in facts + names).values(), default=1) > 1:
        return False
    if any(c.link != f.link and {c.link, f.link} <= _WAYS for c, f in facts):
        return False
    alike = [(one, two) for one, two in combinations(facts, 2) if _are_alike(one[1], two[1]) and not _is_a_share(one, two)]
    return not any(one[1].at.index > two[1].at.index for one, two in alike + _apart(names))


def _is_a_share(one: Pair, two: Pair) -> bool:
    """Whether the first is said to be so many of the second: 29 of its 46 workers."""
    values = one[0].value, two[0].value
    are_numbers = isinstance(values[0], Quantity) and isinstance(values[1], Quantity) and values[0].value < values[1].value
    return are_numbers and one[0].after == "of" and two[0].at.index == one[0].at.index + 1


def _apart(names: Sequence[Pair]) -> list[tuple[Pair, Pair]]:
    """The pairs of names that are two persons or things."""
    pairs = combinations(names, 2)
    return [(a, b) for a, b in pairs if a[1].at.sentence == b[1].at.sentence and abs(a[1].at.index - b[1].at.index) > 1]


def _are_alike(one: Term, other: Term) -> bool:
    if isinstance(one.value, Quantity) and isinstance(other.value, Quantity):
        return one.value.is_like(other.value)
    return isinstance(one.value, Date) and isinstance(other.value, Date)


def _operators_agree(match: Match) -> bool:
    """The "not", "may", "most" of both; an "if" may be told with its condition, "only" and "all" must not be added."""
    said, theirs = match.claim.operators, bearing(match)
    if not _not_agrees(match, said, theirs) or not all(kind_agrees(match, kind, said, theirs) for kind in _KINDS):
        return False
    ours, others = ({o.what for o in operators} for operators in (said, theirs))
    sentences = {found.at.sentence for _, found in match.pairs}
    others |= {o.what for o in match.passage.operators if o.what == "all" and o.at.sentence in sentences}
    if "only" in ours ^ others or (any(o.what == "all" and o.raw in _EVERY for o in said) and not {"all", "not"} & others):
        return False
    return "if" in ours or all(_is_told(match, o.at.segment) for o in theirs if o.what == "if")


def _not_agrees(match: Match, said: Sequence[Operator], theirs: Sequence[Operator]) -> bool:
    """Whether both deny as often, and each "not" stands near the same word."""
    ours, others = ([o.at.index for o in operators if o.what == "not"] for operators in (said, theirs))
    near = [[f.at.index for c, f in match.pairs if -1 <= c.at.index - at <= 0] for at in ours]
    return len(ours) == len(others) and all(any(-3 <= place - at < 4 for place in places for at in others) for places in near)


def _is_so(match: Match) -> bool:
    """Whether it is more than said or hoped; a claim may name who says it."""
    return is_so(match) or any(term.keys & _ACCORDING for term in match.claim.terms)


def _is_told(match: Match, segment: int) -> bool:
    """Whether at least half of a segment's words are taken."""
    terms = match.passage.segments[segment].terms
    return 2 * sum(place in match.taken for place in terms) >= len(terms)


def _hangs_together(match: Match) -> bool:
    """Whether what is taken of the passage is said of one thing there."""
    if _takes_twice(match) or not opposites_agree(match) or not _has_its_cause(match):
        return False
    return not any(_is_stray(match, n) or _has_rival(match, n) for n in range(len(match.pairs)))


def _takes_twice(match: Match) -> bool:
    """Whether two words of the claim stand for one of the passage: fell and decreased."""
    pairs = combinations(match.pairs, 2)
    return any(a[1] is b[1] and a[0].keys & b[0].keys and not lemmas(a[0].raw.casefold()) & lemmas(b[0].raw.casefold()) for a, b in pairs)


def _has_its_cause(match: Match) -> bool:
    """Whether a cause stands in the sentence of what it causes."""
    for number, segment in enumerate(match.claim.segments):
        here = {f.at.sentence for c, f in match.pairs if c.at.segment == number}
        others = {f.at.sentence for c, f in match.pairs if c.at.segment != number}
        if segment.opening in ("because", "since") and here and others and not here & others:
            return False
    return True


def _is_stray(match: Match, n: int) -> bool:
    """Whether it is all that is taken of its sentence, or a name from another sentence than what stands beside it.

    A thing that the others speak of may be so.
    """
    claimed, found = match.pairs[n]
    alone = all(other.at.sentence != found.at.sentence for _, other in match.pairs if other is not found)
    is_topic = claimed.kind in ("name", "date") or (claimed.kind == "word" and claimed.before in DETERMINERS)
    if claimed.kind == "name":
        others = [[other.at for c, other in part if c.kind != "name"] for part in (match.pairs[:n], match.pairs[n:])]
        beside = others[0][-1:] + others[1][:1]
        if all(at.sentence != found.at.sentence for at in beside):
            return any(_has_another_subject(match, at) for at in beside)
    return alone and len(match.pairs) > 1 and not is_topic


def _has_another_subject(match: Match, at: Place) -> bool:
    """Whether a name that isn't taken stands before a word in its sentence."""
    return any(
        term.kind == "name" and term.at.sentence == at.sentence and term.at.index < at.index and term.at.index not in match.taken
        for term in match.passage.terms
    )


def _has_rival(match: Match, n: int) -> bool:
    """Whether what excludes it, or another number, date or name, isn't taken and stands nearer to most of its neighbours."""
    claimed, found = match.pairs[n]
    beside = [other.at for _, other in match.pairs[max(0, n - 3) : n + 4] if other is not found]
    rivals = [term.at for term in match.passage.terms if term.at.index not in match.taken and _excludes(match, term, claimed, found)]
    return any(
        2 * sum(abs(rival.index - at.index) < abs(found.at.index - at.index) for at in beside if at.clause == rival.clause) > len(beside)
        for rival in rivals
    )


def _excludes(match: Match, term: Term, claimed: Term, found: Term) -> bool:
    if claimed.value is not None:
        return _are_alike(found, term)
    if claimed.kind == found.kind == term.kind == "name":
        return not any(term.keys & other.keys for other in match.claim.terms)
    return are_opposed(claimed.keys, term.keys)
