"""Whether the same "not", "may", "if" and "most" bear on a claim as on what it takes from a passage."""

from collections.abc import Sequence

from rag.verify.grammar import FORBIDDEN, GOVERNORS
from rag.verify.match import Match
from rag.verify.terms import Operator

_KINDS = ("not", "possible", "probable", "would", "must", "unneeded", "if", "until", "some", "most", "few", "nearly", "all", "only")
_OF_A_WORD = frozenset(("some", "most", "few", "nearly", "all", "only"))
"""They bear on the word behind them; all others on what follows in their segment, "if" on all of its clause."""
_COMPLETE = FORBIDDEN | {"nothing", "nobody", "none", "nowhere"}
"""At the end of a segment they deny that alone; others deny the sentence: dogs allowed, no."""
_MAY_BE_DROPPED = frozenset(("all",))
_OPENS_A_CLAUSE = frozenset("that to it he she they a the".split())


def operators_agree(match: Match) -> bool:
    said, theirs = match.claim.operators, bearing(match)
    return not _drops_only(match) and all(kind_agrees(match, kind, said, theirs) for kind in _KINDS)


def is_unqualified(match: Match) -> bool:
    """The same of a claim that stands in the passage word for word: its negations verbatim.py has seen to."""
    said, theirs = match.claim.operators, bearing(match)
    return not _drops_only(match) and is_so(match) and all(kind_agrees(match, kind, said, theirs) for kind in _KINDS if kind != "not")


def _drops_only(match: Match) -> bool:
    """Whether the claim leaves out what comes behind an "only", and so makes it general."""
    return any(
        operator.what == "only"
        and operator.at.index not in match.taken
        and any(found.at.segment == operator.at.segment and found.at.index < operator.at.index for _, found in match.pairs)
        for operator in match.passage.operators
    )


def is_so(match: Match) -> bool:
    """Whether what the claim takes isn't merely proposed, hoped, believed or denied."""
    taken = [found.at for _, found in match.pairs if found.at.segment not in match.antecedents]
    return not any(
        term.keys & GOVERNORS
        and term.at.index not in match.taken
        and term.after in _OPENS_A_CLAUSE
        and any((at.sentence, at.clause) == (term.at.sentence, term.at.clause) and at.index > term.at.index for at in taken)
        for term in match.passage.terms
    )


def bearing(match: Match) -> list[Operator]:
    """The operators of the passage that bear on what is taken from it."""
    taken = [found.at for _, found in match.pairs if found.at.segment not in match.antecedents]
    out = []
    for operator in match.passage.operators:
        at = operator.at
        inside = [t for t in taken if t.segment == at.segment]
        if operator.what == "not" and operator.raw not in _COMPLETE and _ends_its_segment(match, operator):
            bears = any(t.sentence == at.sentence for t in taken)
        elif operator.what == "not":
            bears = bool(inside)
        elif operator.what == "if":
            bears = any((t.sentence, t.clause) == (at.sentence, at.clause) for t in taken)
        elif operator.what in _OF_A_WORD:
            bears = bool(inside) and (at.index in match.taken or at.index + 1 in match.taken)
        else:
            bears = any(t.index >= at.index for t in inside) or (bool(inside) and _ends_its_segment(match, operator))
        if bears:
            out.append(operator)
    return out


def _ends_its_segment(match: Match, operator: Operator) -> bool:
    """Whether nothing stands behind it there: it is never, under any circumstances, open."""
    places = match.passage.segments[operator.at.segment].terms
    return not places or places[-1] < operator.at.index


def kind_agrees(match: Match, kind: str, said: Sequence[Operator], bearing: Sequence[Operator]) -> bool:
    ours, theirs = ([o for o in operators if o.what == kind] for operators in (said, bearing))
    if kind in ("must", "possible") and _both_forbid(said, bearing):
        return True
    if kind == "must" and ours and not theirs:
        return all(_is_imperative(match, o) for o in ours)
    if kind == "not" and len(ours) != len(theirs):
        return False
    if bool(ours) != bool(theirs):
        return kind in _MAY_BE_DROPPED and bool(theirs)
    return not (kind == "not" or kind in _OF_A_WORD) or all(_have_one_focus(match, o, theirs) for o in ours)


def _both_forbid(said: Sequence[Operator], bearing: Sequence[Operator]) -> bool:
    """Must not, may not, cannot, is not allowed, is forbidden: all one."""
    return all(
        any(
            one.what == "not" and two.what in ("must", "possible") and one.at.segment == two.at.segment
            for one in operators
            for two in operators
        )
        for operators in (said, bearing)
    )


def _is_imperative(match: Match, operator: Operator) -> bool:
    """Whether the passage orders what the claim says must be done."""
    found = next((f for c, f in match.pairs if c.at.index >= operator.at.index), None)
    return (
        found is not None
        and match.segment_of(found).terms[0] == found.at.index
        and found.before in ("", ",", ";", "and", ".", "never", "always")
    )


def _have_one_focus(match: Match, operator: Operator, others: Sequence[Operator]) -> bool:
    """Whether it stands before what one of the others stands before, or behind it."""
    at = operator.at.index
    following = [f.at.index for c, f in match.pairs if c.at.index == at and c.at.segment == operator.at.segment]
    if not following:
        before = [f.at.index for c, f in match.pairs if c.at.index == at - 1]
        return any(-3 <= place - o.at.index < 4 for place in before for o in others)
    return any(
        0 <= place - o.at.index < 4 or (-3 <= place - o.at.index < 0 and _ends_its_segment(match, o)) for place in following for o in others
    )
