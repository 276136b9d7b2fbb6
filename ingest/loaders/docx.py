"""Word documents through python-docx: paragraphs and tables in the order in which they stand."""

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from ingest.loaders.parsed import Builder, LoadError, Parsed, table_rows

_HEADING = re.compile(r"heading (\d)")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def load(path: Path) -> Parsed:
    with path.open("rb") as file:
        if file.read(8) == _OLE:
            raise LoadError("encrypted, or an old Word file under a new name")
    try:
        document = docx.Document(str(path))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise LoadError("not a readable Word document: damaged, cut short, or another format") from error
    builder = Builder()
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            builder.end_lines()
            builder.block(table_rows([_row(cells) for cells in _rows(block)]))
        else:
            _paragraph(builder, block)
    return builder.parsed()


def _paragraph(builder: Builder, paragraph: Paragraph) -> None:
    style = ((paragraph.style.name if paragraph.style else "") or "").lower()
    if heading := _HEADING.match(style):
        builder.heading(int(heading[1]), paragraph.text)
    elif style == "title":
        builder.heading(1, paragraph.text)
    elif style.startswith("list"):
        builder.line("- " + paragraph.text if paragraph.text.strip() else "")
    else:
        builder.end_lines()
        builder.block(paragraph.text)


def _rows(table: Table) -> Iterable[list[_Cell]]:
    """Rows of cells, a merged cell once: python-docx repeats it for each column that it spans."""
    for row in table.rows:
        cells: list[_Cell] = []
        for cell in row.cells:
            if not cells or cell._tc is not cells[-1]._tc:
                cells.append(cell)
        yield cells


def _row(cells: list[_Cell]) -> list[str]:
    return [_cell_text(cell) for cell in cells]


def _cell_text(cell: _Cell) -> str:
    parts = []
    for block in cell.iter_inner_content():
        if isinstance(block, Table):
            parts += [text for cells in _rows(block) for text in _row(cells)]
        else:
            parts.append(block.text)
    return " ".join(parts)
