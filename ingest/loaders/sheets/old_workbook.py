"""Old and binary Excel workbooks (xls, xlsb) by python-calamine, where LibreOffice isn't installed.

It gives cells' values, not how they are shown: 0.25 stays 0.25 where a person sees 25%. What it does show is a date, so dates are
written year first.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from ingest.loaders.parsed import Builder, LoadError, Parsed, counted
from ingest.loaders.sheets.number_format import general
from ingest.loaders.sheets.sheet import Row, add_tables


def load(path: Path) -> Parsed:
    """Reads the values of a workbook's visible sheets.

    Raises:
        LoadError: it is encrypted, or damaged.
    """
    try:
        return _read(path)
    except PasswordError as error:
        raise LoadError("encrypted: save it without a password") from error
    except CalamineError as error:
        raise LoadError(f"not a readable old Excel file ({str(error)[:100]})") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Rust's, which is no Exception, for files that are damaged
            raise
        raise LoadError("not a readable old Excel file (damaged)") from error


def _read(path: Path) -> Parsed:
    builder = Builder()
    filled = False
    with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as book:
        shown = [sheet for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        for sheet in shown:
            builder.heading(1, sheet.name)
            if sheet.typ == SheetTypeEnum.WorkSheet:
                filled |= add_tables(builder, _rows(book.get_sheet_by_name(sheet.name)))
        builder.note(counted(len(book.sheets_metadata) - len(shown), "hidden sheet", "left out"))
    builder.note("numbers without their formats, hidden rows among the others: LibreOffice shows them as Excel does")
    return builder.parsed() if filled else Parsed("")


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, Row]]:
    for number, row in enumerate(sheet.iter_rows()):
        yield number, {column: text for column, cell in enumerate(row) if (text := _text(cell))}


def _text(cell: object) -> str:
    match cell:
        case bool():
            return str(cell).upper()
        case int() | float():
            return general(cell)
        case datetime.datetime():
            return f"{cell:%Y-%m-%d}" if cell.time() == datetime.time() else f"{cell:%Y-%m-%d %H:%M:%S}"
        case _:
            return str(cell).strip()
