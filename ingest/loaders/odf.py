"""OpenDocument (odt, ods, odp, as LibreOffice writes them): what a person sees, from content.xml and the page styles."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.loaders.odf_lists import Lists
from ingest.loaders.parsed import Block, Builder, LoadError, Parsed, counted, table_rows
from ingest.loaders.sheet import Row, add_tables
from ingest.loaders.xmltree import Element, attribute, child, children, descendants, integer, local, parse
from ingest.loaders.zipped import Zipped

_UNSEEN = {"tracked-changes", "notes", "forms", "sequence-decls", "variable-decls", "user-field-decls", "desc", "title", "event-listeners"}
"""`tracked-changes` keeps what was deleted."""
_GROUPS = {"table-header-rows", "table-rows", "table-row-group", "table-header-columns"}
_WIDEST = 1000
"""Columns up to which a repeated cell is written out: sheets end with one that is repeated to the last of 16,384."""


def load(path: Path) -> Parsed:
    with Zipped(path, "OpenDocument file") as zipped:
        return _Document(zipped).parsed()


class _Document:
    def __init__(self, zipped: Zipped) -> None:
        self._zipped = zipped
        if "META-INF/manifest.xml" in zipped and b"encryption-data" in zipped.read("META-INF/manifest.xml"):
            raise LoadError("encrypted: it opens with a password only")
        if "content.xml" not in zipped:
            raise LoadError("not a readable OpenDocument file: its content is missing")
        self._content = parse(zipped.read("content.xml"))
        self._styles = parse(zipped.read("styles.xml")) if "styles.xml" in zipped else None
        self._lists = Lists([root for root in (self._styles, self._content) if root is not None])
        self._builder = Builder()
        self._after: list[Block] = []
        self._endnotes: list[Block] = []
        self._pictures = self._objects = 0

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
        parsed = self._builder.parsed()
        return parsed if filled else Parsed("", notes=parsed.notes)

    def _add(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._builder.add(block)

    # Text

    def _around(self, kind: str) -> Iterator[Block]:
        """Headers or footers of the page styles, each text once."""
        shown: set[str] = set()
        for page in descendants(self._styles, "master-page"):
            for name in (kind, f"{kind}-first", f"{kind}-left"):
                for part in children(page, name):
                    for block in self._blocks(part) if attribute(part, "display") != "false" else []:
                        if block.text not in shown and not block.text.isdecimal():
                            shown.add(block.text)
                            yield block

    def _blocks(self, elements: Iterable[Element]) -> Iterator[Block]:
        for element in elements:
            name = local(element)
            if name in _UNSEEN or attribute(element, "display") == "none":
                continue
            if name == "p":
                yield from self._with_rest(Block("text", self._text(element).strip()))
            elif name == "h":
                level = integer(element, "outline-level", 1)
                title = f"{self._lists.heading(element, level)} {self._text(element)}".strip()
                yield from self._with_rest(Block("heading", title, min(level, 9)))
            elif name == "list":
                yield from self._list(element, 1, "")
            elif name == "table":
                yield from self._table(element)
            elif name in ("frame", "g", "a", "custom-shape", "rect", "ellipse", "line", "polygon", "path", "connector"):
                yield from self._shape(element)
            else:  # sections, indexes, text boxes
                yield from self._blocks(element)

    def _with_rest(self, block: Block) -> Iterator[Block]:
        """A paragraph, then what was anchored in it: notes, boxes, comments."""
        after, self._after = self._after, []
        if block.text:
            yield block
        yield from after

    def _text(self, element: Element) -> str:
        pieces = [element.text or ""]
        for inner in element:
            match local(inner):
                case "s":
                    pieces.append(" " * min(integer(inner, "c", 1), 1000))
                case "tab":
                    pieces.append("\t")
                case "line-break":
                    pieces.append("\n")
                case "note":
                    pieces.append(self._note(inner))
                case "annotation":
                    author = "".join(name.text or "" for name in children(inner, "creator")) or "a reader"
                    text = " ".join(self._text(paragraph) for paragraph in descendants(inner, "p"))
                    self._after.append(Block("text", f"[Comment by {author}: {text}]"))
                case "frame" | "g" | "custom-shape" | "rect" | "ellipse":
                    after, self._after = self._after, []
                    blocks = list(self._shape(inner))
                    self._after = after + blocks
                case "ruby-text" | "tracked-changes" | "desc":
                    pass
                case _ if isinstance(inner.tag, str):
                    pieces.append(self._text(inner))
            pieces.append(inner.tail or "")
        return "".join(pieces)

    def _note(self, note: Element) -> str:
        mark = f"[{''.join(citation.text or '' for citation in children(note, 'note-citation'))}]"
        body = child(note, "note-body")
        after, self._after = self._after, []
        text = " ".join(block.flat for block in self._blocks(body if body is not None else []))
        self._after = after
        notes = self._endnotes if attribute(note, "note-class") == "endnote" else self._after
        notes.append(Block("text", f"{mark} {text}"))
        return mark

    def _list(self, element: Element, level: int, style: str) -> Iterator[Block]:
        style = attribute(element, "style-name") or style
        self._lists.begin(element, style, level)
        for item in element:
            mark = self._lists.next(item, style, level) if local(item) == "list-item" else ""
            for inner in item:
                if local(inner) == "list":
                    yield from self._list(inner, level + 1, style)
                    continue
                for block in self._blocks([inner]):
                    marked = block.kind == "text" and mark
                    yield Block("item", f"{mark} {block.text}") if marked else block
                    mark = "" if marked else mark

    # Tables

    def _table(self, table: Element) -> Iterator[Block]:
        rows = [[text for cell in _cells(row) for text in self._cell(cell)] for row, count in _rows(table) for _ in range(min(count, 50))]
        if all(len(row) < 2 for row in rows):  # a frame around text
            for row, _ in _rows(table):
                for cell in _cells(row):
                    yield from self._blocks(cell)
        elif text := table_rows(rows):
            yield Block("table", text)

    def _cell(self, cell: Element) -> list[str]:
        count = min(integer(cell, "number-columns-repeated", 1), _WIDEST)
        if local(cell) == "covered-table-cell":
            return [""] * count
        return [" ".join(block.flat for block in self._blocks(cell))] * count

    def _spreadsheet(self, body: Element) -> bool:
        filled = False
        hidden = {attribute(style, "name") for style in descendants(self._content, "style") if _hides(style)}
        tables = list(children(body, "table"))
        for table in tables:
            self._builder.heading(1, attribute(table, "name"))
            before = len(self._builder)
            filled |= add_tables(self._builder, self._sheet_rows(table))
            self._add(self._after)
            self._after.clear()
            self._add(block for shapes in children(table, "shapes") for block in self._blocks(shapes))
            filled |= len(self._builder) > before
        self._builder.note(counted(sum(attribute(table, "style-name") in hidden for table in tables), "hidden sheet", "read"))
        return filled

    def _sheet_rows(self, table: Element) -> Iterator[tuple[int, Row]]:
        number = 0
        for element, count in _rows(table):
            row: Row = {}
            column = 0
            for cell in _cells(element):
                repeated = integer(cell, "number-columns-repeated", 1)
                text = "\n".join(self._text(paragraph) for paragraph in children(cell, "p")) if len(cell) else ""
                self._after += [block for note in children(cell, "annotation") for block in self._comment(note)]
                if text.strip() and local(cell) == "table-cell":
                    row |= dict.fromkeys(range(column, column + min(repeated, _WIDEST)), text)
                column += repeated
            for copy in range(count if row and count < 10000 else 1):
                yield number + copy + 1, row
            number += count

    def _comment(self, note: Element) -> Iterator[Block]:
        yield Block("text", f"[Comment: {' '.join(self._text(paragraph) for paragraph in children(note, 'p'))}]")

    # Slides and shapes

    def _presentation(self, body: Element) -> None:
        masters = {attribute(page, "name"): page for page in descendants(self._styles, "master-page")}
        for number, page in enumerate(children(body, "page"), 1):
            self._builder.page(number, "")
            shapes = [shape for shape in page if local(shape) not in _UNSEEN]
            titles = [shape for shape in shapes if attribute(shape, "class") == "title"]
            for shape in titles:
                self._builder.heading(1, " ".join(block.text for block in self._shape(shape)))
            self._add(self._blocks(shape for shape in shapes if shape not in titles))
            master = masters.pop(attribute(page, "master-page-name"), None)
            if master is not None:  # what stands on every slide comes once, with the first
                self._add(self._blocks(shape for shape in master if local(shape) != "notes" and not attribute(shape, "class")))
            for notes in children(page, "notes"):
                text = "\n".join(block.text for block in self._blocks(notes) if block.text)
                self._builder.block(f"Notes: {text}" if text else "")

    def _shape(self, shape: Element) -> Iterator[Block]:
        if attribute(shape, "class") in ("page-number", "page") or attribute(shape, "placeholder") == "true":
            return
        objects = list(children(shape, "object"))
        for inner in objects:
            yield from self._object(attribute(inner, "href"))
        self._objects += sum(1 for _ in children(shape, "object-ole"))
        self._pictures += not objects and child(shape, "image") is not None
        for inner in shape:
            if local(inner) not in ("object", "object-ole", "image", "enhanced-geometry"):
                yield from self._blocks([inner])

    def _object(self, place: str) -> Iterator[Block]:
        """A chart is its title and the table that it draws; other objects aren't read."""
        name = f"{place.removeprefix('./')}/content.xml"
        chart = next(descendants(parse(self._zipped.read(name)), "chart"), None) if name in self._zipped else None
        table = next(descendants(chart, "table"), None)
        if table is None:
            self._objects += 1
            return
        yield from (Block("text", self._text(paragraph)) for title in children(chart, "title") for paragraph in children(title, "p"))
        yield from self._table(table)


def _rows(table: Element) -> Iterator[tuple[Element, int]]:
    """A table's rows, and how often each is repeated."""
    for element in table:
        if local(element) == "table-row":
            yield element, integer(element, "number-rows-repeated", 1)
        elif local(element) in _GROUPS:
            yield from _rows(element)


def _cells(row: Element) -> Iterator[Element]:
    return (cell for cell in row if local(cell) in ("table-cell", "covered-table-cell"))


def _hides(style: Element) -> bool:
    return any(attribute(properties, "display") == "false" for properties in children(style, "table-properties"))
