"""Formulas on one line, out of the parts that Word's, PowerPoint's and OpenDocument's notations all have.

`7/8 + x^2`, `∑_(i = 1)^n i`, `[1, 2; 3, 4]`: blanks stand around operators, brackets where a line needs them.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from ingest.loaders.linear import lowered, raised

_SPACED = set("=+−-±∓×÷·⋅∗<>≤≥≠≈≅≡∼∝→←↔⇒⇔∈∉⊂⊆∪∩∧∨≪≫↦∥⊥≔")
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|\s+|.", re.DOTALL)
_SIMPLE = re.compile(r"\w+")
_FRACTION = re.compile(r"[\w.^√]+/|\(.*\)/")


def letters(text: str) -> str:
    """Ordinary letters for those that exist twice, in mathematical italics or bold: nobody types them into a search."""
    return "".join(unicodedata.normalize("NFKC", c) if "\U0001d400" <= c <= "\U0001d7ff" or c == "ℎ" else c for c in text)


def tokens(text: str) -> list[str]:
    """A run of a formula cut into numbers, names and signs."""
    return [token for token in _TOKEN.findall(letters(text)) if token]


def row(parts: Iterable[str]) -> str:
    """Parts side by side: blanks around signs that stand between two things, none after a sign that belongs to what follows."""
    line = ""
    whole = False  # the part before is more than one token
    for part in parts:
        if part in _SPACED:
            between = _ends_a_thing(line.rstrip())
            line = f"{line.rstrip()} {part} " if between else line + part
        elif part in (",", ";"):
            line = f"{line.rstrip()}{part} "
        elif part:
            joined = (part[:1].isalnum() or part[0] == "√") and (line[-1:].isalnum() or (whole and line.endswith(")")))
            apart = joined and (whole or _runs_together(part))
            line += f" {part}" if apart else part.lstrip() if line.endswith(" ") else part
        whole = part not in _SPACED and _TOKEN.fullmatch(part) is None
    return line.strip()


def _ends_a_thing(line: str) -> bool:
    """Whether a sign that follows stands between two things, rather than before one: a - 1, not (-1."""
    last = line[-1:]
    opened = last == "|" and line.count("|") % 2
    return not opened and last not in ("", "(", "[", "{", ",", ";", "^", "_") and last not in _SPACED


def _runs_together(part: str) -> bool:
    """Whether a figure or fraction would be read as one with what stands before it: 2 3/4, not 23/4."""
    return (part[0].isdecimal() and _TOKEN.fullmatch(part) is None) or _FRACTION.match(part) is not None


def scripts(base: str, below: str = "", above: str = "") -> str:
    """x1, x^2, x1^2; what is more than a name stands in brackets: x_(n + 1)."""
    if len(base) > 1 and not _SIMPLE.fullmatch(base) and (above or below) and not _bracketed(base):
        base = f"({base})"
    line = base
    if below:
        line += lowered(below, line) if _SIMPLE.fullmatch(below) else f"_({below})"
    return line + (raised(above) if above else "")


def before(base: str, below: str, above: str) -> str:
    """Scripts that stand before: ^14_6C."""
    line = raised(above)
    return f"{line}{lowered(below, line)}{base}"


def limits(sign: str, below: str, above: str, body: str) -> str:
    """A sum or integral: ∑_(i = 1)^n i^2."""
    line = sign + (f"_{below}" if _SIMPLE.fullmatch(below) else f"_({below})" if below else "") + (raised(above) if above else "")
    return f"{line} {body}".strip()


def under(base: str, below: str) -> str:
    """What stands under a word: lim_(x → 0)."""
    return f"{base}_({below})" if below else base


def matrix(rows: Sequence[Sequence[str]]) -> str:
    """[1, 2; 3, 4], as it would be typed."""
    return f"[{table(rows)}]"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A matrix's rows, or lines below each other, without brackets."""
    return "; ".join(", ".join(cell for cell in cells) for cells in rows)


def accent(base: str, sign: str) -> str:
    """x̄: a letter with its sign, of longer names each letter."""
    sign = _COMBINING.get(sign, sign)
    if not unicodedata.combining(sign[:1] or " "):
        return base + (sign if sign in "′″" else "")
    return "".join(c + sign if c.isalnum() else c for c in base) if len(base) <= 3 else base


_COMBINING = {
    **dict.fromkeys("^ˆ", "\u0302"),
    **dict.fromkeys("~˜", "\u0303"),
    **dict.fromkeys("¯‾―\u0305", "\u0304"),
    **dict.fromkeys("˙.", "\u0307"),
    **{"_": "\u0332", "→": "\u20d7", "¨": "\u0308", "ˇ": "\u030c", "´": "\u0301", "`": "\u0300", "˘": "\u0306"},
}
_PAIRS = {"(": ")", "[": "]", "{": "}", "|": "|", "⌊": "⌋", "⌈": "⌉", "‖": "‖"}


def _bracketed(text: str) -> bool:
    """Whether one pair of brackets goes around all of it."""
    if _PAIRS.get(text[0]) != text[-1]:
        return False
    depth = 0
    for place, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if depth == 0 and c in ")]}" and place < len(text) - 1:
            return False
    return True
