"""Mathematics on one line: raised figures, fractions and roots as people type them, `10^6`, `7/8 + x^2`, `√(a + b)`.

A raised figure that loses its place says something else (10 to the sixth becomes 106), so every loader writes it through here.
"""

import re

_ORDINAL = re.compile(r"(?:st|nd|rd|th|es?|er|re|ère|ème|mes?|lles?|os?|as?)\.?", re.IGNORECASE)
_COUNTED = re.compile(r"(?:\d|\b[IVXLCM]+|\b[nN])\.?$")
"""What ordinals follow: 2nd, XIXe, no, Mme; after anything else the same letters are a power."""
_OWNED = re.compile(r"[*†‡§¶°′″'\"’ºª®™©℠]+|tm|sm", re.IGNORECASE)
"""Signs that stand raised of themselves."""
_SEEN = 12
"""Characters before a figure that tell how it is meant."""
_UP, _DOWN, _BACK = "\x0e", "\x0f", "\x10"
_MARKED = re.compile(f"(?:{_UP}[^{_UP}{_DOWN}{_BACK}]*{_BACK})+|(?:{_DOWN}[^{_UP}{_DOWN}{_BACK}]*{_BACK})+")
_MARKS = re.compile(f"[{_UP}{_DOWN}{_BACK}]")
_PLAIN = re.compile(r"[^\W_]+|[-+−–]?[\d.,]*\d|[^\w\s]")
_PRODUCT = re.compile(r"[\d.,]+[^\W\d_]")
_WHOLE = re.compile(r"[-+−]?(?:[\w.,']|\^)+|√\S+|[([{].*[)\]}]")


def raised(text: str, before: str = "") -> str:
    """What follows `before` in superscript: `10` and `6` read 10^6, `2` and `nd` 2nd, `x` and `n + 1` x^(n + 1)."""
    text = " ".join(text.split())
    if not text or _OWNED.fullmatch(text) or (_ORDINAL.fullmatch(text) and _COUNTED.search(before[-_SEEN:])):
        return text
    return f"^{text}" if _PLAIN.fullmatch(text) else f"^({text})"


def lowered(text: str, before: str = "") -> str:
    """What follows `before` in subscript, as it stands, H2O; set off where figures would run together: 1010_2."""
    text = " ".join(text.split())
    return f"_{text}" if text[:1].isdecimal() and before[-1:].isdecimal() else text


def lifted(text: str, rise: float) -> str:
    """A run of text marked as above the line (a rise over 0) or below it; `settled` writes out what the marks mean.

    Office programs split one figure into several runs, so a run alone can't tell how it reads.
    """
    return f"{_UP if rise > 0 else _DOWN}{text}{_BACK}" if rise and text else text


def settled(text: str) -> str:
    """Text on one line, with neighbouring runs that `lifted` marked written as one figure."""
    pieces: list[str] = []
    place = 0
    before = ""
    for match in _MARKED.finditer(text):
        plain = text[place : match.start()]
        place = match.end()
        run = _MARKS.sub("", match[0])
        inner = run.strip()
        lead, _, trail = run.partition(inner) if inner else (run, "", "")
        before = f"{before[-_SEEN:]}{plain[-_SEEN:]}{lead}"
        figure = (raised if match[0][0] == _UP else lowered)(inner, before)
        pieces += [plain, lead, figure, trail]
        before = f"{before[-_SEEN:]}{figure}{trail}"
    return "".join([*pieces, text[place:]])


def fraction(numerator: str, denominator: str) -> str:
    """One part over another: 7/8, (a + b)/c, 1/(2a)."""
    below = _grouped(denominator)
    return f"{_grouped(numerator)}/{f'({below})' if _PRODUCT.match(below) else below}"


def root(radicand: str, degree: str = "") -> str:
    """√16, √(a + b), 3√8 written with its degree raised before it: ^3√8."""
    return f"{raised(degree) if degree else ''}√{_grouped(radicand)}"


def _grouped(text: str) -> str:
    text = " ".join(text.split())
    return text if _WHOLE.fullmatch(text) else f"({text})"
