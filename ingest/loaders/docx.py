"""Word documents: what a person sees on paper, in the order in which it stands.

Read from the XML itself, since python-docx passes over much that is seen (tracked insertions, notes, text boxes, content
controls, list numbers). Deleted text is left out; a header or footer comes once, not once a page.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.loaders.docx_text import Line, Story, mark_deleted
from ingest.loaders.numbering import Numbering
from ingest.loaders.ooxml import Package, alternatives, chart_rows, smartart_lines
from ingest.loaders.parsed import Block, Builder, Parsed, counted, table_rows
from ingest.loaders.xmltree import Element, attribute, child, children, descendants, local

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_WRAPPERS = {"ins", "moveTo", "customXml", "smartTag", "sdtContent"}


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    level: int | None
    list_id: str
    list_level: str
    base: str


def load(path: Path) -> Parsed:
    with Package(path, "Word document") as package:
        part = package.main("word/document.xml")
        reader = _Reader(package, part)
        builder = Builder()
        for block in reader.document():
            builder.add(block)
        builder.note(counted(reader.story.pictures, "picture", "not read"))
        builder.note(counted(reader.story.objects, "embedded object", "not read"))
        return builder.parsed()


class _Reader:
    def __init__(self, package: Package, part: str) -> None:
        self.story = Story()
        self._package = package
        self._main = self._part = part
        self._styles = _styles(self._root("styles"))
        self._numbering = Numbering(self._root("numbering"))
        self._notes = {kind: _by_id(self._root(kind)) for kind in ("footnotes", "endnotes", "comments")}
        self._endnotes: list[tuple[str, str]] = []
        self._carried: list[str] = []

    def _root(self, kind: str) -> Element | None:
        return next((self._package.root(part) for part in self._package.related(self._main, kind)), None)

    def document(self) -> Iterator[Block]:
        """Everything, headers first and footers and endnotes last."""
        body = child(self._package.root(self._main), "body")
        yield from self._around(body, "header")
        yield from self._blocks(body if body is not None else [])
        if self._carried:
            yield Block("text", "".join(self._carried).strip())
        for mark, key in self._endnotes:
            yield Block("text", f"{mark} {self._note('endnotes', key)}")
        yield from self._around(body, "footer")

    def _around(self, body: Element | None, kind: str) -> Iterator[Block]:
        """Headers or footers, each text once; those for first and even pages only where the document uses them."""
        relations = self._package.relations(self._main)
        even = _on(child(self._root("settings"), "evenAndOddHeaders"))
        inherited: dict[str, str] = {}  # a section without a header of its own has the one before it
        shown: set[str] = set()
        for section in descendants(body, "sectPr"):
            for reference in children(section, f"{kind}Reference"):
                inherited[attribute(reference, "type", "default")] = attribute(reference, "id")
            used = {"default": True, "first": _on(child(section, "titlePg")), "even": even}
            for relation in [relations[key] for use, key in inherited.items() if used.get(use) and key in relations]:
                self._part = relation.target
                for block in self._blocks(self._package.root(relation.target)):
                    if block.text not in shown and not block.text.strip().isdecimal():
                        shown.add(block.text)
                        yield Block("table" if block.kind == "table" else "text", block.text)
        self._part = self._main

    def _blocks(self, elements: Iterable[Element] | None) -> Iterator[Block]:
        for element in elements if elements is not None else []:
            name = local(element)
            if name == "p":
                yield from self._paragraph(element)
            elif name == "tbl":
                yield from self._table(element)
            elif name == "sdt":
                yield from self._blocks(child(element, "sdtContent"))
            elif name in _WRAPPERS:
                yield from self._blocks(element)
            elif name == "AlternateContent":
                yield from self._blocks(alternatives(element))
            elif name == "altChunk":
                yield from self._chunk(attribute(element, "id"))

    # Paragraphs

    def _paragraph(self, paragraph: Element) -> Iterator[Block]:
        line = Line()
        line.read(paragraph, self.story)
        self.story.fields = [code for code in self.story.fields if not code]  # a field's code ends with its paragraph
        if mark_deleted(paragraph):
            self._carried += line.pieces
            line.pieces.clear()
        else:
            line.pieces[:0] = self._carried
            self._carried.clear()
            yield from self._styled(paragraph, line.text)
        for box in line.boxes:
            yield from self._blocks(box)
        for kind, key in line.graphics:
            yield from self._graphic(kind, key)
        for mark, key in line.footnotes:
            yield Block("text", f"{mark} {self._note('footnotes', key)}")
        self._endnotes += line.endnotes
        for key in line.comments:
            if (comment := self._notes["comments"].get(key)) is not None:
                yield Block("text", f"[Comment by {attribute(comment, 'author', 'a reader')}: {self._note('comments', key)}]")

    def _styled(self, paragraph: Element, text: str) -> Iterator[Block]:
        properties = child(paragraph, "pPr")
        style = _val(child(properties, "pStyle"))
        mark = self._mark(properties, style)
        if not text:
            return
        level = self._level(properties, style)
        name = self._styles[style].name.lower() if style in self._styles else ""
        if level is not None:
            yield Block("heading", f"{mark} {text}" if mark and mark != "-" else text, level)
        elif mark:
            yield Block("item", f"{mark} {text}")
        elif mark is None and name.startswith("list bullet"):
            yield Block("item", f"- {text}")
        else:
            yield Block("text", text)

    def _level(self, properties: Element | None, style: str) -> int | None:
        """The level of a heading, or None: its own outline level, else that of its style or of one that it is based on."""
        if (own := child(properties, "outlineLvl")) is not None:
            return int(_val(own)) + 1 if _val(own) in set("012345678") else None
        return next((found.level for found in self._chain(style) if found.level is not None), None)

    def _chain(self, style: str) -> Iterator[_Style]:
        seen: set[str] = set()
        while style in self._styles and style not in seen:
            seen.add(style)
            yield self._styles[style]
            style = self._styles[style].base

    def _mark(self, properties: Element | None, style: str) -> str | None:
        """What stands before a paragraph of a list, counted on; None where it is in no list."""
        own = child(properties, "numPr")
        list_id = _val(child(own, "numId"))
        level = _val(child(own, "ilvl"))
        by_style = next((found for found in self._chain(style) if found.list_id), None)
        if not list_id and by_style:
            list_id = by_style.list_id
            linked = self._numbering.level_of_style(list_id, style)
            level = level or (str(linked) if linked is not None else by_style.list_level)
        if not list_id or list_id == "0":
            return "" if list_id else None
        return self._numbering.next(list_id, int(level) if level.isdecimal() else 0)

    def _note(self, kind: str, key: str) -> str:
        note = self._notes[kind].get(key)
        return " ".join(block.text for block in self._blocks(note)).strip()

    # Tables, drawings and foreign parts

    def _table(self, table: Element) -> Iterator[Block]:
        """A table of one column is a frame around its text; any other becomes rows."""
        rows = [list(_unwrapped(row, "tc")) for row in _unwrapped(table, "tr") if child(row, "trPr", "del") is None]
        if all(len(row) < 2 for row in rows):
            for row in rows:
                for cell in row:
                    yield from self._blocks(cell)
        elif text := table_rows([[text for cell in row for text in self._cell(cell)] for row in rows]):
            yield Block("table", text)

    def _cell(self, cell: Element) -> list[str]:
        """A cell's text, and blanks for the further columns that it spans. The lower parts of a merged cell are blank."""
        span = _val(child(cell, "tcPr", "gridSpan"))
        merge = child(cell, "tcPr", "vMerge")
        lower = merge is not None and attribute(merge, "val", "continue") == "continue"
        blocks = list(self._blocks(cell))
        text = "" if lower else " ".join(block.flat for block in blocks)
        return [text, *[""] * (min(int(span), 100) - 1 if span.isdecimal() else 0)]

    def _graphic(self, kind: str, key: str) -> Iterator[Block]:
        relation = self._package.relations(self._part).get(key)
        root = self._package.root(relation.target) if relation else None
        if kind == "smartart":
            for text in smartart_lines(root):
                yield Block("item", f"- {text}")
            return
        title, rows = chart_rows(root)
        if title:
            yield Block("text", title)
        if rows:
            yield Block("table", table_rows(rows))

    def _chunk(self, key: str) -> Iterator[Block]:
        """A piece in another format that Word would take in at opening; programs write HTML so."""
        relation = self._package.relations(self._part).get(key)
        if relation and relation.target in self._package.zipped:
            data = self._package.zipped.read(relation.target)
            if b"<" in data[:200]:
                from ingest.loaders import html

                yield Block("text", html.parse(data).text)


