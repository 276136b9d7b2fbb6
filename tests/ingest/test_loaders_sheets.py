"""Workbooks: what a person sees is what is stored."""

import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from ingest.loaders import load
from ingest.loaders.parsed import LoadError
from tests.ingest.office_files import write_ole, write_zip


def save(path: Path, rows: list[list[object]], formats: dict[str, str] | None = None) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, code in (formats or {}).items():
        book.active[place].number_format = code
    book.save(path)
    return book


def test_hidden_rows_columns_and_sheets_are_left_out_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rows = [
        ["Part", "secret", "Price"],
        ["pump", "x1", 5],
        ["filtered", "x2", 6],
        ["flat", "x3", 7],
        ["valve", 0, 8],
    ]
    book = save(path, rows)
    sheet = book.active
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[3].hidden = True
    for state in ("hidden", "veryHidden"):
        other = book.create_sheet(state)
        other["A1"], other.sheet_state = "never seen", state
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    place = "xl/worksheets/sheet1.xml"
    members[place] = members[place].replace(b'<row r="4"', b'<row r="4" ht="0" customHeight="1"')
    parsed = load(write_zip(path, members))
    assert parsed.text == "Sheet\n\n| Part | Price |\n| --- | --- |\n| pump | 5 |\n| valve | 8 |\n\n"
    assert parsed.notes == ["2 hidden sheets left out", "2 hidden rows left out", "1 hidden column left out"]


def test_a_format_that_hides_a_cell_is_noted_and_one_for_texts_is_applied(tmp_path: Path) -> None:
    rows = [["What", "Shown"], ["hidden number", 42], ["hidden text", "secret"], ["weight", "heavy"], ["blank zero", 0]]
    save(tmp_path / "a.xlsx", rows, {"B2": ";;;", "B3": ";;;", "B4": '@ "kg"', "B5": "0;-0;;@"})
    parsed = load(tmp_path / "a.xlsx")
    assert "| hidden number |  |\n| hidden text |  |\n| weight | heavy kg |\n| blank zero |  |" in parsed.text
    assert parsed.notes == ["2 cells hidden by a number format left out"]


