"""What a Word document's styles say of paragraphs and runs: heading levels, lists, and how a run's characters look.

A run's property is its own, else its character style's, else its paragraph style's, else the document's default; a style has
what it is based on has.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.loaders.web.xmltree import Element, attribute, child, children, integer, local

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


@dataclass(frozen=True, slots=True)
class Look:
    """Of a run: `rise` is 1 for a superscript, -1 for a subscript; the size is in half points."""

    hidden: bool
    rise: int
    size: int
    font: str
    other_font: str
    """Of all that isn't ASCII."""


class Styles:
    """All styles of a document, by their ids."""

    def __init__(self, root: Element | None) -> None:
        self._styles = {attribute(style, "styleId"): _style(style) for style in children(root, "style")}
        found = (style for style in children(root, "style") if attribute(style, "type") == "paragraph" and is_on(style, "default"))
        self._default = next((attribute(style, "styleId") for style in found), "")
        self._defaults = child(root, "docDefaults", "rPrDefault", "rPr")
        self._found: dict[tuple[str, str, str], Element | None] = {}
        self._hiding: dict[tuple[str, str], bool] = {}

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

    def look(self, run: Element | None, style: str, around: int = 0) -> Look:
        """How a run looks, given its own properties, its paragraph's style and the size of the text on the line (0: unknown)."""
        own = {} if run is None else {local(one): one for one in run}
        character = val(own.get("rStyle"))

        def found(name: str) -> Element | None:
            return own[name] if name in own else self._styled(name, character, style)

        size = _integer(found("sz"), 20)
        if not around and "position" in own:
            around = _integer(self._styled("sz", "", style), 20)
        fonts = found("rFonts")
        latin, other = ("", "") if fonts is None else (attribute(fonts, "ascii"), attribute(fonts, "hAnsi"))
        hidden = switched_on(own["vanish"]) if "vanish" in own else self._hidden(character, style)
        rise = _rise(val(found("vertAlign")), _integer(found("position"), 0), size < (around or size) * _SMALLER)
        return Look(hidden, rise, size, latin or other, other or latin)

    def _styled(self, name: str, character: str, style: str) -> Element | None:
        """A property that a run has by its styles or by default."""
        key = (name, character, style)
        if key not in self._found:
            own = (self._of_style(name, one) for one in (character, style))
            self._found[key] = next((one for one in own if one is not None), child(self._defaults, name))
        return self._found[key]

    def _of_style(self, name: str, style: str) -> Element | None:
        return next((found for one in self.chain(style) if (found := child(one.run, name)) is not None), None)

    def _hidden(self, character: str, style: str) -> bool:
        """A switch that both its character and its paragraph style turn on is off, as in Word."""
        if (character, style) not in self._hiding:
            by_style = [switched_on(self._of_style("vanish", one)) for one in (character, style)]
            default = switched_on(child(self._defaults, "vanish"))
            self._hiding[character, style] = by_style[0] != by_style[1] or (default and not any(by_style))
        return self._hiding[character, style]


def _rise(aligned: str, shift: int, smaller: bool) -> int:
    if aligned in ("superscript", "subscript"):
        return 1 if aligned == "superscript" else -1
    return 0 if abs(shift) < _RAISED or not smaller else 1 if shift > 0 else -1


def _integer(element: Element | None, default: int) -> int:
    return default if element is None else integer(element, "val", default)


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