def _unwrapped(element: Element, name: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, also those inside content controls and tracked insertions."""
    for inner in element:
        if local(inner) == name:
            yield inner
        elif local(inner) == "sdt":
            content = child(inner, "sdtContent")
            yield from _unwrapped(content, name) if content is not None else ()
        elif local(inner) in _WRAPPERS:
            yield from _unwrapped(inner, name)


def _styles(root: Element | None) -> dict[str, _Style]:
    found = {}
    for style in children(root, "style"):
        properties = child(style, "pPr")
        name = _val(child(style, "name"))
        outline = _val(child(properties, "outlineLvl"))
        heading = _HEADING.match(name)
        level = int(outline) + 1 if outline in set("012345678") else int(heading[1]) if heading else None
        if name.lower() == "title":
            level = 1
        numbers = child(properties, "numPr")
        list_id, list_level = _val(child(numbers, "numId")), _val(child(numbers, "ilvl"))
        found[attribute(style, "styleId")] = _Style(name, level, list_id, list_level, _val(child(style, "basedOn")))
    return found


def _by_id(root: Element | None) -> dict[str, Element]:
    return {attribute(item, "id"): item for item in (root if root is not None else [])}


def _val(element: Element | None) -> str:
    return "" if element is None else attribute(element, "val")


def _on(switch: Element | None) -> bool:
    return switch is not None and attribute(switch, "val", "1") not in ("0", "false", "off")