def test_built_in_formats_are_known_by_their_number(tmp_path: Path) -> None:
    ids = [5, 6, 7, 8, *range(37, 45), 27, 36, 50, 58]
    save(tmp_path / "a.xlsx", [["id", "shown"], *([f"number {id}", 45000.25 if id in (27, 36, 50, 58) else -1234.5] for id in ids)])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    formats = "".join(f'<xf numFmtId="{id}"/>' for id in [0, *ids])
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    members["xl/styles.xml"] = f'<styleSheet xmlns="{space}"><cellXfs>{formats}</cellXfs></styleSheet>'.encode()
    sheet = members["xl/worksheets/sheet1.xml"].decode()
    for row in range(2, len(ids) + 2):
        sheet = sheet.replace(f'<c r="B{row}"', f'<c r="B{row}" s="{row - 1}"')
    members["xl/worksheets/sheet1.xml"] = sheet.encode()
    text = load(write_zip(tmp_path / "b.xlsx", members)).text
    shown = dict(line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| number"))
    money = {5: "($1,235)", 6: "($1,235)", 7: "($1,234.50)", 8: "($1,234.50)", 42: "$(1,235)", 44: "$(1,234.50)"}
    plain = {37: "(1,235)", 38: "(1,235)", 39: "(1,234.50)", 40: "(1,234.50)", 41: "(1,235)", 43: "(1,234.50)"}
    dates = dict.fromkeys((27, 36, 50, 58), "2023-03-15")
    assert shown == {f"number {id}": text for id, text in (money | plain | dates).items()}


def test_raised_figures_in_a_cell_are_told(tmp_path: Path) -> None:
    high, low = InlineFont(vertAlign="superscript"), InlineFont(vertAlign="subscript")
    cells = [
        CellRichText("10", TextBlock(high, "6"), " km"),
        CellRichText("H", TextBlock(low, "2"), "O"),
        CellRichText("2", TextBlock(high, "nd")),
    ]
    save(tmp_path / "a.xlsx", [["a", "b", "c"], cells])
    assert "| 10^6 km | H2O | 2nd |" in load(tmp_path / "a.xlsx").text


def test_cells_below_a_merged_one_stay_in_their_columns(tmp_path: Path) -> None:
    book = save(tmp_path / "a.xlsx", [["Region", "2023", "2024"], ["North", "a", "b"], [None, "c", "d"]])
    book.active.merge_cells("A2:A3")
    book.save(tmp_path / "a.xlsx")
    assert "| North | a | b |\n|  | c | d |" in load(tmp_path / "a.xlsx").text


def test_two_tables_side_by_side_are_two_and_a_blank_column_within_one_is_not_an_edge(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", [["Name", "Age", None, "Part", "Price"], ["Ann", 30, None, "bolt", 2], ["Ben", 40, None, None, None]])
    two = "| Name | Age |\n| --- | --- |\n| Ann | 30 |\n| Ben | 40 |\n\n| Part | Price |\n| --- | --- |\n| bolt | 2 |"
    assert two in load(tmp_path / "a.xlsx").text
    save(tmp_path / "b.xlsx", [["Item", None, "2023", "2024"], ["Sales", None, 5, 6]])
    assert "| Item | 2023 | 2024 |\n| --- | --- | --- |\n| Sales | 5 | 6 |" in load(tmp_path / "b.xlsx").text


def test_a_sheet_without_a_header_makes_none_of_its_first_row(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", [["bolt", 2, 5.5], ["nut", 3, 6.5], ["gasket", 4, 7]])
    assert load(tmp_path / "a.xlsx").text == "Sheet\n\n| bolt | 2 | 5.5 |\n| nut | 3 | 6.5 |\n| gasket | 4 | 7 |\n\n"


def test_titles_and_keys_above_a_table_are_lines(tmp_path: Path) -> None:
    rows = [
        ["Stock list"],
        ["Date:", "2024-03-01"],
        [],
        ["Part", "Bin", "Count"],
        ["bolt", "A1", 5],
        [],
        ["nut", "A2", 6],
        [],
        [],
        ["Total", 11],
    ]
    save(tmp_path / "a.xlsx", rows)
    assert load(tmp_path / "a.xlsx").text == (
        "Sheet\n\nStock list\nDate: 2024-03-01\n\n| Part | Bin | Count |\n| --- | --- | --- |\n| bolt | A1 | 5 |\n| nut | A2 | 6 |\n\n"
        "Total: 11\n\n"
    )


def record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def write_xls(path: Path) -> Path:
    """A workbook as Excel 97 wrote it (BIFF8), of a visible and a hidden sheet, each with a text and a number."""
    begin = struct.pack("<HHHHII", 0x600, 0, 0, 0, 0, 0)

    def sheet(text: str, number: float) -> bytes:
        label = struct.pack("<HHHHB", 0, 0, 0, len(text), 0) + text.encode()
        cells = record(0x204, label) + record(0x203, struct.pack("<HHHd", 0, 1, 0, number))
        return record(0x809, begin[:2] + b"\x10\0" + begin[4:]) + cells + record(0x0A, b"")

    sheets = [("Stock", 0, sheet("Valve", 0.25)), ("Secret", 1, sheet("Never", 1.0))]
    start = len(record(0x809, begin)) + sum(len(record(0x85, b"\0" * (8 + len(name)))) for name, _, _ in sheets) + 4
    head = record(0x809, begin[:2] + b"\x05\0" + begin[4:])
    for name, state, body in sheets:
        head += record(0x85, struct.pack("<IBBBB", start, state, 0, len(name), 0) + name.encode())
        start += len(body)
    return write_ole(path, {"Workbook": head + record(0x0A, b"") + b"".join(body for _, _, body in sheets)})


def test_an_old_workbook_gives_its_values_where_libreoffice_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    parsed = load(write_xls(tmp_path / "a.xls"))
    assert parsed.text == "Stock\n\n| Valve | 0.25 |\n\n"
    assert parsed.notes[0] == "1 hidden sheet left out" and "LibreOffice" in parsed.notes[1]
    cut = tmp_path / "cut.xls"
    cut.write_bytes((tmp_path / "a.xls").read_bytes()[:3000])
    with pytest.raises(LoadError, match="not a readable old Excel file"):
        load(cut)


def test_a_table_goes_on_below_a_hidden_row(tmp_path: Path) -> None:
    book = save(tmp_path / "a.xlsx", [["Part", "Place"], ["pump", "Oslo"], ["gone", "gone"], ["valve", "Rome"], ["hose", "Bern"]])
    book.active.row_dimensions[3].hidden = True
    book.save(tmp_path / "a.xlsx")
    assert (
        load(tmp_path / "a.xlsx").text == "Sheet\n\n| Part | Place |\n| --- | --- |\n| pump | Oslo |\n| valve | Rome |\n| hose | Bern |\n\n"
    )


def test_signs_of_a_symbol_font_are_what_they_show(tmp_path: Path) -> None:
    book = save(tmp_path / "a.xlsx", [["Check", "Done"], ["Door", "\u00fc"], ["Alarm", "\u00fb"]])
    for place in ("B2", "B3"):
        book.active[place].font = Font(name="Wingdings")
    book.active["A4"] = CellRichText("Gate ", TextBlock(InlineFont(rFont="Wingdings"), "\u00fe"))
    book.save(tmp_path / "a.xlsx")
    assert load(tmp_path / "a.xlsx").text.endswith("| Door | ✓ |\n| Alarm | ✗ |\n| Gate ☑ |  |\n\n")
