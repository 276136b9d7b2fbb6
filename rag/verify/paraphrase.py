"""Whether a passage says in other words what a claim says: each term found, in places that belong together, under the same operators."""

from collections.abc import Sequence
from fractions import Fraction

from rag.verify.quantity import _UNITS, ORDINAL, Date, Quantity
from rag.verify.terms import _GOVERNORS, LOOSE, POSSESSIVES, PRONOUNS, Term, Terms

_LIGHT = frozenset(
    """say state accord mention list passage document source happen occur locate situat name call exampl specif place reach need tak involv appli mean becom com go mak last amount
    total equal measur stand""".split()
)
"""Stems of words that a claim may add: they say nothing of their own."""
_DIMENSIONS = frozenset("old long deep high wid tal far away".split())
_CONDITIONS = frozenset(("IF", "POSSIBLE", "PROBABLE", "SOME", "MOST", "FEW", "NEARLY", "WOULD", "UNTIL", "UNNEEDED"))
_MAY_DROP = frozenset(("ALL", "ONLY", "WILL", "LEAST"))
_WINDOWS = (1, 2, 3, 5)

Alignment = list[int | None]


def find_support(claim: Terms, passage: Terms, context: frozenset[str] = frozenset()) -> tuple[int, int] | None:
    """The characters of the passage that say what the claim says; None where it doesn't say it.

    Args:
        context: keys of words that a claim may take up from headings.
    """
    candidates = [_candidates(term, passage) for term in claim.terms]
    if not _says_enough(claim) or any(
        not c and not _is_light(t) and not (t.value is None and t.keys & context) for t, c in zip(claim.terms, candidates, strict=True)
    ):
        return None
    count = len(passage.sentences)
    for width in sorted({min(w, count) for w in (*_WINDOWS, count)}):
        for first in range(count - width + 1):
            inside = [[p for p in c if first <= passage.terms[p].sentence < first + width] for c in candidates]
            if any(not i and c for i, c in zip(inside, candidates, strict=True)):
                continue
            alignment = _align(claim, passage, inside)
            if _Check(claim, passage, alignment).holds():
                places = [p for p in alignment if p is not None]
                return passage.terms[min(places)].start, passage.terms[max(places)].end
    return None


def _says_enough(claim: Terms) -> bool:
    """Two terms, or a date or a number with its unit: a name or a count alone may stand anywhere."""
    if len(claim.terms) != 1:
        return bool(claim.terms)
    value = claim.terms[0].value
    return value.month is not None if isinstance(value, Date) else value is not None and value.unit not in ("", ORDINAL)


def _is_light(term: Term) -> bool:
    return term.kind == "word" and bool(term.keys & _LIGHT or (term.keys & _DIMENSIONS and term.before.removesuffix("s") in _UNITS))


def _candidates(term: Term, passage: Terms) -> list[int]:
    return [p for p, other in enumerate(passage.terms) if other.sentence not in passage.questions and _same(term, other)]


def _same(claim: Term, found: Term) -> bool:
    if isinstance(claim.value, Date):
        if isinstance(found.value, Date):
            return found.value.says(claim.value) and claim.modifier == found.modifier
        return False
    if isinstance(claim.value, Quantity):
        if isinstance(found.value, Quantity):
            return found.value.says(claim.value) and claim.modifier == found.modifier and claim.label == found.label
        return bool(claim.keys & found.keys)
    if found.value is not None and not found.keys:
        return False
    return bool(claim.keys & found.keys)


def _align(claim: Terms, passage: Terms, candidates: Sequence[Sequence[int]]) -> Alignment:
    """The places in the passage that lie closest together and most in the claim's order (Viterbi)."""
    paths: list[tuple[float, Alignment]] = [(0.0, [])]
    for n, places in enumerate(candidates):
        if not places:
            paths = [(cost, [*path, None]) for cost, path in paths]
            continue
        paths = [min((cost + _step_cost(claim, passage, path, n, place), [*path, place]) for cost, path in paths) for place in places]
    return min(paths)[1] if paths else []


