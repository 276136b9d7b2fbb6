"""OpenDocument (odt, ods, odp, as LibreOffice writes them): what a person sees, from content.xml and the page styles."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.loaders.linear import lifted, settled
from ingest.loaders.office.nesting import Nesting
from ingest.loaders.office.odf_lists import Lists
from ingest.loaders.office.odf_objects import Objects
from ingest.loaders.office.odf_place import box_of
from ingest.loaders.office.odf_sheet import WIDEST, Sheets, cells_of, is_collapsed, table_rows_of
from ingest.loaders.office.odf_styles import Look, Looks, control_text, field_mark, is_hidden
from ingest.loaders.office.reading_order import reading_order
from ingest.loaders.office.symbols import in_font
from ingest.loaders.parsed import Block, Builder, LoadError, Parsed, counted, table_rows
from ingest.loaders.sheets.sheet import add_tables
from ingest.loaders.web.xmltree import Element, attribute, child, children, descendants, integer, local, parse
from ingest.loaders.zipped import Zipped

_UNSEEN = {"tracked-changes", "notes", "forms", "sequence-decls", "variable-decls", "user-field-decls", "desc", "title", "event-listeners"}
"""`tracked-changes` keeps what was deleted."""
_SHAPES = {"frame", "g", "a", "custom-shape", "rect", "ellipse", "line", "polygon", "path", "connector"}
_ON_LINE = {"frame", "g", "custom-shape", "rect", "ellipse"}
"""Shapes that may stand in a paragraph."""


def load(path: Path) -> Parsed:
    with Zipped(path, "OpenDocument file") as zipped:
        return _Document(zipped).parsed()


class _Document:
    def __init__(self, zipped: Zipped) -> None:
        if "META-INF/manifest.xml" in zipped and b"encryption-data" in zipped.read("META-INF/manifest.xml"):
            raise LoadError("encrypted: save it without a password")
        if "content.xml" not in zipped:
            raise LoadError("not a readable OpenDocument file: its content is missing")
        self._content = parse(zipped.read("content.xml"))
        self._styles = parse(zipped.read("styles.xml")) if "styles.xml" in zipped else None
        roots = [root for root in (self._styles, self._content) if root is not None]
        self._lists = Lists(roots)
        self._nesting = Nesting()
        self._embedded = Objects(zipped)
        self._looks = Looks(roots)
        self._controls = {attribute(one, "id"): one for form in descendants(self._content, "form") for one in form.iter("{*}*")}
        self._builder = Builder()
        self._after: list[Block] = []
        self._endnotes: list[Block] = []
        self._pictures = self._objects = self._hidden = self._hidden_rows = 0

    def parsed(self) -> Parsed:
        body = child(self._content, "body")
        kind = next((element for element in (body if body is not None else []) if isinstance(element.tag, str)), None)
        filled = True
        match local(kind) if kind is not None else "":
            case "spreadsheet":
                filled = self._spreadsheet(kind)
            case "presentation" | "drawing":
                self._presentation(kind)
            case _:
                self._add(self._around("header"))
                self._add(self._blocks(kind if kind is not None else []))
                self._add(self._endnotes)
                self._add(self._around("footer"))
        self._builder.note(counted(self._pictures, "picture", "not read"))
        self._builder.note(counted(self._objects, "embedded object", "not read"))
        self._builder.note(counted(self._hidden, "hidden passage", "left out"))
        self._builder.note(counted(self._hidden_rows, "hidden row", "left out"))
        parsed = self._builder.parsed()
        return parsed if filled else Parsed("", notes=parsed.notes)

    def _add(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._builder.add(block)

    # Text

    def _around(self, kind: str) -> Iterator[Block]:
        """Headers or footers of the page styles, each text once."""
        shown: set[str] = set()
        looks, self._looks = self._looks, Looks([self._styles] if self._styles is not None else [])  # its T1 is not the text's T1
        for page in descendants(self._styles, "master-page"):
            for name in (kind, f"{kind}-first", f"{kind}-left"):
                for part in children(page, name):
                    for block in self._blocks(part) if attribute(part, "display") != "false" else []:
                        if block.text not in shown and not block.text.isdecimal():
                            shown.add(block.text)
                            yield block
        self._looks = looks

    def _blocks(self, elements: Iterable[Element]) -> Iterator[Block]:
        for element in elements:
            name = local(element)
            if name in _UNSEEN or not name:
                continue
            if name != "list" and local(element.getparent()) != "list-item":
                self._nesting.heading()
            if is_hidden(element) or any(is_hidden(field) for field in children(element, "hidden-paragraph")):
                self._hidden += 1
            elif name == "p":
                yield from self._with_rest(Block("text", self._line(element)))
            elif name == "h":
                level = integer(element, "outline-level", 1)
                title = f"{self._lists.heading(element, level)} {self._line(element)}".strip()
                yield from self._with_rest(Block("heading", title, min(level, 9)))
            elif name == "list":
                yield from self._list(element, 1, "")
            elif name == "table":
                yield from self._table(element)
            elif name == "annotation":
                yield self._comment(element)
            elif name == "control":
                yield Block("text", control_text(self._controls.get(attribute(element, "control"))))
            elif name in _SHAPES:
                yield from self._shape(element)
            else:  # sections, indexes, text boxes
                yield from self._blocks(element)

    def _with_rest(self, block: Block) -> Iterator[Block]:
        """A paragraph, then what was anchored in it: notes, boxes, comments."""
        after, self._after = self._after, []
        if block.text:
            yield block
        yield from after

    def _line(self, paragraph: Element) -> str:
        """A paragraph's text."""
        return settled(self._text(paragraph, self._looks.of(paragraph, "paragraph", Look()))).strip()

    def _text(self, element: Element, look: Look) -> str:
        """What is seen of text that looks some way, raised figures still marked."""
        pieces = [self._seen(element.text, look)]
        self._hidden += look.hidden and bool((element.text or "").strip())
        for inner in element:
            if isinstance(inner.tag, str):
                pieces.append(self._inner(inner, look))
            pieces.append(self._seen(inner.tail, look))
        return "".join(pieces)

    def _seen(self, text: str | None, look: Look) -> str:
        return "" if look.hidden or not text else lifted(in_font(text, look.font), look.rise)

    def _inner(self, inner: Element, look: Look) -> str:
        name = local(inner)
        if name in ("span", "a"):
            return self._text(inner, self._looks.of(inner, "text", look))
        if look.hidden or name in ("ruby-text", "tracked-changes", "desc", "hidden-paragraph"):
            return ""
        match name:
            case "s":
                return " " * min(integer(inner, "c", 1), 1000)
            case "tab":
                return "\t"
            case "line-break":
                return "\n"
            case "note":
                return self._note(inner)
            case "annotation":
                self._after.append(self._comment(inner))
                return ""
            case "control":
                return control_text(self._controls.get(attribute(inner, "control")))
            case "fieldmark" | "fieldmark-start":
                return field_mark(inner)
            case "hidden-text":
                self._hidden += is_hidden(inner)
                return "" if is_hidden(inner) else self._text(inner, look)
        if name in _ON_LINE:
            if (formulas := self._embedded.formulas(inner)) is not None:
                return formulas
            after, self._after = self._after, []
            blocks = list(self._shape(inner))
            self._after = after + blocks
            return ""
        return self._text(inner, look)

    def _comment(self, note: Element) -> Block:
        author = "".join(name.text or "" for name in children(note, "creator")) or "a reader"
        return Block("text", f"[Comment by {author}: {' '.join(self._line(paragraph) for paragraph in descendants(note, 'p'))}]")

    def _note(self, note: Element) -> str:
        citation = child(note, "note-citation")
        shown = "" if citation is None else "".join(citation.itertext())
        mark = shown if citation is not None and attribute(citation, "label") else f"[{shown}]"
        body = child(note, "note-body")
        after, self._after = self._after, []
        text = " ".join(block.flat for block in self._blocks(body if body is not None else []))
        self._after = after
        notes = self._endnotes if attribute(note, "note-class") == "endnote" else self._after
        notes.append(Block("text", text if text.startswith(mark) else f"{mark} {text}"))
        return mark

    def _list(self, element: Element, level: int, style: str) -> Iterator[Block]:
        first = next((inner for item in element for inner in item if local(inner) in ("p", "h")), None)
        style = attribute(element, "style-name") or style or (self._looks.list_style(first) if first is not None else "")
        self._lists.begin(element, style, level)
        for item in element:
            counted_here = local(item) == "list-item" and any(local(inner) in ("p", "h", "table") for inner in item)
            mark = self._lists.next(item, attribute(item, "style-override") or style, level) if counted_here else ""
            for inner in item:
                if local(inner) == "list":
                    yield from self._list(inner, level + 1, style)
                    continue
                for block in self._blocks([inner]):
                    marked = mark and block.kind == "text"
                    depth = self._nesting.item(style, level - 1, self._lists.indent(style, level)) if marked else 0
                    if mark and block.kind == "heading" and mark != "-" and not self._lists.numbers_headings(block.level):
                        block, mark = Block("heading", f"{mark} {block.text}", block.level), ""
                    yield Block("item", f"{mark} {block.text}", depth) if marked else block
                    mark = "" if marked else mark

    # Tables

    def _table(self, table: Element) -> Iterator[Block]:
        shown = [(row, count) for row, count in table_rows_of(table) if not is_collapsed(row)]
        self._hidden_rows += sum(count for row, count in table_rows_of(table) if is_collapsed(row))
        rows = [[text for cell in cells_of(row) for text in self._cell(cell)] for row, count in shown for _ in range(min(count, 50))]
        if all(len(row) < 2 for row in rows):  # a frame around text
            for row, _ in shown:
                for cell in cells_of(row):
                    yield from self._blocks(cell)
        elif text := table_rows(rows):
            yield Block("table", text)

    def _cell(self, cell: Element) -> list[str]:
        count = min(integer(cell, "number-columns-repeated", 1), WIDEST)
        if local(cell) == "covered-table-cell":
            return [""] * count
        return [" ".join(block.flat for block in self._blocks(cell))] * count

    def _spreadsheet(self, body: Element) -> bool:
        filled = False
        hidden = {attribute(style, "name") for style in descendants(self._content, "style") if _hides(style)}
        tables = list(children(body, "table"))
        shown = [table for table in tables if attribute(table, "style-name") not in hidden]
        sheets = Sheets(self._line)
        for table in shown:
            self._builder.heading(1, attribute(table, "name"))
            before = len(self._builder)
            filled |= add_tables(self._builder, sheets.rows(table))
            self._add(self._after)
            self._after.clear()
            self._add(Block("text", comment) for comment in sheets.comments)
            sheets.comments.clear()
            self._add(block for shapes in children(table, "shapes") for block in self._blocks(shapes))
            filled |= len(self._builder) > before
        self._builder.note(counted(len(tables) - len(shown), "hidden sheet", "left out"))
        self._builder.note(counted(sheets.hidden_rows, "hidden row", "left out"))
        self._builder.note(counted(sheets.hidden_columns, "hidden column", "left out"))
        return filled

    # Slides and shapes

    def _presentation(self, body: Element) -> None:
        masters = {attribute(page, "name"): page for page in descendants(self._styles, "master-page")}
        for number, page in enumerate(children(body, "page"), 1):
            self._builder.page(number, "")
            shapes = [shape for shape in page if local(shape) not in _UNSEEN]
            titles = [shape for shape in shapes if attribute(shape, "class") == "title"]
            for shape in titles:
                self._builder.heading(1, " ".join(block.text for block in self._shape(shape)))
            others = [shape for shape in shapes if shape not in titles]
            for place in reading_order([box_of(shape) for shape in others]):
                self._add(self._blocks([others[place]]))
            master = masters.pop(attribute(page, "master-page-name"), None)
            if master is not None:  # what stands on every slide comes once, with the first
                self._add(self._blocks(shape for shape in master if local(shape) != "notes" and not attribute(shape, "class")))
            for notes in children(page, "notes"):
                text = "\n".join(block.text for block in self._blocks(notes) if block.text)
                self._builder.block(f"Notes: {text}" if text else "")

    def _shape(self, shape: Element) -> Iterator[Block]:
        if attribute(shape, "class") in ("page-number", "page") or attribute(shape, "placeholder") == "true":
            return
        if (formulas := self._embedded.formulas(shape)) is not None:
            yield Block("text", formulas)
            return
        objects = list(children(shape, "object"))
        for inner in objects:
            yield from self._object(inner)
        self._objects += sum(1 for _ in children(shape, "object-ole"))
        self._pictures += not objects and child(shape, "table") is None and child(shape, "image") is not None
        inside = [inner for inner in shape if local(inner) not in ("object", "object-ole", "image", "enhanced-geometry")]
        order = reading_order([box_of(inner) for inner in inside]) if local(shape) == "g" else range(len(inside))
        yield from self._blocks(inside[place] for place in order)

    def _object(self, element: Element) -> Iterator[Block]:
        """A chart is its title and the table that it draws; other objects aren't read."""
        chart = self._embedded.chart(element)
        table = next(descendants(chart, "table"), None)
        if table is None:
            self._objects += 1
            return
        yield from (Block("text", self._line(paragraph)) for title in children(chart, "title") for paragraph in children(title, "p"))
        yield from self._table(table)


def _hides(style: Element) -> bool:
    return any(attribute(properties, "display") == "false" for properties in children(style, "table-properties"))
