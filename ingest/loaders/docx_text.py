"""The characters of a Word paragraph that a reader sees, and the things that hang on it: notes, boxes, pictures."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingest.loaders.numbering import roman
from ingest.loaders.ooxml import alternatives
from ingest.loaders.symbols import symbol
from ingest.loaders.xmltree import Element, attribute, child, descendants, local

_UNSEEN = {"del", "moveFrom", "delText", "instrText", "delInstrText", "pPr", "rPr", "sdtPr", "rt", "sectPr", "tcPr", "fldData"}
"""What was deleted or moved away, field codes, and properties. `rt` is the reading above a Chinese or Japanese word."""
_LEAVES = {"t", "tab", "ptab", "br", "cr", "noBreakHyphen", "sym", "footnoteReference", "endnoteReference", "commentReference"}
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011"}


@dataclass(slots=True)
class Story:
    """What counts on through a whole document: note numbers, fields that are open, what isn't read."""

    footnotes: int = 0
    endnotes: int = 0
    fields: list[bool] = field(default_factory=list)
    """Fields within fields; True while in one's code, which isn't seen, rather than in its result."""
    pictures: int = 0
    objects: int = 0


@dataclass(slots=True)
class Line:
    """One paragraph: its text, and in the order in which they are met what else it brings along."""

    pieces: list[str] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    graphics: list[tuple[str, str]] = field(default_factory=list)
    footnotes: list[tuple[str, str]] = field(default_factory=list)
    endnotes: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces).strip()

    def read(self, elements: Iterable[Element], story: Story) -> None:
        """Adds what is seen of the elements, in order."""
        for element in elements:
            name = local(element)
            if name in _UNSEEN or (name == "r" and _hidden(element)):
                continue
            if name == "fldChar":
                self._field(element, story)
            elif name == "AlternateContent":
                self.read(alternatives(element), story)
            elif name == "txbxContent":
                self.boxes.append(element)
            elif name in ("drawing", "pict", "object"):
                self._graphic(element, story)
            elif name in _LEAVES:
                if not any(story.fields):  # the code of a field isn't seen, only its result
                    self._leaf(name, element, story)
            else:
                self.read(element, story)

    def _leaf(self, name: str, element: Element, story: Story) -> None:
        if name == "t":
            self.pieces.append(element.text or "")
        elif name in _SIGNS:
            self.pieces.append(_SIGNS[name])
        elif name == "sym":
            self.pieces.append(_symbol(element))
        elif name == "footnoteReference":
            story.footnotes += 1
            self._mark(self.footnotes, f"[{story.footnotes}]", element)
        elif name == "endnoteReference":
            story.endnotes += 1
            self._mark(self.endnotes, f"[{roman(story.endnotes)}]", element)
        elif name == "commentReference":
            self.comments.append(attribute(element, "id"))

    def _mark(self, notes: list[tuple[str, str]], mark: str, element: Element) -> None:
        self.pieces.append(mark)
        notes.append((mark, attribute(element, "id")))

    def _field(self, element: Element, story: Story) -> None:
        match attribute(element, "fldCharType"):
            case "begin":
                story.fields.append(True)
                box = child(element, "ffData", "checkBox")
                if box is not None:
                    ticked = child(box, "checked") if child(box, "checked") is not None else child(box, "default")
                    self.pieces.append("☐" if ticked is None or attribute(ticked, "val", "1") in ("0", "false") else "☒")
            case "separate" if story.fields:
                story.fields[-1] = False
            case "end" if story.fields:
                story.fields.pop()

    def _graphic(self, element: Element, story: Story) -> None:
        """A drawing may hold boxes of text, charts, diagrams and pictures, grouped to any depth."""
        story.objects += local(element) == "object"
        stack = [element]
        while stack:
            inner = stack.pop()
            match local(inner):
                case "AlternateContent":
                    stack += reversed(alternatives(inner))
                case "txbxContent":
                    self.boxes.append(inner)
                case "chart":
                    self.graphics.append(("chart", attribute(inner, "id")))
                case "relIds":
                    self.graphics.append(("smartart", attribute(inner, "dm")))
                case "pic" | "imagedata":
                    story.pictures += local(element) != "object"
                case "textpath":  # WordArt
                    self.pieces.append(attribute(inner, "string"))
                case _:
                    stack += reversed(list(inner))


def _hidden(run: Element) -> bool:
    vanish = child(run, "rPr", "vanish")
    return vanish is not None and attribute(vanish, "val") not in ("0", "false", "off")


def _symbol(element: Element) -> str:
    code = attribute(element, "char")
    try:
        return symbol(attribute(element, "font"), int(code, 16))
    except ValueError:
        return ""


def mark_deleted(paragraph: Element) -> bool:
    """Whether the end of a paragraph was deleted under tracked changes, so that a reader sees the next one go on from it."""
    properties = child(paragraph, "pPr", "rPr")
    return child(properties, "del") is not None or child(properties, "moveFrom") is not None


def all_text(element: Element | None) -> str:
    """All text anywhere in an element, for parts that are read without their layout."""
    return " ".join("".join(text.text or "" for text in descendants(element, "t")).split())
