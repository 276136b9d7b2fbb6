"""List numbers as Word shows them: they aren't in the text, but follow from counters, levels and restarts."""

import re
from dataclasses import dataclass, field

from ingest.loaders.office.number_words import in_words
from ingest.loaders.office.symbols import TICKS, in_font
from ingest.loaders.web.xmltree import Element, attribute, child, children, descendants

_ROMAN = [(1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix")]
_ROMAN += [(5, "v"), (4, "iv"), (1, "i")]
_ORDINAL = {1: "st", 2: "nd", 3: "rd"}


def roman(number: int) -> str:
    """1 is i, 4 is iv."""
    text = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text


def letters(number: int) -> str:
    """1 is a, 26 is z, 27 is aa, 28 is bb: as Word counts."""
    return chr(ord("a") + (number - 1) % 26) * (1 + (number - 1) // 26)


def written(number: int, style: str) -> str:
    """A number in one of Word's styles; those that we don't know are written as figures."""
    if not 0 < number < 5000:  # a list that starts at two thousand million would fill the memory with letters
        style = "none" if style == "none" else "decimal"
    match style:
        case "lowerLetter":
            return letters(number)
        case "upperLetter":
            return letters(number).upper()
        case "lowerRoman":
            return roman(number)
        case "upperRoman":
            return roman(number).upper()
        case "decimalZero":
            return f"{number:02}"
        case _ if style[:1] == "0":  # a style of one's own, 001
            return f"{number:0{min(len(style), 9)}}"
        case "ordinal":
            return f"{number}{'th' if 10 < number % 100 < 20 else _ORDINAL.get(number % 10, 'th')}"
        case "none":
            return ""
        case _:
            return in_words(number, style) or str(number)


@dataclass(frozen=True, slots=True)
class _Level:
    style: str = "decimal"
    text: str = ""
    start: int = 1
    restart: int | None = None
    legal: bool = False
    paragraph_style: str = ""
    indent: Element | None = None


@dataclass(slots=True)
class _List:
    """A w:num: which definition it uses, and where it departs from it."""

    abstract: str
    levels: dict[int, _Level]
    starts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """All lists of a document and how far each has counted. Lists of one definition count together, as in Word."""

    def __init__(self, root: Element | None) -> None:
        abstracts = {attribute(item, "abstractNumId"): item for item in children(root, "abstractNum")}
        links = {_val(child(item, "styleLink")): item for item in abstracts.values() if child(item, "styleLink") is not None}
        self._lists: dict[str, _List] = {}
        self._counts: dict[str, dict[int, int]] = {}
        for number in children(root, "num"):
            key = _val(child(number, "abstractNumId"))
            if (abstract := abstracts.get(key)) is None:
                continue
            if (link := child(abstract, "numStyleLink")) is not None:
                abstract = links.get(_val(link), abstract)
            found = _List(attribute(abstract, "abstractNumId"), _levels(abstract))
            for override in children(number, "lvlOverride"):
                level = _number(attribute(override, "ilvl"), 0)
                found.levels |= _levels(override)
                if (start := child(override, "startOverride")) is not None:
                    found.starts[level] = _number(_val(start), 1)
            self._lists[attribute(number, "numId")] = found

    def level_of_style(self, list_id: str, style: str) -> int | None:
        """The level that a list reserves for a paragraph style (how headings are numbered)."""
        levels = self._lists[list_id].levels if list_id in self._lists else {}
        return next((number for number, level in levels.items() if style and level.paragraph_style == style), None)

    def list_of(self, list_id: str) -> str:
        """What lists that count together have in common: their definition."""
        return self._lists[list_id].abstract if list_id in self._lists else ""

    def indent(self, list_id: str, number: int) -> Element | None:
        """How far from the margin a level stands, where it says so."""
        levels = self._lists[list_id].levels if list_id in self._lists else {}
        return levels[number].indent if number in levels else None

    def next(self, list_id: str, number: int) -> str | None:
        """Counts one paragraph and gives what stands before it: "2.1", "(c)", "-" for a bullet; None for no list."""
        found = self._lists.get(list_id)
        if found is None or number not in found.levels:
            return None
        counts = self._counts.setdefault(found.abstract, {})
        level = found.levels[number]
        if number in found.starts:
            counts[number] = found.starts.pop(number) - 1  # an override restarts the list once, where it is first used
        counts[number] = counts.get(number, level.start - 1) + 1
        for deeper in [other for other in counts if other > number]:
            restart = found.levels[deeper].restart if deeper in found.levels else None
            if restart is None or number < restart:
                del counts[deeper]
        if level.style == "bullet":
            return level.text if level.text and level.text in TICKS else "-"
        return re.sub(r"%(\d)", lambda match: self._one(found, counts, int(match[1]) - 1, level), level.text).strip()

    def _one(self, found: _List, counts: dict[int, int], number: int, shown_by: _Level) -> str:
        level = found.levels.get(number, _Level())
        return written(counts.get(number, level.start), "decimal" if shown_by.legal else level.style)


def _levels(parent: Element) -> dict[int, _Level]:
    levels = {}
    for item in children(parent, "lvl"):
        style, restart, legal = _format(item), child(item, "lvlRestart"), child(item, "isLgl")
        fonts = child(item, "rPr", "rFonts")
        text = _val(child(item, "lvlText"))
        levels[_number(attribute(item, "ilvl"), 0)] = _Level(
            style=style,
            text=in_font(text, attribute(fonts, "ascii")) if style == "bullet" and fonts is not None else text,
            start=_number(_val(child(item, "start")), 0),
            restart=None if restart is None else _number(_val(restart), 0),
            legal=legal is not None and _val(legal) not in ("0", "false", "off"),
            paragraph_style=_val(child(item, "pStyle")),
            indent=child(item, "pPr", "ind"),
        )
    return levels


def _format(item: Element) -> str:
    """A level's style of numbers; one of the author's own stands among alternatives, as its first numbers: 001, 002, ..."""
    custom = next((found for found in descendants(item, "numFmt") if _val(found) == "custom"), None)
    if custom is not None and (first := attribute(custom, "format").partition(",")[0].strip()).isdecimal():
        return "0" * len(first)
    return _val(next(descendants(item, "numFmt"), None)) or "decimal"


def _val(element: Element | None) -> str:
    return "" if element is None else attribute(element, "val")


def _number(text: str, default: int) -> int:
    return int(text) if text.lstrip("-").isdecimal() else default
