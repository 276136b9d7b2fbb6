"""Word documents: what a person sees on paper, in the order in which it stands.

Read from the XML itself, since python-docx passes over much that is seen (tracked insertions, notes, text boxes, content
controls, list numbers). Deleted text is left out; a header or footer comes once, not once a page.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.loaders.linear import settled
from ingest.loaders.office import docx_chunk
from ingest.loaders.office.docx_styles import Styles, mark_position, switched_on, val
from ingest.loaders.office.docx_text import Line, Story, mark_deleted
from ingest.loaders.office.nesting import Nesting
from ingest.loaders.office.numbering import Numbering
from ingest.loaders.office.ooxml import Package, alternatives, chart_rows, smartart_lines
from ingest.loaders.parsed import Block, Builder, Parsed, counted, table_rows
from ingest.loaders.web.xmltree import Element, attribute, child, children, descendants, integer, local

_WRAPPERS = {"ins", "moveTo", "customXml", "smartTag", "sdtContent"}
_WIDEST = 100
"""Columns that a cell may span, or a row leave out."""


def load(path: Path, depth: int = 0) -> Parsed:
    """`depth` is how many documents this one is put into."""
    with Package(path, "Word document") as package:
        part = package.main("word/document.xml")
        reader = _Reader(package, part, depth)
        builder = Builder()
        for block in reader.document():
            builder.add(block)
        for note in reader.notes:
            builder.note(note)
        builder.note(counted(reader.story.pictures, "picture", "not read"))
        builder.note(counted(reader.story.objects, "embedded object", "not read"))
        builder.note(counted(reader.story.hidden, "hidden passage", "left out"))
        builder.note(counted(reader.hidden_rows, "hidden row", "left out"))
        return builder.parsed()


class _Reader:
    def __init__(self, package: Package, part: str, depth: int) -> None:
        self._package = package
        self._main = self._part = part
        self._depth = depth
        self._styles = Styles(self._root("styles"))
        self._numbering = Numbering(self._root("numbering"))
        self._nesting = Nesting()
        self._notes = {kind: _by_id(self._root(kind)) for kind in ("footnotes", "endnotes", "comments")}
        self._endnotes: list[tuple[str, str]] = []
        self._carried: list[str] = []
        self.story = Story(self._styles)
        self.notes: list[str] = []
        self.hidden_rows = 0
        settings = self._root("settings")
        self._even = switched_on(child(settings, "evenAndOddHeaders"))
        for kind in ("footnote", "endnote"):
            properties = child(settings, f"{kind}Pr")
            if (style := val(child(properties, "numFmt"))) and style != "bullet":
                setattr(self.story, f"{kind}_style", style)
            if (start := child(properties, "numStart")) is not None:
                setattr(self.story, f"{kind}s", integer(start, "val", 1) - 1)

    def _root(self, kind: str) -> Element | None:
        return next((self._package.root(part) for part in self._package.related(self._main, kind)), None)

    def document(self) -> Iterator[Block]:
        """Everything, headers first and footers and endnotes last."""
        body = child(self._package.root(self._main), "body")
        yield from self._around(body, "header")
        yield from self._whole(body)
        for mark, key in self._endnotes:
            yield self._marked_note("endnotes", mark, key)
        yield from self._around(body, "footer")

    def _around(self, body: Element | None, kind: str) -> Iterator[Block]:
        """Headers or footers, each text once; those for first and even pages only where the document uses them."""
        relations = self._package.relations(self._main)
        inherited: dict[str, str] = {}  # a section without a header of its own has the one before it
        shown: set[str] = set()
        for section in descendants(body, "sectPr"):
            for reference in children(section, f"{kind}Reference"):
                inherited[attribute(reference, "type", "default")] = attribute(reference, "id")
            used = {"default": True, "first": switched_on(child(section, "titlePg")), "even": self._even}
            for relation in [relations[key] for use, key in inherited.items() if used.get(use) and key in relations]:
                self._part = relation.target
                for block in self._blocks(self._package.root(relation.target)):
                    if block.text not in shown and not block.text.strip().isdecimal():
                        shown.add(block.text)
                        yield Block("table" if block.kind == "table" else "text", block.text)
        self._part = self._main

    def _whole(self, elements: Iterable[Element] | None) -> Iterator[Block]:
        """Blocks of a story or cell, at whose end a paragraph ends, hidden mark or not."""
        outer, self._carried = self._carried, []
        yield from self._blocks(elements)
        if rest := settled("".join(self._carried)).strip():
            yield Block("text", rest)
        self._carried = outer

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
                yield from docx_chunk.blocks(self._package, self._part, attribute(element, "id"), self._depth, self.notes)

    # Paragraphs

    def _paragraph(self, paragraph: Element) -> Iterator[Block]:
        properties = child(paragraph, "pPr")
        style = self._styles.of_paragraph(properties)
        line = Line(style)
        line.read(paragraph, self.story)
        self.story.fields = [field for field in self.story.fields if not field.in_code]  # a field's code ends with its paragraph
        if mark_deleted(paragraph) or self._mark_hidden(properties, style):
            self._carried += line.pieces
            line.pieces.clear()
        else:
            line.pieces[:0] = self._carried
            self._carried.clear()
            yield from self._styled(properties, style, line.text)
        for box in line.boxes:
            yield from self._whole(box)
        for kind, key in line.graphics:
            yield from self._graphic(kind, key)
        for mark, key in line.footnotes:
            yield self._marked_note("footnotes", mark, key)
        self._endnotes += line.endnotes
        for key in line.comments:
            if (comment := self._notes["comments"].get(key)) is not None:
                yield Block("text", f"[Comment by {attribute(comment, 'author', 'a reader')}: {self._note('comments', key)}]")

    def _mark_hidden(self, properties: Element | None, style: str) -> bool:
        """Whether a paragraph's end is hidden, so that the next one goes on from it; a style separator only joins their lines."""
        mark = child(properties, "rPr")
        return self._styles.look(mark, style).hidden and child(mark, "specVanish") is None

    def _styled(self, properties: Element | None, style: str, text: str) -> Iterator[Block]:
        list_id, list_level = self._list(properties, style)
        listed = list_id not in ("", "0")
        mark = self._numbering.next(list_id, list_level) if listed else None
        if not text:
            return
        level = self._level(properties, style)
        name = self._styles.name(style)
        indents = (child(properties, "ind"), self._numbering.indent(list_id, list_level), *self._style_indents(style))
        if level is not None:
            self._nesting.heading(self._numbering.list_of(list_id), list_level)
            yield Block("heading", f"{mark} {text}" if mark and mark != "-" else text, level)
        elif mark or (not list_id and name.startswith("list bullet")):
            further = int(name[-1]) - 1 if name[-1:].isdecimal() else 0
            key = self._numbering.list_of(list_id)
            depth = self._nesting.item(key or "bullets", list_level if listed else further, mark_position(indents))
            yield Block("item", f"{mark or '-'} {text}", depth)
        else:
            self._nesting.text(mark_position(indents))
            yield Block("text", text)

    def _style_indents(self, style: str) -> Iterator[Element | None]:
        return (child(found.paragraph, "ind") for found in self._styles.chain(style))

    def _level(self, properties: Element | None, style: str) -> int | None:
        """The level of a heading, or None: its own outline level, else that of its style or of one that it is based on."""
        if (own := child(properties, "outlineLvl")) is not None:
            return int(val(own)) + 1 if val(own) in set("012345678") else None
        return next((found.level for found in self._styles.chain(style) if found.level is not None), None)

    def _list(self, properties: Element | None, style: str) -> tuple[str, int]:
        """The list that a paragraph is in, and its level there; "" where it is in none, "0" where it was taken out of one."""
        own = child(properties, "numPr")
        list_id, level = val(child(own, "numId")), val(child(own, "ilvl"))
        by_style = next((found for found in self._styles.chain(style) if found.list_id), None)
        if not list_id and by_style:
            list_id = by_style.list_id
            linked = self._numbering.level_of_style(list_id, style)
            level = level or (str(linked) if linked is not None else by_style.list_level)
        return list_id, int(level) if level.isdecimal() else 0

    def _marked_note(self, kind: str, mark: str, key: str) -> Block:
        """A note under its mark; one of the author's own may stand before the note already."""
        text = self._note(kind, key)
        return Block("text", text if not mark or text.startswith(mark) else f"{mark} {text}")

    def _note(self, kind: str, key: str) -> str:
        note = self._notes[kind].get(key)
        return " ".join(block.text for block in self._whole(note)).strip()

    # Tables, drawings and foreign parts

    def _table(self, table: Element) -> Iterator[Block]:
        """A table of one column is a frame around its text; any other becomes rows."""
        rows = [row for row in _unwrapped(table, "tr") if child(row, "trPr", "del") is None]
        seen = [row for row in rows if not switched_on(child(row, "trPr", "hidden"))]
        self.hidden_rows += len(rows) - len(seen)
        cells = [[cell for cell in _unwrapped(row, "tc") if child(cell, "tcPr", "cellDel") is None] for row in seen]
        self._nesting.heading()
        if all(len(row) < 2 for row in cells) and not any(_left_out(row) for row in seen):
            for row in cells:
                for cell in row:
                    yield from self._whole(cell)
        elif text := table_rows([self._row(row, inside) for row, inside in zip(seen, cells, strict=True)]):
            yield Block("table", text)
        self._nesting.heading()

    def _row(self, row: Element, cells: list[Element]) -> list[str]:
        """A row's texts, each under its header: blanks stand for the columns that it leaves out before and after."""
        texts = [text for cell in cells for text in self._cell(cell)]
        return [*[""] * _left_out(row, "gridBefore"), *texts, *[""] * _left_out(row, "gridAfter")]

    def _cell(self, cell: Element) -> list[str]:
        """A cell's text, and blanks for the further columns that it spans. The lower parts of a merged cell are blank."""
        properties = child(cell, "tcPr")
        span = child(properties, "gridSpan")
        merges = [child(properties, name) for name in ("vMerge", "hMerge")]
        blank = any(merge is not None and attribute(merge, "val", "continue") == "continue" for merge in merges)
        text = " ".join(block.flat for block in self._whole(cell))
        further = 0 if span is None else max(0, min(integer(span, "val", 1), _WIDEST) - 1)
        return ["" if blank else text, *[""] * further]

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


def _left_out(row: Element, *names: str) -> int:
    """Columns that a row leaves out at its ends."""
    found = [child(row, "trPr", name) for name in names or ("gridBefore", "gridAfter")]
    return sum(max(0, min(integer(one, "val", 0), _WIDEST)) for one in found if one is not None)


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


def _by_id(root: Element | None) -> dict[str, Element]:
    return {attribute(item, "id"): item for item in (root if root is not None else [])}
