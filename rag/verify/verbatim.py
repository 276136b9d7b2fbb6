"""Whether a claim stands *verbatim* in a source: the same words and numbers in a row, none of them cut, no "not" left out.

Verbatim is a level, not the truth: it compares letters and doesn't know what was asked. It is strict where a letter changes
what is said: a number keeps its sign, its percent sign and its unit, a day its month, a section's number its section, and a
passage that says "not open on Sundays" doesn't hold "open on Sundays".
"""

import re
from collections.abc import Sequence

from ingest.text.stop_words import STOP_WORDS
from rag.verify.negation import Negations
from rag.verify.quantity import MONTHS
from rag.verify.words import PLACES, Token, normalize, tokens

_BEFORE_A_NUMBER = frozenset("-+±~≈<>≤≥$£€¥₹§") | {"<=", ">=", "minus", "negative"}
_BEHIND_A_NUMBER = frozenset("%‰°$£€¥₹") | frozenset(
    "hundred thousand million billion trillion dozen bn mn am pm noon o'clock bc bce".split()
)
_HUNDRED_AND = {("and", "hundred"), ("and", "thousand"), ("and", "million")}
_LINE_NUMBER = re.compile(r"^[ \t>]*(?:(#+[ \t]+)\(?|\(?)(\d{1,3}(?:\.\d+)*)[.)]*(?=\s)", re.MULTILINE)
_SAYS_NOTHING = STOP_WORDS | {"yes", "never", "none", "true", "false"}


class Wording:
    """The words of a claim; an article at their head is the answer's own."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = tokens(normalize(text))
        self.tokens = found[1:] if found and found[0].raw in ("the", "The", "an", "An", "a") else found

    @property
    def is_small_number(self) -> bool:
        return len(self.tokens) == 1 and self.tokens[0].is_small_number


class Source:
    """A passage, normalised once, against which claims are held."""

    def __init__(self, text: str) -> None:
        normalized = normalize(text)
        self._tokens = tokens(normalized)
        self._places: dict[str, list[int]] = {}
        for place, token in enumerate(self._tokens):
            self._places.setdefault(token.text, []).append(place)
        starts = _list_numbers(normalized)
        numbered = {place for place, token in enumerate(self._tokens) if token.start in starts}
        self._may_begin, self._may_end = _edges(self._tokens, numbered)
        self._negations = Negations(self._tokens, numbered, normalized)

    def holds(self, wording: Wording, content_words: int = 2) -> bool:
        """Whether the words stand in it verbatim, and hold a number, a name or at least so many content words."""
        length = len(wording.tokens)
        return any(
            self._is_whole(start, start + length) and _says_enough(wording.tokens, self._tokens[start : start + length], content_words)
            for start in self._starts(wording)
        )

    def cuts(self, wording: Wording) -> bool:
        """Whether the words stand in it only where they are torn from what changes them: a sign, a unit, a "not"."""
        starts = self._starts(wording)
        return bool(starts) and not any(self._is_whole(start, start + len(wording.tokens)) for start in starts)

    def _starts(self, wording: Wording) -> list[int]:
        wanted = [token.text for token in wording.tokens]
        places = self._places.get(wanted[0], ()) if wanted else ()
        return [start for start in places if [token.text for token in self._tokens[start : start + len(wanted)]] == wanted]

    def _is_whole(self, start: int, end: int) -> bool:
        return self._may_begin[start] and self._may_end[end - 1] and not self._negations.govern(start, end)


def _says_enough(claim: Sequence[Token], found: Sequence[Token], content_words: int) -> bool:
    content = [(c, f) for c, f in zip(claim, found, strict=True) if c.text not in _SAYS_NOTHING and len(c.text) > 1 and c.text[0].isalpha()]
    has_name = any(c.raw[0].isupper() and f.raw[0].isupper() for c, f in content)
    return has_name or len(content) >= content_words or any(token.is_number for token in claim)


def _edges(found: Sequence[Token], numbered: set[int]) -> tuple[list[bool], list[bool]]:
    """Of each token, whether a claim may begin with it and whether one may end with it, so that nothing is cut that is one."""
    begins, ends = [True] * len(found), [place not in numbered for place in range(len(found))]
    for place in range(1, len(found)):
        before, token, behind = found[place - 1], found[place], found[place + 1] if place + 1 < len(found) else None
        if _are_one(before, token):
            ends[place - 1] = begins[place] = False
        if _is_label(before, token) or (before.text in MONTHS and _is_day(token) and not token.gap.strip(" .")):
            begins[place] = False
        month = behind if behind and token.text == "of" else token
        if _is_day(before) and month.text in MONTHS and month.raw[0].isupper() and token.gap in (" ", ". "):
            ends[place - 1] = False
        if behind and before.is_number and behind.is_number and (token.text == "to" or (token.text, before.text) in _HUNDRED_AND):
            ends[place - 1] = begins[place + 1] = False
    return begins, ends


def _list_numbers(text: str) -> set[int]:
    """Where the numbers stand that list items and headings begin with.

    A line of running text may begin with a number too. A list's stands behind the end of something, or counts on.
    """
    found: set[int] = set()
    last = 0
    for match in _LINE_NUMBER.finditer(text):
        before = text[max(0, match.start() - 3) : match.start()].rstrip(" \t")
        number = int(match[2].rpartition(".")[2])
        if match[1] or (match[0][-1] in ".)" and (not before or re.search(r"[.:;!?)|\n]\s+\Z", before) or number in (1, last + 1))):
            found.add(match.start(2))
            last = number
    return found


def _are_one(before: Token, token: Token) -> bool:
    """Whether two neighbours say one thing, like 5 and %, - and 18, 1 and 000, twenty and five."""
    if "[" in (before.text[0], token.text[0]) or token.text == "'s" or token.mark:
        return False
    if not token.gap or (token.is_number and before.text in _BEFORE_A_NUMBER) or (before.is_number and token.text in _BEHIND_A_NUMBER):
        return True
    return token.gap == " " and before.is_plain_number and token.is_plain_number


def _is_label(before: Token, token: Token) -> bool:
    return token.is_number and before.text in PLACES and token.gap.strip() in ("", ".", ":", "#")


def _is_day(token: Token) -> bool:
    return re.fullmatch(r"\d\d?|st|nd|rd|th", token.text) is not None
