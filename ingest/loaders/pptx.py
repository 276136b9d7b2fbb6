"""PowerPoint presentations: a slide is a page, its title a heading; tables, charts, diagrams and speaker's notes too.

What a layout shows on every slide that uses it (a firm's name, say) comes once, with the first of them.
"""

from collections.abc import Iterable
from pathlib import Path

from ingest.loaders.numbering import written
from ingest.loaders.ooxml import Package, alternatives, chart_rows, drawing_lines, smartart_lines
from ingest.loaders.parsed import Builder, Parsed, counted, table_rows
from ingest.loaders.xmltree import Element, attribute, child, children, descendants, integer, local

_TITLES = {"title", "ctrTitle"}
_REPEATED = {"ftr", "dt", "hdr"}
_NUMBER_STYLES = {"arabic": "decimal", "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}


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
        self._part = ""

    def parsed(self) -> Parsed:
        part = self._package.main("ppt/presentation.xml")
        relations = self._package.relations(part)
        slides = list(descendants(self._package.root(part), "sldId"))
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
        self._builder.note(counted(self._unread, "chart or diagram", "not read"))
        return self._builder.parsed()

    def _slide(self, part: str, root: Element) -> None:
        self._part = part
        found = child(root, "cSld", "spTree")
        tree = list(found) if found is not None else []
        titles = [shape for shape in tree if _placeholder(shape) in _TITLES]
        for shape in titles:
            self._builder.heading(1, " ".join(drawing_lines(child(shape, "txBody"))))
        self._shapes(shape for shape in tree if shape not in titles)
        if root.get("showMasterSp") not in ("0", "false"):
            for layout in self._package.related(part, "slideLayout"):
                self._behind(layout)
        for notes in self._package.related(part, "notesSlide"):
            self._notes(notes)
        for comments in self._package.related(part, "comments"):
            for comment in descendants(self._package.root(comments), "cm"):
                text = " ".join(inner.text or "" for inner in descendants(comment, "text")) or " ".join(drawing_lines(comment))
                self._builder.block(f"[Comment: {text}]" if text.strip() else "")

    def _behind(self, part: str) -> None:
        """What a layout and its master show themselves, each once in the presentation; their placeholders show nothing."""
        root = self._package.root(part)
        if part in self._shown or root is None:
            return
        self._shown.add(part)
        self._part = part
        pictures = self._pictures, self._objects
        shapes = child(root, "cSld", "spTree")
        self._shapes(shape for shape in (shapes if shapes is not None else []) if not _placeholder(shape))
        self._pictures, self._objects = pictures  # a layout's pictures are ornament
        if root.get("showMasterSp") not in ("0", "false"):
            for master in self._package.related(part, "slideMaster"):
                self._behind(master)

    def _notes(self, part: str) -> None:
        for shape in descendants(self._package.root(part), "sp"):
            if _placeholder(shape) == "body" and (lines := list(filter(None, drawing_lines(child(shape, "txBody"))))):
                self._builder.block("Notes: " + "\n".join(lines))

    def _shapes(self, shapes: Iterable[Element]) -> None:
        for shape in shapes:
            match local(shape):
                case "sp" if _placeholder(shape) != "sldNum":
                    self._text(shape)
                case "grpSp":
                    self._shapes(shape)
                case "AlternateContent":
                    self._shapes(alternatives(shape))
                case "graphicFrame":
                    self._frame(shape)
                case "pic":
                    self._pictures += 1

    def _text(self, shape: Element) -> None:
        text = "\n".join(_numbered(child(shape, "txBody")))
        if _placeholder(shape) in _REPEATED:  # a date or footer stands on every slide
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


def _placeholder(shape: Element) -> str:
    """What a placeholder is for: title, body, ftr, ...; empty for a shape of one's own."""
    for names in (("nvSpPr", "nvPr", "ph"), ("nvPicPr", "nvPr", "ph"), ("nvGraphicFramePr", "nvPr", "ph")):
        if (found := child(shape, *names)) is not None:
            return str(found.get("type", "body"))
    return ""


def _numbered(body: Element | None) -> list[str]:
    """A text body's lines, with the numbers that PowerPoint puts before them."""
    lines = []
    counts: dict[int, int] = {}
    for paragraph, text in zip(descendants(body, "p"), drawing_lines(body), strict=True):
        properties = child(paragraph, "pPr")
        level = integer(properties, "lvl", 0) if properties is not None else 0
        auto = child(properties, "buAutoNum")
        if not text:
            continue
        counts = {deep: count for deep, count in counts.items() if deep < level or (deep == level and auto is not None)}
        if auto is not None:
            counts[level] = counts.get(level, integer(auto, "startAt", 1) - 1) + 1
            text = f"{_auto_number(counts[level], auto.get('type', 'arabicPeriod'))} {text}"
        elif child(properties, "buChar") is not None:
            text = f"- {text}"
        lines.append(text)
    return lines


def _auto_number(number: int, kind: str) -> str:
    style = next((style for name, style in _NUMBER_STYLES.items() if kind.startswith(name)), "decimal")
    text = written(number, style)
    return (
        f"({text})" if kind.endswith("ParenBoth") else f"{text})" if kind.endswith("ParenR") else f"{text}." if "Period" in kind else text
    )


def _cell(cell: Element) -> str:
    """A cell's text; the parts of a merged cell other than its first are blank."""
    merged = cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true")
    return "" if merged else " ".join(drawing_lines(child(cell, "txBody")))
