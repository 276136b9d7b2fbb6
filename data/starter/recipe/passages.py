"""What running text is made of: passages, tables, what a passage enumerates, and which passages are near a question."""

import random
import re
from functools import lru_cache

from model.train.data import SENTENCE_END

_WORD = re.compile(r"[A-Za-z]{4,}|\d{2,}")
COMMON = set(
    "about above after also although another because been before being between both could does each either from have having here however "
    "into like made many more most much must only other over same should since some such than that their them then there these they this "
    "those though through under until used using very were what when where which while will with within without would your".split()
)
SAYS_MORE = re.compile(
    r"\b(?:is|are|was|were|has|had|have|be|been|will|would|do|did|does|can|could|that|very|little|not|I|he|she|it|they|we|you)\b|[_*`]"
)
_PHRASE = r"[\w'’£$%-]+(?: [\w'’£$%-]+){0,4}"
_ENUMERATION = re.compile(
    r"(?:\b(?:of|are|were|includ\w+|as|with|for|by|from|have|has|had|contains?|like|between|in|on|to|offers?|needs?|brought|made|the)|:) "
    rf"((?:{_PHRASE}, )+{_PHRASE},? (?:and|or) {_PHRASE})(?=[.;]\s|[.]$)"
)
_BULLET = re.compile(r"^[*-] ([^\n]{3,60}?)[.;,]?$", re.M)
_TABLE = re.compile(r"(?:^\|[^\n]*\|\n){4,}", re.M)


def passages_of(text: str) -> list[str]:
    """Runs of paragraphs, 250 to 900 characters each; longer paragraphs are cut between sentences."""
    out, run = [], ""
    for paragraph in re.split(r"\n\s*\n", text):
        whole = paragraph.strip() if paragraph.lstrip().startswith(("-", "*", "|", "#")) else " ".join(paragraph.split())
        for number, piece in enumerate(SENTENCE_END.split(whole) if len(whole) > 900 else [whole]):
            if run and len(run) + len(piece) > 900:
                out.append(run)
                run = ""
            run = f"{run}{' ' if number else chr(10) * 2}{piece}".strip()
    return [p for p in [*out, run] if 250 <= len(p) <= 1500 and _is_prose(p)]


def tables_of(text: str) -> list[str]:
    """Markdown tables of two rows and more."""
    return [m[0].strip() for m in _TABLE.finditer(text if text.endswith("\n") else text + "\n")]


def _is_prose(text: str) -> bool:
    return sum(c.isalpha() or c == " " for c in text) > 0.88 * len(text)


def content_words(text: str) -> set[str]:
    return {w for w in map(str.lower, _WORD.findall(text)) if w not in COMMON}


_words_of_passage = lru_cache(maxsize=4096)(content_words)
"""For passages, which are met again and again."""


def nearest(question: str, passages: list[str], rng: random.Random, most: int = 120) -> list[str]:
    """Of up to `most` passages, those first that share most content words with the question."""
    words = content_words(question)
    return sorted(rng.sample(passages, min(len(passages), most)), key=lambda p: -len(words & _words_of_passage(p)))


def enumerations(passage: str) -> list[str]:
    """What a passage enumerates, in a sentence or line by line; not what may be asked of it (see ask.py)."""
    said = [m[1] for m in _ENUMERATION.finditer(passage) if not SAYS_MORE.search(m[1])]
    lines = _BULLET.findall(passage)
    return said + ([", ".join(lines)] if 3 <= len(lines) <= 8 and len(lines) == passage.count("\n- ") + passage.count("\n* ") else [])
