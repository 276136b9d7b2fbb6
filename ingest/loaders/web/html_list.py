"""What stands before an item of an HTML list: a dash, or the number that a browser would draw."""

from typing import Any

from bs4 import Tag

from ingest.loaders.office.numbering import written
from ingest.loaders.web.html_style import Styles

_STYLES = {
    "a": "lowerLetter",
    "A": "upperLetter",
    "i": "lowerRoman",
    "I": "upperRoman",
    "1": "decimal",
    "none": "none",
    "decimal": "decimal",
}
_STYLES |= {"lower-alpha": "lowerLetter", "lower-latin": "lowerLetter", "upper-alpha": "upperLetter", "upper-latin": "upperLetter"}
_STYLES |= {"lower-roman": "lowerRoman", "upper-roman": "upperRoman", "decimal-leading-zero": "decimalZero"}
_STYLES |= dict.fromkeys(("disc", "circle", "square"), "bullet")


class Markers:
    """Of the lists of one page."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._numbers: dict[int, dict[int, int]] = {}

    def of(self, item: Tag) -> str:
        parent = item.parent
        assert parent is not None
        said = [name for tag in (item, parent) for name in (*self._styles.of(tag).numbers.split(), str(tag.get("type", "")))]
        ordered = parent.name == "ol"
        style = next((_STYLES[name] for name in said if name in _STYLES), "decimal" if ordered else "bullet")
        if style == "bullet" or (style == "none" and not ordered):
            return "- "
        if id(parent) not in self._numbers:
            self._numbers[id(parent)] = self._count(parent)
        number = written(self._numbers[id(parent)].get(id(item), 1), style)
        return f"{number}. " if number else ""

    def _count(self, parent: Tag) -> dict[int, int]:
        items = [
            item for item in parent.find_all("li", recursive=False) if not item.has_attr("hidden") and not self._styles.of(item).hidden
        ]
        step = -1 if parent.has_attr("reversed") else 1
        number = _integer(parent.get("start"), len(items) if step < 0 else 1)
        numbers = {}
        for item in items:
            number = numbers[id(item)] = _integer(item.get("value"), number)
            number += step
        return numbers


def _integer(value: Any, default: int) -> int:
    text = str(value).strip()
    return int(text) if len(text) < 10 and text.isascii() and text.removeprefix("-").isdecimal() else default
