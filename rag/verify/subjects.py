"""Whether each part of a passage that a claim uses speaks of what the claim speaks of."""

from collections.abc import Sequence
from itertools import pairwise

from rag.verify.grammar import DETERMINERS, PRONOUNS, RELATIVES
from rag.verify.lexicon import is_inflected
from rag.verify.match import Match
from rag.verify.terms import Segment, Term

_LONGEST_SUBJECT = 4
"""Terms of a subject that a claim in the passive may leave out."""


def subjects_agree(match: Match) -> bool:
    """The landlord insures the building; the tenant insures his tools: of neither "the tenant insures the building" is true."""
    if not all(_is_said_of_it(match, n) for n in range(1, len(match.pairs))):
        return False
    segments = (segment for segment in match.by_segment if segment not in match.antecedents)
    return all(_subject_agrees(match, segment) and not _drops_who(match, segment) for segment in segments)


def is_apposition(match: Match) -> bool:
    """Whether all that is claimed is that somebody is what he is called: Mr Dolan is the caretaker, for: the caretaker, Mr Dolan."""
    terms = sorted((found for _, found in match.pairs), key=lambda t: t.at.index)
    if match.claim.operators or len(match.pairs) < len(match.claim.terms) or any(t.value or t.link or _is_verb(t) for t in terms):
        return False
    if len({t.at.clause for t in terms}) > 1 or not any(claimed.passive for claimed, _ in match.pairs):
        return False
    kinds = [t.kind for t in terms]
    in_a_row = terms[-1].at.index - terms[0].at.index == len({t.at.index for t in terms}) - 1
    return in_a_row and kinds in (sorted(kinds), sorted(kinds, reverse=True)) and len(set(kinds)) == 2 and names_agree(match)


def names_agree(match: Match) -> bool:
    """The parts of a name stand together, and those of a compound: a half-hour is no hour."""
    terms = match.passage.terms
    if any(term.is_joined and (term.at.index in match.taken) != (term.at.index - 1 in match.taken) for term in terms):
        return False
    for (claimed, found), (next_claimed, next_found) in pairwise(match.pairs):
        if claimed.kind == next_claimed.kind == found.kind == "name" and claimed.touches(next_claimed):
            rest = terms[found.at.index + 1 : next_found.at.index + 1]
            if not 1 <= len(rest) <= 2 or any(t.kind != "name" for t in rest):
                return False
    return True


def _subject_agrees(match: Match, number: int) -> bool:
    segment = match.passage.segments[number]
    terms = [match.passage.terms[place] for place in segment.terms]
    while len(terms) > 1 and terms[0].at.index not in match.taken and _says_when(terms[0]):
        terms = terms[1:]
    first = terms[0]
    foremost = next(t for t in terms if t.at.index in match.taken)
    claimed = match.taken[foremost.at.index]
    if segment.opening in RELATIVES:
        behind = range(first.at.index - 3, first.at.index)
        return any(place in match.taken for place in behind) or match.opens_with_pronoun(claimed)
    if segment.opening in PRONOUNS:
        return True
    if foremost.before in ("and", "then") and claimed.at.index == min(c.at.index for c, _ in match.pairs):
        return True  # roll it out and cut it: "cut it"
    if foremost is first:
        return _has_its_subject(match, number, first) and _is_whole_name(match, first, terms)
    return _is_named(terms, foremost) or _may_lack(match, terms, foremost)


def _is_said_of_it(match: Match, n: int) -> bool:
    """Whether what the claim says somebody is stands beside him in the passage, or behind an "is"."""
    (_, subject), (claimed, found) = match.pairs[n - 1], match.pairs[n]
    is_noun = claimed.passive and not found.passive and not is_inflected(claimed.raw)
    return not is_noun or subject.at.segment in (found.at.segment, *match.antecedents)


def _drops_who(match: Match, number: int) -> bool:
    """Whether a "who" goes on which "all" or "most" depends: most members who came."""
    if any(word in RELATIVES or word == "that" for segment in match.claim.segments for _, word in segment.pronouns):
        return False
    counted = [o.at.index for o in match.passage.operators if o.at.segment == number]
    return any(
        word in RELATIVES and place in match.taken and place - 1 in match.taken and any(place - 3 <= c < place for c in counted)
        for place, word in match.passage.segments[number].pronouns
    )


def _says_when(term: Term) -> bool:
    return term.kind == "date" and term.preposition in ("in", "by", "since", "from")


def _is_named(terms: Sequence[Term], foremost: Term) -> bool:
    """Whether a name is taken of a phrase that ends with it: the dwarf planet Sedna, Dr Helen Marsh."""
    before = terms[: terms.index(foremost) + 1]
    return foremost.kind == "name" and len(before) <= 4 and all(one.touches(two) for one, two in pairwise(before))


def _may_lack(match: Match, terms: Sequence[Term], second: Term) -> bool:
    """Whether the claim may leave out a segment's first term: an adjective, a pronoun's noun, the subject of what it makes passive."""
    claimed, first = match.taken[second.at.index], terms[0]
    opens = match.opens(claimed)
    if opens and match.opens_with_pronoun(claimed):
        return True
    pronouns = match.segment_of(second).pronouns
    if all(t not in match.taken for t in range(first.at.index, second.at.index)) and any(
        place == second.at.index + 1 and (word in RELATIVES or word == "that") for place, word in pronouns
    ):
        return True  # it orbits a star that lies far away: the star lies
    if first.raw.endswith("'s"):
        return second is terms[1]
    if (
        second is terms[1]
        and opens
        and first.touches(second)
        and first.kind == "word"
        and not claimed.passive
        and second.after not in DETERMINERS
    ):
        return True
    subject = terms[: terms.index(second)]
    if not claimed.passive or second.passive or len(subject) > _LONGEST_SUBJECT or any(is_inflected(t.raw) for t in subject):
        return False
    objects = [f for c, f in match.pairs if c.at.segment == claimed.at.segment and c.at.index < claimed.at.index]
    return not objects or any(f.at.segment == second.at.segment and f.at.index > second.at.index for f in objects)


def _has_its_subject(match: Match, number: int, first: Term) -> bool:
    """Whether what a verb at the head of a segment is said of is taken too: the treasurer, Omar Said, reported."""
    segments = match.passage.segments
    earlier = [s for s in (number - 1, number - 2) if s >= 0 and segments[s].sentence == segments[number].sentence]
    if not earlier or not _opens_with(segments[number], first):
        return True
    return match.opens(match.taken[first.at.index]) or any(s in match.by_segment for s in earlier)


def _is_verb(term: Term) -> bool:
    return term.kind == "word" and is_inflected(term.raw)


def _opens_with(segment: Segment, verb: Term) -> bool:
    return _is_verb(verb) and segment.opening == verb.raw.casefold()


def _is_whole_name(match: Match, first: Term, terms: Sequence[Term]) -> bool:
    """A name's last part must be there: "Councillor" alone is nobody."""
    last = first
    for term in terms[1:]:
        if first.kind != "name" or term.kind != "name" or not last.touches(term):
            break
        last = term
    return last.at.index in match.taken
