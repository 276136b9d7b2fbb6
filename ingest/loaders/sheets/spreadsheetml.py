"""Excel 2003's XML workbooks, which reports and accounting programs still write, mostly under the name .xls."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ingest.loaders.linear import raised
from ingest.loaders.parsed import Builder, Parsed, counted
from ingest.loaders.sheets.number_format import general, render
from ingest.loaders.sheets.sheet import Row, add_tables
from ingest.loaders.web.xmltree import Element, attribute, child, children, descendants, integer, local, parse

_FORMATS = {
    **{"General": "", "General Number": "", "General Date": "yyyy-mm-dd h:mm", "Short Date": "yyyy-mm-dd", "Long Date": "d mmmm yyyy"},
    **{"Medium Date": "d-mmm-yy", "Long Time": "h:mm:ss", "Medium Time": "h:mm AM/PM", "Short Time": "h:mm", "Fixed": "0.00"},
    **{"Standard": "#,##0.00", "Percent": "0.00%", "Scientific": "0.00E+00", "Currency": '"$"#,##0.00;("$"#,##0.00)'},
    **{"Euro Currency": '"€"#,##0.00;("€"#,##0.00)', "Yes/No": '"Yes";"Yes";"No"', "True/False": '"True";"True";"False"'},
    **{"On/Off": '"On";"On";"Off"'},
}
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_MOST_COLUMNS = 16_384


def load(path: Path) -> Parsed:
    return _Workbook(parse(path.read_bytes())).parsed()


class _Workbook:
    def __init__(self, root: Element) -> None:
        self._root = root
        self._builder = Builder()
        self._formats = _formats(root)
        self._epoch_1904 = next(descendants(root, "Date1904"), None) is not None
        self._rows_hidden = self._columns_hidden = 0

    def parsed(self) -> Parsed:
        hidden = filled = 0
        for sheet in descendants(self._root, "Worksheet"):
            visible = child(sheet, "WorksheetOptions", "Visible")
            if visible is not None and (visible.text or "").strip() in ("SheetHidden", "SheetVeryHidden"):
                hidden += 1
                continue
            self._builder.heading(1, attribute(sheet, "Name"))
            for table in children(sheet, "Table"):
                filled += add_tables(self._builder, self._rows(table))
            for comment in descendants(sheet, "Comment"):
                text = " ".join("".join(comment.itertext()).split())
                self._builder.block(f"[Comment: {text}]" if text else "")
        self._builder.note(counted(hidden, "hidden sheet", "left out"))
        self._builder.note(counted(self._rows_hidden, "hidden row", "left out"))
        self._builder.note(counted(self._columns_hidden, "hidden column", "left out"))
        parsed = self._builder.parsed()
        return parsed if filled else Parsed("", notes=parsed.notes)

    def _rows(self, table: Element) -> Iterator[tuple[int, Row]]:
        """Rows that can be seen, each with its number and the cells that have text."""
        styles, hidden = _columns(table)
        left_out: set[int] = set()
        number = gone = 0
        for row in children(table, "Row"):
            number = integer(row, "Index", number + 1)
            cells = dict(self._cells(row, styles))
            if attribute(row, "Hidden") == "1":
                self._rows_hidden += bool(cells)
                gone += 1  # which is no gap between tables
            else:
                left_out |= cells.keys() & hidden
                yield number - gone, {column: text for column, text in cells.items() if column not in hidden}
            number += integer(row, "Span", 0)
        self._columns_hidden += len(left_out)

    def _cells(self, row: Element, styles: dict[int, str]) -> Iterator[tuple[int, str]]:
        column = 0
        for cell in children(row, "Cell"):
            column = integer(cell, "Index", column + 1)
            style = attribute(cell, "StyleID") or attribute(row, "StyleID") or styles.get(column, "")
            if text := self._text(child(cell, "Data"), self._formats.get(style, "")):
                yield column, text
            column += integer(cell, "MergeAcross", 0)

    def _text(self, data: Element | None, code: str) -> str:
        """What a cell shows."""
        if data is None:
            return ""
        text, kind = _words(data).strip(), attribute(data, "Type")
        try:
            if kind == "Boolean":
                return "TRUE" if text == "1" else "FALSE"
            if kind == "Number":
                number = float(text)
                return render(number, code, self._epoch_1904) if code else general(number)
            if kind == "DateTime":
                moment = datetime.fromisoformat(text)
                days = (moment - (_EPOCH_1904 if self._epoch_1904 else _EPOCH)).total_seconds() / 86_400
                return render(days, code or ("yyyy-mm-dd h:mm" if days % 1 else "yyyy-mm-dd"), self._epoch_1904)
        except (ValueError, OverflowError, TypeError):
            pass
        return text


def _words(element: Element) -> str:
    """A cell's text, which may have tags for its fonts."""
    text = element.text or ""
    for inner in element:
        words = _words(inner)
        text += (raised(words, text) if local(inner).lower() == "sup" else words) + (inner.tail or "")
    return text


def _columns(table: Element) -> tuple[dict[int, str], set[int]]:
    """The style of each column that has one, and the columns that can't be seen."""
    styles: dict[int, str] = {}
    hidden: set[int] = set()
    number = 0
    for column in children(table, "Column"):
        number = integer(column, "Index", number + 1)
        last = min(number + integer(column, "Span", 0), _MOST_COLUMNS)
        if style := attribute(column, "StyleID"):
            styles |= dict.fromkeys(range(number, last + 1), style)
        if attribute(column, "Hidden") == "1" or attribute(column, "Width") == "0":
            hidden |= set(range(number, last + 1))
        number = last
    return styles, hidden


def _formats(root: Element) -> dict[str, str]:
    """The number format of each style; one that says nothing of it has its parent's."""
    styles = {attribute(style, "ID"): style for style in descendants(child(root, "Styles"), "Style")}
    formats: dict[str, str] = {}
    for name, style in styles.items():
        around = {name}
        while (said := child(style, "NumberFormat")) is None and (parent := attribute(style, "Parent")) in styles and parent not in around:
            around.add(parent)
            style = styles[parent]
        code = attribute(said, "Format") if said is not None else ""
        formats[name] = _FORMATS.get(code, code)
    return formats
