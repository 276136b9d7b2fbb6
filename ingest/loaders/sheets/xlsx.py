"""Excel workbooks: each sheet a heading, its cells as they are shown, as tables that end where a row is empty.

Read row by row from the XML: a sheet of 200,000 rows is a stream, and cells come with the number format they are shown in,
which openpyxl leaves to its caller.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from lxml import etree

from ingest.loaders.linear import raised
from ingest.loaders.office.ooxml import Package, chart_rows, drawing_lines
from ingest.loaders.office.symbols import in_font, is_symbol_font
from ingest.loaders.parsed import Builder, LoadError, Parsed, counted, table_rows
from ingest.loaders.sheets.format_codes import BUILT_IN
from ingest.loaders.sheets.number_format import general, render, render_text
from ingest.loaders.sheets.sheet import Row, add_tables
from ingest.loaders.web.xmltree import SAFE, Element, attribute, child, children, descendants, integer, local
from ingest.loaders.zipped import FAULTS

_COLUMN = re.compile(r"[A-Za-z]{1,3}")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def load(path: Path) -> Parsed:
    with Package(path, "Excel workbook") as package:
        return _Workbook(package).parsed()


class _Workbook:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._builder = Builder()
        self._part = package.main("xl/workbook.xml")
        self._root = package.root(self._part)
        self._strings = self._shared_strings()
        styles = next((package.root(part) for part in package.related(self._part, "styles")), None)
        self._formats, self._fonts = self._cell_formats(styles), self._cell_fonts(styles)
        properties = child(self._root, "workbookPr")
        self._epoch_1904 = properties is not None and attribute(properties, "date1904") in ("1", "true")
        self._formulas = self._pictures = self._rows_hidden = self._columns_hidden = self._cells_hidden = 0
        self._filled = False

    def parsed(self) -> Parsed:
        relations = self._package.relations(self._part)
        hidden = missing = 0
        for sheet in descendants(child(self._root, "sheets"), "sheet"):
            if sheet.get("state", "visible") != "visible":
                hidden += 1
                continue
            key = next((str(value) for name, value in sheet.items() if name.endswith("}id")), "")
            relation = relations.get(key)
            self._builder.heading(1, sheet.get("name", ""))
            if relation is None or relation.target not in self._package.zipped:
                missing += 1
                continue
            if relation.kind == "worksheet":
                self._filled |= add_tables(self._builder, self._rows(relation.target))
            self._beside(relation.target)
        self._builder.note(counted(hidden, "hidden sheet", "left out"))
        self._builder.note(counted(self._rows_hidden, "hidden row", "left out"))
        self._builder.note(counted(self._columns_hidden, "hidden column", "left out"))
        self._builder.note(counted(self._cells_hidden, "cell", "hidden by a number format left out"))
        self._builder.note(counted(missing, "sheet", "missing from the file"))
        self._builder.note(counted(self._formulas, "formula", "without a value: the file was never opened in Excel"))
        self._builder.note(counted(self._pictures, "picture", "not read"))
        parsed = self._builder.parsed()
        return parsed if self._filled else Parsed("", notes=parsed.notes)  # names of sheets alone are no text

    # Cells

    def _rows(self, part: str) -> Iterator[tuple[int, Row]]:
        """A sheet's rows that can be seen, without the columns that can't; no gap is left where rows are hidden."""
        number, unseen, columns = 0, 0, _Columns()
        row: Row
        with self._package.zipped.open(part) as stream:
            for element in _stream(stream, "row", "cols"):
                space, _, name = element.tag.rpartition("}")
                if name == "cols":
                    columns = _Columns(element)
                    continue
                number = integer(element, "r", number + 1)
                column, row = -1, {}
                space += "}" * bool(space)
                for cell in element.iterchildren(f"{space}c"):
                    column = _column(cell.get("r", "").rstrip("0123456789"), column + 1)
                    if text := self._cell(cell, space).strip():
                        row[column] = text
                if _is_hidden(element, "ht"):
                    self._rows_hidden += bool(row)
                    unseen += 1
                else:
                    yield number - unseen, columns.seen(row)
        self._columns_hidden += columns.left_out

    def _cell(self, cell: Element, space: str) -> str:
        kind = cell.get("t", "n")
        style = cell.get("s", "0")
        style_number = int(style) if style.isdecimal() else 0
        code, font = self._formats.get(style_number, ""), self._fonts.get(style_number, "")
        if kind == "inlineStr":
            return self._shown(_string(child(cell, "is")), code, font)
        value: str = cell.findtext(f"{space}v") or ""
        if not value:
            formula = child(cell, "f")
            if formula is None or not formula.text or kind == "str":
                return ""
            self._formulas += 1
            return f"={formula.text}"
        if kind == "s":
            return self._shown(self._strings[int(value)] if value.isdecimal() and int(value) < len(self._strings) else "", code, font)
        if kind == "b":
            return "TRUE" if value.strip() in ("1", "true") else "FALSE"
        if kind != "n":
            return self._shown(_unescaped(value), code, font)
        try:
            number = float(value)
        except ValueError:
            return value
        shown = render(number, code, self._epoch_1904) if code else general(number)
        self._cells_hidden += not shown and number != 0
        return shown

    def _shown(self, text: str, code: str, font: str) -> str:
        """A text under its cell's format, in its cell's font."""
        shown = in_font(render_text(text, code) if code else text, font)
        self._cells_hidden += not shown and bool(text.strip())
        return shown

    # What lies beside the cells

    def _beside(self, part: str) -> None:
        before = len(self._builder)
        threads = self._package.related(part, "threadedComment")
        for comments in threads or self._package.related(part, "comments"):
            root = self._package.root(comments)
            for comment in [*descendants(root, "threadedComment"), *descendants(root, "comment")]:
                text = _string(child(comment, "text"))
                self._builder.block(f"[Comment on {attribute(comment, 'ref')}: {text}]" if text.strip() else "")
        for drawing in self._package.related(part, "drawing"):
            root = self._package.root(drawing)
            relations = self._package.relations(drawing)
            for shape in descendants(root, "sp"):
                self._builder.block("\n".join(filter(None, drawing_lines(child(shape, "txBody")))))
            for chart in descendants(root, "chart"):
                if (relation := relations.get(attribute(chart, "id"))) is not None:
                    title, rows = chart_rows(self._package.root(relation.target))
                    self._builder.block(title)
                    self._builder.block(table_rows(rows) if "chartsheet" in part else "")  # elsewhere its figures are cells
            self._pictures += sum(1 for _ in descendants(root, "pic"))
        self._filled |= len(self._builder) > before

    # Tables that cells refer to

    def _shared_strings(self) -> list[str]:
        strings = []
        for part in self._package.related(self._part, "sharedStrings"):
            with self._package.zipped.open(part) as stream:
                strings += [_string(element) for element in _stream(stream, "si")]
        return strings

    def _cell_fonts(self, root: Element | None) -> dict[int, str]:
        """Symbol fonts by a cell's style."""
        fonts = [next((attribute(name, "val") for name in children(font, "name")), "") for font in children(child(root, "fonts"), "font")]
        uses = [integer(style, "fontId", 0) for style in children(child(root, "cellXfs"), "xf")]
        return {number: fonts[use] for number, use in enumerate(uses) if 0 <= use < len(fonts) and is_symbol_font(fonts[use])}

    def _cell_formats(self, root: Element | None) -> dict[int, str]:
        """Format codes by a cell's style; styles that show a number as it is are left out."""
        codes = dict(BUILT_IN)
        for own in descendants(child(root, "numFmts"), "numFmt"):
            codes[integer(own, "numFmtId", 0)] = attribute(own, "formatCode")
        uses = [integer(style, "numFmtId", 0) for style in children(child(root, "cellXfs"), "xf")]
        return {number: codes[use] for number, use in enumerate(uses) if codes.get(use, "General") != "General"}


