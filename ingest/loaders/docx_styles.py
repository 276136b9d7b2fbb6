"""What a Word document's styles say of paragraphs and runs: heading levels, lists, and how a run's characters look.

A run's property is its own, else its character style's, else its paragraph style's, else the document's default; a style has
what it is based on has.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.loaders.xmltree import Element, attribute, child, children, integer

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_OFF = ("0", "false", "off")
_SMALLER = 0.85
"""Of the size around it: text that stands higher and is smaller than that is a raised figure, not a shifted word."""
_RAISED = 4
"""Half points by which a raised figure stands above the line at least."""


@dataclass(frozen=True, slots=True)
class Style:
    name: str
    level: int | None
    list_id: str
    list_level: str
    base: str
    paragraph: Element | None
    run: Element | None


class Styles:
    """All styles of a document, by their ids."""

    def __init__(self, root: Element | None) -> None:
        self._styles = {attribute(style, "styleId"): _style(style) for style in children(root, "style")}
        found = (style for style in children(root, "style") if attribute(style, "type") == "paragraph" and is_on(style, "default"))
        self._default = next((attribute(style, "styleId") for style in found), "")
        self._defaults = child(root, "docDefaults", "rPrDefault", "rPr")
        self._found: dict[tuple[str, str], Element | None] = {}

    def chain(self, style: str) -> Iterator[Style]:
        """A style and those that it is based on, nearest first."""
        seen: set[str] = set()
        while style in self._styles and style not in seen:
            seen.add(style)
            yield self._styles[style]
            style = self._styles[style].base

    def of_paragraph(self, properties: Element | None) -> str:
        """The style of a paragraph with these properties."""
        return val(child(properties, "pStyle")) or self._default

    def name(self, style: str) -> str:
        return self._styles[style].name.lower() if style in self._styles else ""

    def property(self, name: str, run: Element | None, style: str) -> Element | None:
        """A property of a run, given the run's own properties and its paragraph's style."""
        own = child(run, name)
        if own is None:
            own = self._styled(name, val(child(run, "rStyle")))
        if own is None:
            own = self._styled(name, style)
        return child(self._defaults, name) if own is None else own

    def _styled(self, name: str, style: str) -> Element | None:
        if (name, style) not in self._found:
            runs = (child(one.run, name) for one in self.chain(style))
            self._found[name, style] = next((found for found in runs if found is not None), None)
        return self._found[name, style]

    def hidden(self, run: Element | None, style: str) -> bool:
        """Whether a run isn't seen. A switch that both its character and its paragraph style turn on is off, as in Word."""
        if (own := child(run, "vanish")) is not None:
            return switched_on(own)
        by_style = [switched_on(self._styled("vanish", one)) for one in (val(child(run, "rStyle")), style)]
        return (any(by_style) and not all(by_style)) or (not any(by_style) and switched_on(child(self._defaults, "vanish")))

    def font(self, run: Element | None, style: str) -> str:
        fonts = self.property("rFonts", run, style)
        return "" if fonts is None else attribute(fonts, "ascii") or attribute(fonts, "hAnsi")

    def size(self, run: Element | None, style: str) -> int:
        """In half points."""
        found = self.property("sz", run, style)
        return 20 if found is None else integer(found, "val", 20)

    def rise(self, run: Element | None, style: str, around: int) -> int:
        """1 for a superscript, -1 for a subscript, 0 on the line; `around` is the size of the text on the line."""
        match val(self.property("vertAlign", run, style)):
            case "superscript":
                return 1
            case "subscript":
                return -1
        shifted = self.property("position", run, style)
        shift = 0 if shifted is None else integer(shifted, "val", 0)
        if abs(shift) < _RAISED or self.size(run, style) > around * _SMALLER:
            return 0
        return 1 if shift > 0 else -1


def mark_position(indents: Iterable[Element | None]) -> int:
    """How far from the margin a paragraph's first line begins, in twentieths of a point; the first that says so counts."""
    told: dict[str, int] = {}
    for indent in indents:
        for name in ("left", "start", "hanging", "firstLine") if indent is not None else ():
            if attribute(indent, name):
                side = "left" if name in ("left", "start") else "first"
                told.setdefault(side, integer(indent, name, 0) * (-1 if name == "hanging" else 1))
    return told.get("left", 0) + told.get("first", 0)


def _style(style: Element) -> Style:
    properties = child(style, "pPr")
    name = val(child(style, "name"))
    outline = val(child(properties, "outlineLvl"))
    heading = _HEADING.match(name)
    level = int(outline) + 1 if outline in set("012345678") else int(heading[1]) if heading else None
    if name.lower() == "title":
        level = 1
    numbers = child(properties, "numPr")
    lists = val(child(numbers, "numId")), val(child(numbers, "ilvl"))
    return Style(name, level, *lists, val(child(style, "basedOn")), properties, child(style, "rPr"))


def val(element: Element | None) -> str:
    return "" if element is None else attribute(element, "val")


def is_on(element: Element, name: str) -> bool:
    return attribute(element, name, "0") not in _OFF


def switched_on(switch: Element | None) -> bool:
    """A switch is on by being there, unless it says otherwise."""
    return switch is not None and attribute(switch, "val", "1") not in _OFF
