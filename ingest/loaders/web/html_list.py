"""What stands before an item of an HTML list: a dash, or the number that a browser would draw."""

import re
from typing import Any

from bs4 import Tag

from ingest.loaders.office.numbering import written
from ingest.loaders.web.html_marks import BLANK, one_line
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
_CONTENT = re.compile(r"""("[^"]*"|'[^']*')|\bcounter(s?)\(([^)]*)\)""")
_STYLES |= dict.fromkeys(("disc", "circle", "square"), "bullet")

WORD_LIST = re.compile(r"mso-list\s*:\s*(ignore|\S+\s+level([1-9]))", re.IGNORECASE)
"""A paragraph that Word knows as an item of a list, and the mark that it drew before it."""
_GOOGLE_LIST = re.compile(r"lst-kix_.*-([1-8])")
"""Google writes a list in a list as one of its own, its level in its class."""


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
        drawn = self._styles.counter(item) if style == "none" else ""
        if drawn:
            return self._drawn(drawn, item)
        if style == "bullet" or (style == "none" and not ordered):
            return "- "
        number = written(self._number(item), style)
        return f"{number}. " if number else ""

    def _number(self, item: Tag) -> int:
        parent = item.parent
        assert parent is not None
        if id(parent) not in self._numbers:
            self._numbers[id(parent)] = self._count(parent)
        return self._numbers[id(parent)].get(id(item), 1)

    def _drawn(self, content: str, item: Tag) -> str:
        """The mark that a style sheet draws: `"(" counter(item, lower-latin) ") "`, or `counters(item, ".")` for 2.1."""
        mark = ""
        for text, several, arguments in _CONTENT.findall(content):
            style = next((_STYLES[name] for name in re.split(r"[\s,]+", arguments)[1:] if name in _STYLES), "decimal")
            around = [tag for tag in item.parents if tag.name == "li"] if several else []
            numbers = [written(self._number(one), style) for one in (*reversed(around), item)]
            mark += ".".join(numbers) if arguments else text[1:-1]
        return f"{mark.strip()} "

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


def word_mark(text: str) -> str:
    """What Word and Outlook write before an item of a list, whose bullet is a letter in some font."""
    mark = one_line(text)
    return f"{mark} " if len(mark) > 1 and any(map(str.isalnum, mark)) else "- "


def google_depth(el: Tag) -> int:
    """How deep in others a list stands, as its class says."""
    return next((int(level[1]) for level in map(_GOOGLE_LIST.fullmatch, el.get_attribute_list("class")) if level), 0)


def indented(text: str, first: int = 0) -> str:
    """`first` is how deep the first line stands; the others stand as deep, those of an item at least below its text."""
    return BLANK * 2 * first + re.sub(r"\n(?=[^\n|])", "\n" + BLANK * 2 * max(first, 1), text)
