"""The characters of a Word paragraph that a reader sees, and the things that hang on it: notes, boxes, pictures."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingest.loaders.linear import lifted, settled
from ingest.loaders.office import field_code, omml
from ingest.loaders.office.docx_styles import Look, Styles, is_on, switched_on, val
from ingest.loaders.office.numbering import written
from ingest.loaders.office.ooxml import alternatives
from ingest.loaders.office.symbols import in_font, symbol
from ingest.loaders.web.xmltree import Element, attribute, child, children, integer, local

_UNSEEN = {"del", "moveFrom", "delText", "delInstrText", "pPr", "rPr", "sdtPr", "rt", "sectPr", "tcPr", "fldData"}
"""What was deleted or moved away, and properties. `rt` is the reading above a Chinese or Japanese word."""
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011"}


@dataclass(slots=True)
class Field:
    """A field that is open: in its code, which isn't seen, or in its result."""

    in_code: bool = True
    code: str = ""
    instead: str = ""
    """What a form's field shows where it has no result: the choice made, or the text that stood in it first."""
    has_result: bool = False


@dataclass(slots=True)
class Story:
    """What counts on through a whole document: note numbers, fields that are open, what isn't read."""

    styles: Styles
    footnotes: int = 0
    endnotes: int = 0
    footnote_style: str = "decimal"
    endnote_style: str = "lowerRoman"
    fields: list[Field] = field(default_factory=list)
    pictures: int = 0
    objects: int = 0
    hidden: int = 0


@dataclass(slots=True)
class Line:
    """One paragraph: its text, and in the order in which they are met what else it brings along."""

    style: str
    pieces: list[str] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    graphics: list[tuple[str, str]] = field(default_factory=list)
    footnotes: list[tuple[str, str]] = field(default_factory=list)
    endnotes: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    size: int = 0
    """Of the letters on the line, in half points; 0 where none came yet."""
    in_hidden: bool = False

    @property
    def text(self) -> str:
        return settled("".join(self.pieces)).strip()

    def read(self, elements: Iterable[Element], story: Story) -> None:
        """Adds what is seen of the elements, in order."""
        for element in elements:
            name = local(element)
            if name in _UNSEEN:
                continue
            if name == "r":
                self._run(element, story)
            elif name == "AlternateContent":
                self.read(alternatives(element), story)
            elif name in ("oMath", "oMathPara"):
                self._put(omml.linear(element), story)
            elif name == "fldSimple":
                story.fields.append(Field(False, attribute(element, "instr")))
                self.read(element, story)
                self._end_field(story)
            elif name == "txbxContent":
                self.boxes.append(element)
            elif name in ("drawing", "pict", "object"):
                self._graphic(element, story)
            else:
                self.read(element, story)

    def _put(self, text: str, story: Story) -> None:
        """Text that is seen unless it stands in a field's code."""
        if text and not any(one.in_code for one in story.fields):
            self.pieces.append(text)
            for one in story.fields:
                one.has_result = True

    # Runs

    def _run(self, run: Element, story: Story) -> None:
        properties = child(run, "rPr")
        look = story.styles.look(properties, self.style, self.size)
        if look.hidden and not self.in_hidden and any((text.text or "").strip() for text in children(run, "t")):
            story.hidden += not any(one.in_code for one in story.fields)
        self.in_hidden = look.hidden
        self.size = self.size if look.rise else look.size
        self._inside(run, story, look)

    def _inside(self, run: Iterable[Element], story: Story, look: Look) -> None:
        custom = ""  # a note whose mark is the author's own follows it in the run
        for element in run:
            name = local(element)
            if name == "fldChar":
                self._field(element, story)
            elif name == "instrText" and story.fields:
                story.fields[-1].code += element.text or ""
            elif look.hidden or name in _UNSEEN:
                continue
            elif name in ("t", "sym") or name in _SIGNS:
                text = _symbol(element) if name == "sym" else _SIGNS.get(name) or _signs(element.text or "", look)
                self._put(lifted(text, look.rise), story)
                if custom and not any(one.in_code for one in story.fields):
                    notes = self.footnotes if custom == "footnoteReference" else self.endnotes
                    notes[-1] = (notes[-1][0] + text.strip(), notes[-1][1])
            elif name in ("footnoteReference", "endnoteReference"):
                custom = name if is_on(element, "customMarkFollows") else ""
                self._note(element, name, bool(custom), story)
            elif name == "commentReference":
                self.comments.append(attribute(element, "id"))
            elif name == "AlternateContent":
                self._inside(alternatives(element), story, look)
            else:
                self.read([element] if name in ("drawing", "pict", "object", "txbxContent") else element, story)

    def _note(self, element: Element, name: str, custom: bool, story: Story) -> None:
        if any(one.in_code for one in story.fields):
            return
        mark = ""
        if not custom and name == "footnoteReference":
            story.footnotes += 1
            mark = f"[{written(story.footnotes, story.footnote_style)}]"
        elif not custom:
            story.endnotes += 1
            mark = f"[{written(story.endnotes, story.endnote_style)}]"
        self._put(mark, story)
        (self.footnotes if name == "footnoteReference" else self.endnotes).append((mark, attribute(element, "id")))

    # Fields

    def _field(self, element: Element, story: Story) -> None:
        match attribute(element, "fldCharType"):
            case "begin":
                form = child(element, "ffData")
                if (box := child(form, "checkBox")) is not None:
                    ticked = child(box, "checked") if child(box, "checked") is not None else child(box, "default")
                    self._put("☒" if switched_on(ticked) else "☐", story)
                story.fields.append(Field(instead=_chosen(form)))
            case "separate" if story.fields:
                story.fields[-1].in_code = False
            case "end" if story.fields:
                self._end_field(story)

    def _end_field(self, story: Story) -> None:
        ended = story.fields.pop()
        if not ended.has_result:
            self._put(ended.instead or field_code.shown(ended.code), story)

    # Drawings

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
                    self._put(attribute(inner, "string"), story)
                case _:
                    stack += reversed(list(inner))


def _chosen(form: Element | None) -> str:
    """What a drop-down or text field of a form shows by itself."""
    if (drop := child(form, "ddList")) is not None:
        entries = [val(entry) for entry in children(drop, "listEntry")]
        picked = child(drop, "result") if child(drop, "result") is not None else child(drop, "default")
        place = 0 if picked is None else integer(picked, "val", 0)
        return entries[place] if 0 <= place < len(entries) else ""
    return val(child(form, "textInput", "default"))


def _signs(text: str, look: Look) -> str:
    """What a run's text shows in its fonts."""
    if look.font == look.other_font:
        return in_font(text, look.font)
    return "".join(in_font(c, look.font if c.isascii() else look.other_font) for c in text)


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