def _step_cost(claim: Terms, passage: Terms, path: Alignment, n: int, place: int) -> float:
    last = next((p for p in reversed(path) if p is not None), None)
    term, wanted = passage.terms[place], claim.terms[n]
    cost = 0.0 if term.preposition == wanted.preposition else 0.3
    if term.raw.casefold() != wanted.raw.casefold():
        cost += 0.05
    if place in path:
        cost += 20.0 if term.value else 2.0
    if last is None:
        return cost
    before = passage.terms[last]
    cost += 0.1 * abs(place - last)
    if before.sentence != term.sentence:
        cost += 4.0
    elif before.segment != term.segment:
        cost += 1.5
    if place < last:
        cost += 0.7
    return cost


class _Check:
    """Holds an alignment against all that may part a passage from a claim made of its words."""

    def __init__(self, claim: Terms, passage: Terms, alignment: Alignment) -> None:
        self.claim, self.passage, self.alignment = claim, passage, alignment
        self.pairs = [(claim.terms[n], passage.terms[p]) for n, p in enumerate(alignment) if p is not None]
        self.used: dict[int, Term] = {}
        for c, p in self.pairs:
            self.used.setdefault(p.place, c)
        self.visited: dict[int, list[tuple[Term, Term]]] = {}
        for c, p in self.pairs:
            self.visited.setdefault(p.segment, []).append((c, p))
        self.full = {s for s in self.visited if all(place in self.used for place in passage.segments[s].terms)}
        self.antecedents = {s for s in self.visited if self._is_antecedent(s)}

    def why_not(self) -> str:
        for name in ("values", "names", "heads", "interleaved", "operators", "prepositions", "order", "neighbours", "governed"):
            if not getattr(self, f"_{name}_agree")():
                return name
        return ""

    def holds(self) -> bool:
        return bool(self.pairs) and not self.why_not()

    def _values_agree(self) -> bool:
        """No number says two things, and each stands in one segment with the word before it."""
        valued = [p.place for _, p in self.pairs if p.value]
        if len(valued) != len(set(valued)):
            return False
        for (c1, p1), (c2, p2) in zip(self.pairs, self.pairs[1:], strict=False):
            if p2.value and c2.link and c1.segment == c2.segment and p1.segment != p2.segment:
                if not (p2.segment in self.full and self._is_aside(p2.segment)) and not self._is_antecedent(p1.segment):
                    return False
        return True

    def _names_agree(self) -> bool:
        """The parts of a name stand together."""
        for (c1, p1), (c2, p2) in zip(self.pairs, self.pairs[1:], strict=False):
            if c1.kind == c2.kind == p1.kind == "name" and c2.start - c1.end == 1:
                between = self.passage.terms[p1.place + 1 : p2.place + 1]
                if not 0 < p2.place - p1.place <= 2 or any(t.kind != "name" for t in between):
                    return False
        return True

    def _is_antecedent(self, segment: int) -> bool:
        """Whether only a noun is taken from it, for which a pronoun stands in a later segment."""
        if segment in self.full and len(self.visited) == 1:
            return False
        places = sorted({p.place for _, p in self.visited[segment]})
        if places[-1] - places[0] >= len(places) or len(places) > 4 or any(self.passage.terms[p].value for p in places):
            return False
        if segment + 1 in self.visited and self._is_reduced_relative(segment + 1, places[-1]):
            return True
        later = [
            s
            for s in self.visited
            if segment < s and any(self._stands_in(place, word, places[-1]) for place, word in self.passage.segments[s].pronouns)
        ]
        if not later or any(self.passage.terms[p].passive or _may_be_verb(self.passage.terms[p]) for p in places):
            return False
        sentence = self.passage.segments[later[0]].sentence
        if self.passage.segments[segment].sentence not in (sentence, sentence - 1, sentence - 2):
            return False
        if any(self.passage.terms[p].kind == "name" for p in places):
            between = self.passage.terms[places[-1] + 1 : self.passage.segments[later[0]].terms[0]]
            return not any(t.kind == "name" and t.place not in self.used for t in between)
        return True

    def _is_reduced_relative(self, segment: int, noun: int) -> bool:
        """Whether it says more of the noun just before it: the oldest pear, planted by Ruth Calder."""
        first = self.passage.segments[segment].terms[:1]
        opening = self.passage.segments[segment].opening[:1]
        return first == [noun + 1] and (
            opening in (("which",), ("who",))
            or (_may_be_verb(self.passage.terms[first[0]]) and opening == (self.passage.terms[first[0]].raw.casefold(),))
        )

    def _stands_in(self, place: int, word: str, noun: int) -> bool:
        """Whether a pronoun stands beside something that was taken: a possessive before it, "which" just behind the noun."""
        if word in ("which", "who", "whom", "that"):
            return place - 3 <= noun < place
        if word not in POSSESSIVES and self.passage.segments[self.passage.terms[place].segment].terms[0] == place:
            return True
        return place in self.used or (word not in POSSESSIVES and place - 1 in self.used)

    def _heads_agree(self) -> bool:
        return all(self._head_agrees(s, pairs) for s, pairs in self.visited.items() if s not in self.antecedents)

    def _head_agrees(self, number: int, pairs: list[tuple[Term, Term]]) -> bool:
        """Whether the first that a segment speaks of is what the claim speaks of too."""
        segment = self.passage.segments[number]
        places = [p for p in segment.terms]
        while len(places) > 1 and places[0] not in self.used and self._is_setting(places[0]):
            places = places[1:]
        first = places[0]
        if segment.opening and segment.opening[0] in ("who", "which", "whom", "whose"):
            return any(p in self.used for p in range(first - 3, first)) or self._claim_opens_with_pronoun(pairs)
        if segment.opening and segment.opening[0] in PRONOUNS:
            return True
        opened = min(self.used[p].place for p in places if p in self.used)
        foremost = next(p for p in places if p in self.used)
        if (
            self.passage.terms[foremost].before in ("and", "then")
            and self.used[foremost].place == opened
            and opened == min(c.place for c, _ in self.pairs)
        ):
            return True
        run = first
        while (
            run in places
            and run not in self.used
            and self.passage.terms[run].kind == "word"
            and run + 1 in places
            and self._touch(run, run + 1)
        ):
            run += 1
        if run in self.used and self.passage.terms[run].kind == "name" and run - first <= 3:
            return True
        if first in self.used:
            if self.passage.terms[first].kind == "name":
                return self._whole_name(first, segment.terms)
            return True
        terms = self.passage.terms
        second = next((p for p in places[1:3] if p in self.used), None)
        if second is None:
            return False
        partner = self.used[second]
        opens = not any(c.place < partner.place and c.segment == partner.segment for c in self.claim.terms)
        adjacent = second == first + 1
        if terms[first].kind == "name" and terms[second].kind == "name" and adjacent:
            return True
        if (
            opens
            and adjacent
            and terms[first].kind == "word"
            and not partner.passive
            and terms[second].after not in ("the", "a", "an", "its", "their", "his", "her")
        ):
            return True
        if partner.passive and not terms[second].passive and adjacent:
            return True
        opening = self.claim.segments[partner.segment].opening
        return bool(opening) and opening[0] in PRONOUNS and opens

    def _claim_opens_with_pronoun(self, pairs: list[tuple[Term, Term]]) -> bool:
        opening = self.claim.segments[pairs[0][0].segment].opening
        return bool(opening) and opening[0] in PRONOUNS

    def _touch(self, place: int, following: int) -> bool:
        return self.passage.terms[following].start - self.passage.terms[place].end == 1

    def _whole_name(self, first: int, places: Sequence[int]) -> bool:
        """A name's last part must be there: "Councillor" alone is nobody."""
        run = [first]
        for p in places:
            if (
                p == run[-1] + 1
                and self.passage.terms[p].kind == "name"
                and self.passage.terms[p].start - self.passage.terms[p - 1].end <= 2
            ):
                run.append(p)
        return run[-1] in self.used or len(run) == 1

    def _is_setting(self, place: int) -> bool:
        """Whether it says when, at the head of a sentence: On Thursday, after twelve weeks."""
        term = self.passage.terms[place]
        return term.kind == "date" and term.preposition in ("in", "by", "since", "from")

    def _interleaved_agree(self) -> bool:
        """A segment is left once: what is said of two things isn't mixed."""
        order: list[int] = []
        fronted = self._fronted()
        for c, p in self.pairs:
            if c in fronted:
                continue
            if (
                p.segment in self.antecedents
                or self._is_apposition(c, p)
                or (p.segment in self.full and self._is_aside(p.segment) and self._in_a_row(p.segment))
            ):
                continue
            if not order or order[-1] != p.segment:
                order.append(p.segment)
        if any(p.segment not in order and p.segment not in self.full for c, p in self.pairs if c in fronted):
            return False
        return len(order) == len(set(order)) and not any(self._is_stray(s) for s in order)

    def _fronted(self) -> list[Term]:
        """The terms of a phrase like "on Thursdays" that the claim opens with."""
        fronted: list[Term] = []
        for c, _ in self.pairs:
            if not _has_setting(c):
                return fronted
            fronted.append(c)
        return []

    def _is_stray(self, segment: int) -> bool:
        """Whether it lends a mere word to what another clause says."""
        opening = self.passage.segments[segment].opening
        if len(self.visited[segment]) > 1 or segment in self.full or (self.antecedents and opening and opening[0] in PRONOUNS):
            return False
        clause = self.visited[segment][0][1].clause
        return any(p.clause != clause for _, p in self.pairs)

    def _is_apposition(self, c: Term, p: Term) -> bool:
        """Whether it stands between commas in the claim, and all that does comes from one segment."""
        inside = {found.segment for claimed, found in self.pairs if claimed.segment == c.segment}
        outside = {found.segment for claimed, found in self.pairs if claimed.segment != c.segment}
        return inside == {p.segment} and p.segment not in outside and 0 < c.segment < len(self.claim.segments) - 1

    def _in_a_row(self, segment: int) -> bool:
        places = [n for n, (_, p) in enumerate(self.pairs) if p.segment == segment]
        return places[-1] - places[0] < len(places)

    def _is_aside(self, segment: int) -> bool:
        """Whether it only says when, where or how."""
        terms = [self.passage.terms[p] for p in self.passage.segments[segment].terms]
        if self.passage.segments[segment].opening[:1] in (("while",), ("when",), ("whilst",), ("after",), ("before",), ("during",)):
            return True
        return len(terms) <= 3 and (all(t.value for t in terms) or terms[0].preposition != "")

    def _operators_agree(self) -> bool:
        needed = self._governing()
        said = [o for o in self.claim.operators]
        for what in ("NOT", *_CONDITIONS, "MUST", "ALL", "ONLY"):
            ours = [o for o in said if what in o.keys]
            theirs = [o for o in needed if what in o.keys]
            if what == "MUST" and ours and not theirs and all(self._is_imperative(o) for o in ours):
                continue
            if what in ("MUST", "POSSIBLE") and any("NOT" in o.keys for o in said) and any("NOT" in o.keys for o in needed):
                if any(o.keys & {"MUST", "POSSIBLE"} for o in said) == any(o.keys & {"MUST", "POSSIBLE"} for o in needed):
                    continue
            if what == "NOT" and len(ours) != len(theirs):
                return False
            if bool(ours) != bool(theirs) and not (what in _MAY_DROP and theirs):
                return False
            if what == "NOT" and not all(self._same_focus(o, theirs) for o in ours):
                return False
            if what in ("ALL", "SOME", "MOST", "FEW", "NEARLY", "ONLY") and not all(self._same_focus(o, theirs) for o in ours):
                return False
        return True

    def _is_imperative(self, operator: Term) -> bool:
        following = next((c for c, _ in self.pairs if c.place >= operator.place), None)
        found = next((p for c, p in self.pairs if c is following), None)
        return (
            found is not None
            and self.passage.segments[found.segment].terms[0] == found.place
            and found.before in ("", ",", ";", "and", ".")
        )

    def _governing(self) -> list[Term]:
        """The operators of the passage that bear on what was taken from it."""
        taken = [(p.segment, p.clause, p.place, p.sentence) for _, p in self.pairs if p.segment not in self.antecedents]
        out = []
        for operator in self.passage.operators:
            if "NOT" in operator.keys and self._dangles(operator):
                near = any(sentence == operator.sentence for *_, sentence in taken)
            elif "IF" in operator.keys:
                near = any(clause == operator.clause and sentence == operator.sentence for _, clause, _, sentence in taken)
            else:
                near = any(segment == operator.segment for segment, *_ in taken)
                if near and operator.keys & {"SOME", "MOST", "FEW", "ALL", "ONLY", "NEARLY"}:
                    near = operator.place in self.used or operator.place + 1 in self.used
            if near:
                out.append(operator)
        return out

    def _dangles(self, operator: Term) -> bool:
        """Whether nothing stands behind it in its segment: it is never, under any circumstances, open."""
        places = self.passage.segments[operator.segment].terms
        return not places or places[-1] < operator.place

    def _same_focus(self, operator: Term, others: Sequence[Term]) -> bool:
        """Whether it stands before what one of the others stands before."""
        following = [c for c in self.claim.terms[operator.place : operator.place + 2] if c.segment == operator.segment]
        focus = [p.place for c, p in self.pairs if c in following[:1]]
        if not focus:
            before = [p.place for c, p in self.pairs if c.place == operator.place - 1]
            return any(o.place - 3 <= place < o.place + 4 for place in before for o in others)
        return any(
            o.place <= place < o.place + 4 or (place < o.place <= place + 3 and not self._follows(o)) for place in focus for o in others
        )

    def _follows(self, operator: Term) -> bool:
        return any(t.segment == operator.segment for t in self.passage.terms[operator.place : operator.place + 1])

    def _prepositions_agree(self) -> bool:
        last: tuple[Term, Term] | None = None
        for c, p in self.pairs:
            ours, theirs = c.preposition, p.preposition
            before, last = last, (c, p)
            if _bears(c.after) != _bears(p.after) and c.kind == p.kind == "word" and "" not in (c.after, p.after):
                if _bears(c.after) and _bears(p.after):
                    return False
                if (c.after in ("for", "with") or p.after in ("for", "with")) and "against" in (c.after, p.after):
                    return False
            if ours == theirs or p.segment in self.antecedents or self.used[p.place] is not c:
                continue
            if (
                before
                and before[0].place == c.place - 1
                and before[1].place == p.place - 1
                and before[0].preposition == before[1].preposition
                and not (c.link or p.link)
            ):
                continue
            if c.kind == "number" and (c.modifier or c.keys or p.keys):
                continue
            if ours in LOOSE and theirs in LOOSE:
                continue
            if {ours, theirs} <= LOOSE | {"by", "to", "between", "behind"} and not (
                p.kind in ("number", "date") and "to" in (ours, theirs)
            ):
                if "by" in (ours, theirs) and not self._is_agent(c, p):
                    return False
                continue
            return False
        return True

    def _is_agent(self, c: Term, p: Term) -> bool:
        return True

    def _order_agrees(self) -> bool:
        return True

    def _order_agree(self) -> bool:
        for segment, pairs in self.visited.items():
            if segment in self.antecedents:
                continue
            flips = [(c, p) for c, p in pairs if c.kind == p.kind == "word" and c.passive != p.passive and _may_be_verb(c)]
            voices = [self._voice(c, p, pairs) for c, p in flips]
            if False in voices:
                return False
            if True in voices or self._is_relative(pairs):
                continue
            for n, (c1, p1) in enumerate(pairs):
                for c2, p2 in pairs[n + 1 :]:
                    if p2.place < p1.place and not self._may_swap(c1, p1, c2, p2):
                        return False
        return True

    def _voice(self, verb: Term, found: Term, pairs: list[tuple[Term, Term]]) -> bool | None:
        """Whether active became passive or the other way, rightly; None where the word isn't used as a verb here."""
        active, passive = (verb, found) if found.passive else (found, verb)
        subject_side = [(c, p) for c, p in pairs if (c if active is verb else p).place < active.place]
        agents = [
            (c, p)
            for c, p in pairs
            if (c if passive is verb else p).preposition == "by" and (c if passive is verb else p).place > passive.place
        ]
        moved = [(c, p) for c, p in pairs if (c.place < verb.place) != (p.place < found.place) and c is not verb]
        if not moved:
            return None if active.after not in ("the", "a", "an", "its", "their", "his", "her") else False
        bare = [(c, p) for c, p in moved if not (c.preposition and c.preposition == p.preposition)]
        for c, p in bare:
            in_passive = c if passive is verb else p
            if in_passive.place > passive.place and not agents:
                return False
        return True

    def _is_relative(self, pairs: list[tuple[Term, Term]]) -> bool:
        """The bell that divers raised, for: divers raised the bell."""
        places = sorted(c.place for c, _ in pairs)
        if not places:
            return False
        return any(t.after in ("that", "which", "whom") and t.place in places for t in self.claim.terms)

    def _may_swap(self, c1: Term, p1: Term, c2: Term, p2: Term) -> bool:
        if (c1.kind == "number" and c1.keys) or (c2.kind == "number" and c2.keys):
            return True
        if c1.kind == c2.kind != "word" and p2.place != p1.place:
            return False
        if p1.place - p2.place <= 3 and abs(c1.place - c2.place) <= 3 and (self._is_genitive(p2, p1) != self._is_genitive(c1, c2)):
            return True
        return any(self._is_adverbial(c, p) and self._is_at_an_end(c) and not self._has_rival(p) for c, p in ((c1, p1), (c2, p2)))

    def _has_rival(self, p: Term) -> bool:
        """Whether its segment has another of its kind that the claim leaves out: in March, in April."""
        if p.value is None:
            return False
        segment = [self.passage.terms[place] for place in self.passage.segments[p.segment].terms]
        return any(t.kind == p.kind and t.place not in self.used and t.preposition == p.preposition and _same_unit(t, p) for t in segment)

    def _is_at_an_end(self, c: Term) -> bool:
        """Whether its phrase opens or closes what the claim says."""
        inside = [other for other, _ in self.pairs if other.segment == c.segment]
        before = [o for o in inside if o.place < c.place]
        behind = [o for o in inside if o.place > c.place]
        return all(map(_has_setting, before)) or all(map(_has_setting, behind))

    def _is_genitive(self, first: Term, second: Term) -> bool:
        """Whether "of" and the like stand between."""
        return second.link != "" or "'s" in first.raw

    def _is_adverbial(self, c: Term, p: Term) -> bool:
        if c.kind == "date" and p.kind == "date":
            return True
        return bool(c.preposition) and (
            c.preposition == p.preposition or (c.preposition in LOOSE and p.preposition in LOOSE and bool(p.preposition))
        )

    def _neighbours_agree(self) -> bool:
        """A number belongs to the word beside it: none of its kind that the claim leaves out may stand nearer."""
        for n, (c, p) in enumerate(self.pairs):
            if p.value is None or p.segment in self.full:
                continue
            near = [
                pair
                for pair in self.pairs[max(0, n - 1) : n] + self.pairs[n + 1 : n + 2]
                if pair[1].segment == p.segment and pair[1].value is None
            ]
            for _, other in near:
                for place in self.passage.segments[p.segment].terms:
                    rival = self.passage.terms[place]
                    if place in self.used or rival.kind != p.kind or not _same_unit(rival, p):
                        continue
                    if rival.preposition not in (p.preposition, c.preposition):
                        continue
                    if abs(place - other.place) < abs(p.place - other.place):
                        return False
        return True

    def _governed_agree(self) -> bool:
        """What was proposed, hoped or denied isn't so."""
        for term in self.passage.terms:
            if (
                term.place in self.used
                or not term.keys & _GOVERNORS
                or term.after not in ("that", "to", "it", "he", "she", "they", "a", "the")
            ):
                continue
            if any(
                p.sentence == term.sentence and p.clause == term.clause and p.place > term.place
                for _, p in self.pairs
                if p.segment not in self.antecedents
            ):
                return False
        return True


def _bears(word: str) -> str:
    return word if word in ("against", "without", "before", "after", "over", "under", "above", "below") else ""


def _has_setting(term: Term) -> bool:
    return bool(term.preposition) or term.kind == "date"


def _may_be_verb(term: Term) -> bool:
    from rag.verify.lexicon import _IRREGULAR

    word = term.raw.casefold()
    return word.endswith("ed") or word in _IRREGULAR


def _same_unit(one: Term, other: Term) -> bool:
    if isinstance(one.value, Quantity) and isinstance(other.value, Quantity):
        return one.value.unit == other.value.unit or {one.value.unit, other.value.unit} <= {"s", "month"}
    return True


__all__ = ["Fraction"]
