"""Which words of a passage a "not" governs: those of its own clause.

No parser: sentences, clauses and table cells are told apart by punctuation and a few words. Where that leaves a doubt the
negation governs, so that a claim is rather called unverified than verified.
"""

import re
from collections.abc import Sequence

from rag.verify.words import ABBREVIATIONS, Token

_NEGATIONS = frozenset(
    """not no never none nobody nothing nowhere neither nor without cannot except excluding unless hardly scarcely rarely seldom
    nicht kein keine keinen keinem keiner keines nie niemals pas jamais aucun aucune nunca non niet geen nooit""".split()
)
_ONLY_BEHIND = frozenset("nor unless without".split())
"""What stands before these they leave alone."""
_ASIDES = frozenset("which who whose whom although though whereas while because".split())
"""Behind a comma they open a clause that the next comma closes."""
_LEADS = _ASIDES | frozenset("if when where since as after before until unless once".split())
"""At the head of a sentence they do."""
_NEW_BLOCK = re.compile(r"\n\s*\n|\n\s*(?:[-*+]\s|[•|]|\#+\s)|\|\s*\n")
_BULLET = re.compile(r"\n\s*(?:[-*+]\s|•)")
_FIELD = re.compile(r"[^\n.:|]{1,40}:(?:\s|$)")
_STOP = re.compile(r"[.!?]\W*\s")


class Negations:
    """A passage's negations, and the sentence and clause of each of its tokens."""

    def __init__(self, tokens: Sequence[Token], numbered: set[int], text: str) -> None:
        """
        Args:
            numbered: places of the tokens that are a list item's or a heading's number.
            text: the normalised text that the tokens are of.
        """
        self._tokens = tokens
        negations = [place for place in range(len(tokens)) if self._is_negation(place)]
        starts = {place for place in range(len(tokens)) if place == 0 or place in numbered or self._starts_sentence(place, text)}
        self._sentence: list[int] = []
        self._clause: list[int] = []
        clauses = _Clauses()
        for place, token in enumerate(tokens):
            self._sentence.append(place if place in starts else self._sentence[-1])
            self._clause.append(clauses.step(token, place in starts))
        self._negations = [(place, self._stands_alone(place)) for place in negations]
        self._denied = self._denied_items(numbered)

    def govern(self, start: int, end: int) -> bool:
        """Whether a negation outside the tokens from `start` to `end` governs them."""
        if self._sentence[start] in self._denied:
            return True
        for place, alone in self._negations:
            if start <= place < end or not self._sentence[start] <= self._sentence[place] <= self._sentence[end - 1]:
                continue
            if place < start and self._clause[place] == self._clause[start]:
                return True
            token = self._tokens[place]
            reaches = self._clause[place] == self._clause[end - 1] and "," not in token.gap and token.text not in _ONLY_BEHIND
            if place >= end and (alone or reaches):
                return True
        return False

    def _is_negation(self, place: int) -> bool:
        word, following = self._tokens[place].text, self._tokens[place + 1 : place + 2]
        if following and word == "no" and following[0].gap.startswith(".") and following[0].text[0].isdigit():
            return False  # No. 5
        if following and word == "not" and following[0].text in ("only", "just", "merely"):
            return False
        return word in _NEGATIONS or word.endswith("n't")

    def _starts_sentence(self, place: int, text: str) -> bool:
        token, before = self._tokens[place], self._tokens[place - 1]
        if "?" in token.gap and self._is_negation(place):
            return False  # Open on Sundays? No.
        if _NEW_BLOCK.search(token.gap) or ("\n" in token.gap and _FIELD.match(text, token.start)):
            return True
        is_abbreviation = before.text in ABBREVIATIONS or (len(before.text) == 1 and before.text.isalpha())
        return _STOP.search(token.gap) is not None and not token.raw[0].islower() and not (is_abbreviation and token.gap[0] == ".")

    def _stands_alone(self, place: int) -> bool:
        """Whether it answers what stands before it in its sentence: Dogs allowed: no."""
        behind = self._tokens[place + 1 : place + 2]
        ends = not behind or self._sentence[place + 1] != self._sentence[place] or behind[0].mark
        return bool(self._tokens[place].mark and ends)

    def _denied_items(self, numbered: set[int]) -> set[int]:
        """Sentences that are items of a list under a line like "Not included:"."""
        denied: set[int] = set()
        heads = {self._sentence[place] for place, _ in self._negations}
        last = -1
        for place in sorted(set(self._sentence)):
            token = self._tokens[place]
            is_item = place in numbered or _BULLET.search(token.gap) is not None
            if is_item and (last in denied or (last in heads and ":" in token.gap)):
                denied.add(place)
            last = place
        return denied


class _Clauses:
    """Numbers the clauses of a passage as its tokens come; a clause that is interrupted goes on under its number."""

    def __init__(self) -> None:
        self._now = self._count = 0
        self._open: list[tuple[str, int]] = []
        """Of each interruption the mark that ends it, and the clause that it interrupts."""

    def step(self, token: Token, starts_sentence: bool) -> int:
        """The clause of the next token."""
        word = token.text
        if starts_sentence:
            self._begin()
        else:
            for mark in re.findall(r"[;|(),—]|\s-\s", token.gap):
                self._mark(mark.strip())
        comma = "," in token.gap
        if word == "but" or (comma and word in ("however", "yet")):
            self._begin()
        elif (starts_sentence and word in _LEADS) or (comma and word in _ASIDES):
            self._interrupt(",")
        return self._now

    def _mark(self, mark: str) -> None:
        if mark in [closer for closer, _ in self._open]:
            while self._open:
                closer, self._now = self._open.pop()
                if closer == mark:
                    break
        elif mark in (";", "|"):
            self._begin()
        elif mark in ("(", "—", "-"):
            self._interrupt(")" if mark == "(" else mark)

    def _begin(self) -> None:
        self._open.clear()
        self._count += 1
        self._now = self._count

    def _interrupt(self, closer: str) -> None:
        self._open.append((closer, self._now))
        self._count += 1
        self._now = self._count
