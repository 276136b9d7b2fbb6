"""An alignment of a claim with a passage, as what checks it asks about it."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from rag.verify.align import Alignment
from rag.verify.grammar import CONTRASTS, PRONOUNS, RELATIVES
from rag.verify.lexicon import is_inflected
from rag.verify.terms import Segment, Term, Terms

Pair = tuple[Term, Term]
"""A term of the claim, and that of the passage."""


@dataclass
class Match:
    """What a claim takes from a passage.

    Attributes:
        pairs: the terms that were found, in the claim's order.
        taken: of each place taken the claim's term.
        by_segment: the pairs, by the passage's segment.
    """

    claim: Terms
    passage: Terms
    alignment: Alignment

    def __post_init__(self) -> None:
        self.pairs = [(self.claim.terms[n], self.passage.terms[p]) for n, p in enumerate(self.alignment) if p is not None]
        self.taken: dict[int, Term] = {}
        self.by_segment: defaultdict[int, list[Pair]] = defaultdict(list)
        for claimed, found in self.pairs:
            self.taken.setdefault(found.at.index, claimed)
            self.by_segment[found.at.segment].append((claimed, found))

    def segment_of(self, term: Term) -> Segment:
        return self.passage.segments[term.at.segment]

    def is_whole(self, segment: int) -> bool:
        """Whether all of a segment is taken."""
        return all(place in self.taken for place in self.passage.segments[segment].terms)

    def is_aside(self, segment: int) -> bool:
        """Whether all of it is taken, and it only says when, where or how."""
        terms = [self.passage.terms[place] for place in self.passage.segments[segment].terms]
        sets_the_scene = self.passage.segments[segment].opening in ("while", "whilst", "when", "after", "before", "during")
        return self.is_whole(segment) and (sets_the_scene or all(t.value for t in terms))

    def opens(self, claimed: Term) -> bool:
        """Whether nothing stands before it in its part of the claim, but for a phrase like "in May"."""
        before = (t for t in self.claim.terms[: claimed.at.index] if t.at.segment == claimed.at.segment)
        return all(t.preposition for t in before)

    def opens_with_pronoun(self, claimed: Term) -> bool:
        """Whether its part of the claim begins with a pronoun."""
        return self.claim.segments[claimed.at.segment].opening in PRONOUNS

    @cached_property
    def antecedents(self) -> set[int]:
        """The segments of which only a noun is taken, for which a pronoun stands in a later one."""
        return {segment for segment in self.by_segment if self._is_antecedent(segment)}

    def _is_antecedent(self, segment: int) -> bool:
        terms = [self.passage.terms[place] for place in sorted({found.at.index for _, found in self.by_segment[segment]})]
        last = terms[-1].at.index
        in_a_row = last - terms[0].at.index < len(terms) <= 4
        if not in_a_row or any(t.value for t in terms) or (self.is_whole(segment) and len(self.by_segment) == 1):
            return False
        if segment + 1 in self.by_segment and self._is_told_of(segment + 1, last):
            return True
        if any(t.passive or is_inflected(t.raw) for t in terms) or self.passage.segments[segment].opening in CONTRASTS:
            return False
        later = next((s for s in self.by_segment if s > segment and self._has_pronoun_for(s, last)), None)
        if later is None or not 0 <= self.passage.segments[later].sentence - self.passage.segments[segment].sentence <= 2:
            return False
        between = self.passage.terms[last + 1 : self.passage.segments[later].terms[0]]
        is_named = any(t.kind == "name" for t in terms)
        return not (is_named and any(t.kind == "name" and t.at.index not in self.taken for t in between))

    def _is_told_of(self, segment: int, noun: int) -> bool:
        """Whether it says more of the noun just before it: the oldest pear, planted by Ruth Calder."""
        told = self.passage.segments[segment]
        if told.terms[:1] != [noun + 1]:
            return False
        verb = self.passage.terms[noun + 1].raw
        return told.opening in ("which", "who") or (is_inflected(verb) and told.opening == verb.casefold())

    def _has_pronoun_for(self, segment: int, noun: int) -> bool:
        """Whether a pronoun stands beside something that is taken from it: "its" before, "which" just behind the noun."""
        terms = self.passage.segments[segment].terms
        for behind, word in self.passage.segments[segment].pronouns:
            if word in RELATIVES or word == "that":
                found = behind - 3 <= noun < behind
            elif word in ("its", "their", "theirs", "his", "her"):
                found = behind in self.taken
            else:
                found = behind == terms[0] or behind in self.taken or behind - 1 in self.taken
            if found:
                return True
        return False
