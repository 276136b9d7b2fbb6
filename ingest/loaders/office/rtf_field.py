"""What RTF's fields and formulas show: a form's choices, codes without a result, Office Math."""

from dataclasses import dataclass, field

from lxml import etree

from ingest.loaders.office import field_code
from ingest.loaders.web.xmltree import Element

_UNSET = 25
"""The result of a form's field that nobody has touched."""


@dataclass(slots=True)
class Field:
    """A field while its group is open."""

    outer: "Field | None" = None
    code: str = ""
    form: int | None = None
    result: int = _UNSET
    default: int = 0
    entries: list[str] = field(default_factory=list)
    text: str = ""
    has_result: bool = False

    def take(self, word: str, number: int) -> None:
        """One of the words that describe a form's field."""
        match word:
            case "fftype":
                self.form = number
            case "ffres":
                self.result = number
            case "ffdefres":
                self.default = number

    def describe(self, kind: str, text: str) -> None:
        """One of the groups that tell what it is."""
        match kind:
            case "fldinst":
                self.code = text
            case "ffl":
                self.entries.append(text)
            case "ffdeftext":
                self.text = text

    def got_result(self) -> None:
        self.has_result = True
        if self.outer:
            self.outer.got_result()

    def shown(self) -> str:
        """What stands in its place where it has no result."""
        if self.has_result:
            return ""
        value = self.default if self.result == _UNSET else self.result
        match 1 if self.code.startswith("FORMCHECKBOX") else self.form:
            case 1:
                return "☒" if value else "☐"
            case 2:
                return self.entries[value] if 0 <= value < len(self.entries) else ""
            case 0:
                return self.text
        return field_code.shown(self.code)


def begin_formula() -> Element:
    return etree.Element("oMath")


def within(parent: Element, word: str) -> Element:
    """The part of a formula that a group begins with a word like \\mnum."""
    return etree.SubElement(parent, word[1:])


def add_text(part: Element, text: str) -> None:
    """Text of a run, or the value of a property."""
    if part.tag == "r":
        etree.SubElement(part, "t").text = text
    else:
        part.set("val", part.get("val", "") + text.strip())
