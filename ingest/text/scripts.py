"""Scripts that don't put spaces between words, or that an English embedder can't read, and what is done about them.

SQLite's word index cuts at spaces, so a Chinese sentence would be one word. Such runs are stored with a space after each
character and asked as phrases of two.
"""

import re
from collections.abc import Iterator

UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Tibetan, Burmese, Khmer
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003134f"
)
_ONE = re.compile(f"[{UNSPACED}]")
_PART = re.compile(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+")
_JOINED = re.compile(r"[\w@/.:\\+-]+")
_FOREIGN = re.compile(
    "[\u0370-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufdff\ufe70-\ufeff\uff66-\uff9f\U00010000-\U0001efff\U00020000-\U0003134f]"
)
_SAMPLE = 200_000
"""Characters of a document by which its script is told."""

SCRIPT_NOTE = (
    "in a script that the embedder and the starter can't read: found by its words and characters only; "
    "OCTAVO_EMBEDDER=intfloat/multilingual-e5-small in a library of its own finds it by meaning"
)


def spaced(text: str) -> str:
    """The text with a space around each character of a script without spaces, so that each is a token of its own."""
    return _ONE.sub(r" \g<0> ", text)


def is_unspaced(text: str) -> bool:
    """Whether a text has a script without spaces in it."""
    return bool(_ONE.search(text))


def terms(text: str) -> Iterator[str]:
    """Its words in lower case: an identifier whole; of a run without spaces, each two characters in a row (or the one, if alone)."""
    text = text.lower()
    for joined in _JOINED.finditer(text):
        if is_identifier(identifier := joined[0].rstrip("/.:\\+-")):
            yield identifier
    for match in _PART.finditer(_JOINED.sub(lambda m: " " if is_identifier(m[0].rstrip("/.:\\+-")) else m[0], text)):
        word = match[0]
        if is_unspaced(word) and len(word) > 2:
            yield from (word[start : start + 2] for start in range(len(word) - 1))
        else:
            yield word


def is_identifier(word: str) -> bool:
    """Whether it is a part number, a path, an address or a version: more than one part, and a figure, @, _ or a path's slashes."""
    parts = re.findall(r"[^\W_]+", word)
    path = word.count("/") > 1 or word.startswith("/") or "\\" in word
    return (len(parts) > 1 and (path or bool(re.search(r"[\d@_]", word)))) or (path and bool(parts))


def mostly_foreign(text: str) -> bool:
    """Whether more than a fifth of a text's letters belong to no script of Latin letters."""
    sample = text[:_SAMPLE]
    letters = sum(map(str.isalpha, sample))
    return len(_FOREIGN.findall(sample)) > 0.2 * letters > 0
