"""PowerPoint presentations: a slide is a page, its title a heading; shapes by their place on it; tables, charts, speaker's notes too.

What a layout shows on every slide that uses it (a firm's name, say) comes once, with the first of them.
"""

from pathlib import Path

from ingest.loaders.office.ooxml import Package, alternatives, chart_rows, drawing_lines, smartart_lines
from ingest.loaders.office.pptx_master import TITLES, Master, is_hidden, purpose
from ingest.loaders.office.pptx_text import marked_lines
from ingest.loaders.office.reading_order import reading_order
from ingest.loaders.parsed import Builder, Parsed, counted, table_rows
from ingest.loaders.web.xmltree import Element, attribute, child, children, descendants, local

_REPEATED = {"ftr", "dt", "hdr"}


def load(path: Path) -> Parsed:
    with Package(path, "PowerPoint presentation") as package:
        return _Deck(package).parsed()


class _Deck:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._builder = Builder()
        self._shown: set[str] = set()
        self._pictures = 0
        self._objects = 0
        self._unread = 0
        self._invisible = 0
        self._part = ""
        self._presentation: Element | None = None
        self._masters: dict[str, Master] = {}
        self._master: Master

    def parsed(self) -> Parsed:
        part = self._package.main("ppt/presentation.xml")
        relations = self._package.relations(part)
        self._presentation = self._package.root(part)
        slides = list(descendants(self._presentation, "sldId"))
        hidden = missing = 0
        for number, slide in enumerate(slides, 1):
            relation = relations.get(_relation_id(slide))
            root = self._package.root(relation.target) if relation else None
            self._builder.page(number, "")
            if relation is None or root is None:
                missing += 1
                continue
            hidden += root.get("show") in ("0", "false")
            self._slide(relation.target, root)
        self._builder.note(counted(hidden, "hidden slide", "read"))
        self._builder.note(counted(missing, "slide", "missing from the file"))
        self._builder.note(counted(self._pictures, "picture", "not read"))
        self._builder.note(counted(self._objects, "embedded object", "not read"))
        self._builder.note(counted(self._invisible, "hidden shape", "left out"))
        self._builder.note(counted(self._unread, "chart or diagram", "not read"))
        return self._builder.parsed()

    def _slide(self, part: str, root: Element) -> None:
        self._part = part
        self._master = self._master_of(next(iter(self._package.related(part, "slideLayout")), ""))
        tree = _flat(child(root, "cSld", "spTree"))
        titles = [shape for shape in tree if purpose(shape) in TITLES and not is_hidden(shape)]
        for shape in titles:
            self._builder.heading(1, " ".join(drawing_lines(child(shape, "txBody"))))
        self._shapes([shape for shape in tree if shape not in titles])
        if root.get("showMasterSp") not in ("0", "false"):
            for layout in self._package.related(part, "slideLayout"):
                self._behind(layout)
        for notes in self._package.related(part, "notesSlide"):
            self._notes(notes)
        for comments in self._package.related(part, "comments"):
            for comment in descendants(self._package.root(comments), "cm"):
                text = " ".join(inner.text or "" for inner in descendants(comment, "text")) or " ".join(drawing_lines(comment))
                self._builder.block(f"[Comment: {text}]" if text.strip() else "")

    def _master_of(self, layout: str) -> Master:
        if layout not in self._masters:
            self._masters[layout] = Master(self._package, layout, self._presentation)
        return self._masters[layout]

    def _behind(self, part: str) -> None:
        """What a layout and its master show themselves, each once in the presentation; their placeholders show nothing."""
        root = self._package.root(part)
        if part in self._shown or root is None:
            return
        self._shown.add(part)
        self._part = part
        self._master = self._master_of(part)
        pictures = self._pictures, self._objects
        self._shapes([shape for shape in _flat(child(root, "cSld", "spTree")) if not purpose(shape)])
        self._pictures, self._objects = pictures  # a layout's pictures are ornament
        if root.get("showMasterSp") not in ("0", "false"):
            for master in self._package.related(part, "slideMaster"):
                self._behind(master)

    def _notes(self, part: str) -> None:
        for shape in descendants(self._package.root(part), "sp"):
            if purpose(shape) == "body" and (lines := list(filter(None, drawing_lines(child(shape, "txBody"))))):
                self._builder.block("Notes: " + "\n".join(lines))

    def _shapes(self, shapes: list[Element]) -> None:
        seen = [shape for shape in shapes if not is_hidden(shape)]
        self._invisible += sum(bool(_has_text(shape)) for shape in shapes if is_hidden(shape))
        written = [shape for shape in seen if _has_text(shape)]  # empty ones would only stand in the way of an order
        for number in reading_order([self._master.box(shape) for shape in written]):
            self._shape(written[number])
        self._pictures += sum(local(shape) == "pic" for shape in seen)

    def _shape(self, shape: Element) -> None:
        match local(shape):
            case "sp" if purpose(shape) != "sldNum":
                self._text(shape)
            case "grpSp":
                self._shapes(_flat(shape))
            case "graphicFrame":
                self._frame(shape)

    def _text(self, shape: Element) -> None:
        text = "\n".join(marked_lines(child(shape, "txBody"), lambda level: self._master.paragraph_styles(shape, level)))
        if purpose(shape) in _REPEATED:  # a date or footer stands on every slide
            if text in self._shown:
                return
            self._shown.add(text)
        self._builder.block(text)

    def _frame(self, frame: Element) -> None:
        for table in descendants(frame, "tbl"):
            self._builder.block(table_rows([[_cell(cell) for cell in children(row, "tc")] for row in children(table, "tr")]))
        for chart in descendants(frame, "chart"):
            title, rows = chart_rows(self._related_root(attribute(chart, "id")))
            self._builder.block(title)
            self._builder.block(table_rows(rows))
            self._unread += not rows
        for diagram in descendants(frame, "relIds"):
            lines = smartart_lines(self._related_root(attribute(diagram, "dm")))
            self._builder.block("\n".join(f"- {line}" for line in lines))
            self._unread += not lines
        for data in descendants(frame, "graphicData"):
            self._objects += data.get("uri", "").endswith("/ole")

    def _related_root(self, key: str) -> Element | None:
        relation = self._package.relations(self._part).get(key)
        return self._package.root(relation.target) if relation else None


def _relation_id(slide: Element) -> str:
    """The r:id of a slide, which has an id of its own without a namespace too."""
    return next((str(value) for key, value in slide.items() if key.endswith("}id")), "")


def _flat(shapes: Element | None) -> list[Element]:
    """Shapes of a tree or group, the first of each choice between alternatives."""
    found = []
    for shape in shapes if shapes is not None else []:
        found += alternatives(shape) if local(shape) == "AlternateContent" else [shape]
    return found


def _has_text(shape: Element) -> bool:
    """Whether a shape, or one of its group, has something to read or to count."""
    return local(shape) in ("graphicFrame", "grpSp") or any((text.text or "").strip() for text in descendants(shape, "t"))


def _cell(cell: Element) -> str:
    """A cell's text; the parts of a merged cell other than its first are blank."""
    merged = cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true")
    return "" if merged else " ".join(drawing_lines(child(cell, "txBody")))
