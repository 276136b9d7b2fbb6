"""Mathematics on one line: raised figures, fractions and roots as people type them, `10^6`, `7/8 + x^2`, `√(a + b)`.

A raised figure that loses its place says something else (10 to the sixth becomes 106), so every loader writes it through here.
"""

import re

_ORDINAL = re.compile(r"(?:st|nd|rd|th|e|er|re|ère|ème|o|a|º|ª)\.?", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:\d|\b[IVXLC]+)$")
_OWNED = re.compile(r"[º°®™©℠]|tm|sm", re.IGNORECASE)
_PLAIN = re.compile(r"[^\W_]+|[-+−–]?[\d.,]*\d|[^\w\s]")
_WHOLE = re.compile(r"[-+−]?(?:[\w.,']|\^)+|√\S+|[([{].*[)\]}]")


def raised(text: str, before: str = "") -> str:
    """What follows `before` in superscript: `10` and `6` read 10^6, `2` and `nd` 2nd, `x` and `n + 1` x^(n + 1)."""
    text = " ".join(text.split())
    if not text or _OWNED.fullmatch(text) or (_ORDINAL.fullmatch(text) and _NUMBERED.search(before)):
        return text
    return f"^{text}" if _PLAIN.fullmatch(text) else f"^({text})"


def fraction(numerator: str, denominator: str) -> str:
    """One part over another: 7/8, (a + b)/c."""
    return f"{_grouped(numerator)}/{_grouped(denominator)}"


def root(radicand: str, degree: str = "") -> str:
    """√16, √(a + b), 3√8 written with its degree raised before it: ^3√8."""
    return f"{raised(degree) if degree else ''}√{_grouped(radicand)}"


def _grouped(text: str) -> str:
    text = " ".join(text.split())
    return text if _WHOLE.fullmatch(text) else f"({text})"
