"""The lines of a slide's shape, with the bullets and numbers that PowerPoint puts before them."""

from collections.abc import Callable, Iterable

from ingest.loaders.office.numbering import written
from ingest.loaders.office.ooxml import drawing_line
from ingest.loaders.office.symbols import TICKS, in_font
from ingest.loaders.web.xmltree import Element, child, descendants, integer

_NUMBER_STYLES = {
    **{"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman", "arabicDb": "decimal"},
    **{"arabic1": "arabicAlpha", "arabic2": "arabicAbjad", "circleNum": "decimalEnclosedCircle", "ea1Chs": "chineseCounting"},
    **{"ea1Cht": "chineseCounting", "ea1Jpn": "chineseCounting", "hebrew2": "hebrew2", "thaiAlpha": "thaiLetters"},
    **{"thaiNum": "thaiNumbers", "hindiAlpha": "hindiConsonants", "hindiNum": "hindiNumbers"},
}
_BULLETS = ("buNone", "buChar", "buAutoNum", "buBlip")


class Marks:
    """Counts the numbered paragraphs of one text body."""

    def __init__(self) -> None:
        self._counts: dict[int, tuple[str, int]] = {}

    def next(self, level: int, sources: Iterable[Element]) -> str:
        """What stands before a paragraph; the first source that speaks of bullets says it."""
        bullet = next((found for source in sources for name in _BULLETS if (found := child(source, name)) is not None), None)
        kind = "" if bullet is None else bullet.tag.rpartition("}")[2]
        self._counts = {deep: count for deep, count in self._counts.items() if deep < level or (deep == level and kind == "buAutoNum")}
        if bullet is None or kind == "buNone":
            return ""
        if kind != "buAutoNum":
            font = child(bullet.getparent(), "buFont")
            sign = in_font(bullet.get("char", ""), "" if font is None else font.get("typeface", ""))
            return sign if sign and sign in TICKS else "-"
        style, start = bullet.get("type", "arabicPeriod"), integer(bullet, "startAt", 1)
        before, count = self._counts.get(level, (style, start - 1))
        self._counts[level] = style, (count if before == style else start - 1) + 1
        return _auto_number(self._counts[level][1], style)


def marked_lines(body: Element | None, sources: Callable[[int], Iterable[Element]]) -> list[str]:
    """A text body's lines, nested items indented; `sources` gives what styles a level of them."""
    marks = Marks()
    lines: list[tuple[str, int, str]] = []
    for paragraph in descendants(body, "p"):
        text = drawing_line(paragraph)
        properties = child(paragraph, "pPr")
        level = min(max(integer(properties, "lvl", 0), 0), 8) if properties is not None else 0
        if text:
            own = [] if properties is None else [properties]
            lines.append((marks.next(level, [*own, *sources(level)]), level, text))
    least = min((level for mark, level, _ in lines if mark), default=0)
    return [f"{'  ' * (level - least)}{mark} {text}" if mark else text for mark, level, text in lines]


def _auto_number(number: int, kind: str) -> str:
    style = next((style for name, style in _NUMBER_STYLES.items() if kind.startswith(name)), "decimal")
    text = written(number, style)
    if kind.endswith("ParenBoth"):
        return f"({text})"
    return text + (")" if kind.endswith("ParenR") else "." if "Period" in kind else "-" if kind.endswith("Minus") else "")
