"""The numbers of OpenDocument's lists and headings, which its styles describe and nobody wrote down."""

from collections.abc import Iterable

from ingest.loaders.office.number_words import STYLES
from ingest.loaders.office.numbering import written
from ingest.loaders.office.odf_place import length
from ingest.loaders.office.symbols import TICKS, in_font
from ingest.loaders.web.xmltree import Element, attribute, child, children, descendants, integer, local

_STYLES = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}


class Lists:
    """Counters of a document's lists, by style, and of its numbered headings."""

    def __init__(self, roots: Iterable[Element]) -> None:
        self._levels: dict[str, dict[int, Element]] = {}
        self._outline: dict[int, Element] = {}
        self._counts: dict[int, int] = {}
        self._id = ""
        self._ended: dict[str, dict[int, int]] = {}
        self._headings: dict[int, int] = {}
        for root in roots:
            for style in descendants(root, "list-style"):
                self._levels[attribute(style, "name")] = _by_level(style)
            for style in descendants(root, "outline-style"):
                self._outline = _by_level(style)

    def begin(self, element: Element, style: str, level: int) -> None:
        """Starts a list, or goes on where one of its style, or the one that it names, ended. Nested lists count on with it."""
        if level > 1:
            return
        self._id = attribute(element, "id")
        if other := attribute(element, "continue-list"):
            self._counts = dict(self._ended.get(f"#{other}", self._ended.get(style, {})))
        elif attribute(element, "continue-numbering") == "true":
            self._counts = dict(self._ended.get(style, {}))
        else:
            self._counts = {}

    def next(self, item: Element, style: str, level: int) -> str:
        """Counts an item and gives what stands before it; empty where its style shows nothing there."""
        definition = self._levels.get(style, {}).get(level)
        start = attribute(item, "start-value") or (
            "" if level in self._counts or definition is None else attribute(definition, "start-value")
        )
        self._counts = {depth: count for depth, count in self._counts.items() if depth <= level}
        self._counts[level] = int(start) if start.isdecimal() and len(start) < 10 else self._counts.get(level, 0) + 1
        self._ended[style] = self._ended[f"#{self._id}"] = self._counts
        if definition is None:
            return "-"
        if local(definition) == "list-level-style-number":
            return _mark(definition, self._levels[style], self._counts, level)
        properties = child(definition, "text-properties")
        font = "" if properties is None else attribute(properties, "font-family") or attribute(properties, "font-name")
        sign = in_font(attribute(definition, "bullet-char"), font.strip("'\""))
        return sign if sign and sign in TICKS else "-"

    def indent(self, style: str, level: int) -> int:
        """Twentieths of a point by which the items of a level stand in from the margin; 0 where its style doesn't say."""
        place = self._levels.get(style, {}).get(level)
        properties = child(place, "list-level-properties")
        aligned = child(properties, "list-level-label-alignment")
        margin = attribute(aligned, "margin-left") if aligned is not None else ""
        return (length(margin) or 0) // 635

    def numbers_headings(self, level: int) -> bool:
        return bool(attribute(self._outline[level], "num-format")) if level in self._outline else False

    def heading(self, element: Element, level: int) -> str:
        """Counts a heading and gives its number; empty where headings have none."""
        if attribute(element, "is-list-header") == "true":
            return ""
        self._headings = {depth: count for depth, count in self._headings.items() if depth <= level}
        self._headings[level] = self._headings.get(level, 0) + 1
        definition = self._outline.get(level)
        if definition is None or not attribute(definition, "num-format"):
            return ""
        return _mark(definition, self._outline, self._headings, level)


def _by_level(style: Element) -> dict[int, Element]:
    kinds = ("list-level-style-number", "list-level-style-bullet", "list-level-style-image", "outline-level-style")
    return {integer(level, "level", 1): level for kind in kinds for level in children(style, kind)}


def _style(format: str) -> str:
    """Word's name of a style of numbers, which OpenDocument tells by its first ones: "i", "First", "一, 二, 三, ..."; "" for none."""
    first, _, rest = format.partition(", ")
    if first[:1] == "0":
        return "0" * len(first)
    second = rest.partition(", ")[0]
    alike = (name for name in STYLES if written(1, name) == first and (not second or written(2, name) == second))
    return _STYLES.get(format) or next(alike, "decimal" if format else "")


def _mark(definition: Element, levels: dict[int, Element], counts: dict[int, int], level: int) -> str:
    shown = integer(definition, "display-levels", 1)
    numbers = []
    for depth in range(max(1, level - shown + 1), level + 1):
        style = _style(attribute(levels[depth], "num-format")) if depth in levels else ""
        if style:
            numbers.append(written(counts.get(depth, 1), style))
    return f"{attribute(definition, 'num-prefix')}{'.'.join(numbers)}{attribute(definition, 'num-suffix')}".strip()
