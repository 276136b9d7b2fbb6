"""Text as words and numbers that can be compared letter by letter, for checking claims (verbatim.py).

A number is one token with its points, commas and colons, and its sign or unit is a token beside it; a compound (sea-gates,
km/h, B-7731/3) is one token too. SQuAD's normalisation (`model.grounded.normalize_answer`) drops these signs: right for scoring
words, wrong for checking, where 1.5 would be 15.
"""

import re
import unicodedata
from typing import NamedTuple

_LOOK_ALIKES = str.maketrans(dict.fromkeys("‐‑‒–−⁃", "-") | dict.fromkeys("’‘‛ʼ′", "'"))
_TOKEN = re.compile(
    r"""
    \[\d{1,3}(?:,\ ?\d{1,3})*\]                                          # [3], as in image[3]
    | (?<![\w.])\.\d\w*                                                  # .5
    | \w+(?:(?:[.:/@&'^×·-]{1,2}|(?<=\d),(?=\d))\w+)*                    # 1,200.50  10:30  B-7731/3  sea-gates
        [+#]*(?:(?<=[A-Z\d])-(?!\w))?                                    # C++  1941-
    | (?<![\w)\]-])[-+±~≈](?=[$£€¥₹]?\.?\d)                              # signs
    | (?:[±≈≤≥]|(?<=[^\n])[<>~]=?)(?=\ ?[$£€¥₹]?\.?\d)
    | [%‰°§$£€¥₹]
    """,
    re.VERBOSE,
)
_PARTS = re.compile(r"(\d(?:[\d.,:/'^×-]*\d)?)([^\W\d_]+[²³]?)|(.+)('s)", re.IGNORECASE)
"""A number and what is written to it (45p, 10.30am, 2nd, 5km, 1½); a word and its 's."""
_ALIASES = {"a.m": "am", "p.m": "pm", "b.c": "bc", "b.c.e": "bce", "percent": "%"}
_NUMBER_WORDS = frozenset(
    """zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
    thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen""".split()
)
ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st nos nr fig figs sec ch p pp vol art eq ed e.g i.e cf vs approx ca al inc ltd jr sr dept est mt
    jan feb mar apr jun jul aug sep sept oct nov dec""".split()
)
"""Behind them a full stop ends no sentence."""
PLACES = frozenset(
    """section sections sec chapter chapters ch page pages p pp figure figures fig table tables tab clause article art paragraph para
    annex appendix part item step note footnote question schedule exhibit""".split()
)
"""Behind them a number counts nothing: it is the name of a place in a document."""


class Token(NamedTuple):
    text: str
    """In lower case, as it is compared."""
    raw: str
    gap: str
    """What stands between it and the token before."""
    start: int
    """Its place in the normalised text."""

    @property
    def mark(self) -> str:
        """The punctuation before it, Markdown's emphasis left out."""
        return self.gap.strip(" \n*`\"'")

    @property
    def is_number(self) -> bool:
        return any(map(str.isdigit, self.text)) or self.text in _NUMBER_WORDS

    @property
    def is_plain_number(self) -> bool:
        """One without letters."""
        return self.text in _NUMBER_WORDS or (self.text[0].isdigit() and not any(map(str.isalpha, self.text)))

    @property
    def is_small_number(self) -> bool:
        """One that may stand anywhere: 5, 42, twelve."""
        return self.text in _NUMBER_WORDS or (self.text.isdigit() and len(self.text) <= 2)


def normalize(text: str) -> str:
    """One form for letters, dashes, quotes and spaces that look alike; fractions and raised digits stay what they are."""
    if not text.isascii():
        text = "".join(map(_plain, unicodedata.normalize("NFC", text))).translate(_LOOK_ALIKES)
    text = re.sub(r"(?<!\w)_+|_+(?!\w)|\\(?=[^\w\s])", " ", text)  # Markdown's emphasis and escapes
    text = re.sub(r"\bper cent\b", "percent", text, flags=re.IGNORECASE)
    return re.sub(r"(?<=\d) - (?=\d)", "-", text)


def _plain(character: str) -> str:
    if character.isascii():
        return character
    kind = unicodedata.category(character)
    if kind == "Cf":  # soft hyphens, joiners, marks of direction
        return ""
    return character if kind in ("No", "So") else unicodedata.normalize("NFKC", character)


def tokens(text: str) -> list[Token]:
    """The words, numbers and signs of a normalised text."""
    found: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts = _PARTS.fullmatch(match[0])
        gap = text[end : match.start()]
        for part in filter(None, parts.groups()) if parts else (match[0],):
            word = part.casefold()
            found.append(Token(_ALIASES.get(word, word), part, gap, match.start()))
            gap = ""
        end = match.end()
    return found