class _Columns:
    """Which columns of a sheet can't be seen, and how many of those hold anything."""

    def __init__(self, element: Element | None = None) -> None:
        hidden = (column for column in children(element, "col") if _is_hidden(column, "width"))
        self._spans = [range(integer(column, "min", 1) - 1, integer(column, "max", 0)) for column in hidden]
        self._filled: set[int] = set()

    def seen(self, row: Row) -> Row:
        if not self._spans:
            return row
        unseen = {column for column in row if any(column in span for span in self._spans)}
        self._filled |= unseen
        return {column: text for column, text in row.items() if column not in unseen}

    @property
    def left_out(self) -> int:
        return len(self._filled)


def _is_hidden(element: Element, size: str) -> bool:
    """Whether a row or a column is hidden, or has no height or width."""
    return element.get("hidden") in ("1", "true") or element.get(size) in ("0", "0.0")


def _stream(stream: object, *names: str) -> Iterator[Element]:
    """Elements of these names, each forgotten once it has been used."""
    try:
        for _, element in etree.iterparse(stream, events=("end",), tag=[f"{{*}}{name}" for name in names], **SAFE):
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except (etree.XMLSyntaxError, *FAULTS) as error:
        raise LoadError(f"its XML is damaged ({str(error)[:100]})") from error


def _string(element: Element | None) -> str:
    """A cell's text, its raised figures as people type them; the readings above Japanese words are left out."""
    if element is None:
        return ""
    if not len(element):
        return _unescaped(element.text or "")
    out = ""
    for text in descendants(element, "t"):
        if local(text.getparent()) != "rPh":
            size, font = (child(text.getparent(), "rPr", name) for name in ("vertAlign", "rFont"))
            written = in_font(_unescaped(text.text or ""), "" if font is None else attribute(font, "val"))
            out += raised(written, out) if size is not None and size.get("val") == "superscript" else written
    return out


def _unescaped(text: str) -> str:
    """Excel writes control characters as _x000D_."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


@lru_cache(maxsize=4096)
def _column(letters: str, otherwise: int) -> int:
    if not _COLUMN.fullmatch(letters):
        return otherwise
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1
