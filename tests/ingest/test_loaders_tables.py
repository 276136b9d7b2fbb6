"""Tables in files of rows: a quote, a title, a second table or a missing header costs nothing but itself."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.loaders import load
from ingest.loaders.parsed import table_rows


def read(folder: Path, name: str, text: str, encoding: str = "utf-8") -> str:
    path = folder / name
    path.write_text(text, encoding=encoding, newline="")
    return load(path).text


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ('1,"Giliap,1975\n2,Alien,1979\n', ['| 1 | "Giliap | 1975 |', "| 2 | Alien | 1979 |"]),
        (
            '1,"Giliap,1975\n2,"Alien",1979\n3,"Heat, the",1995\n',
            ['| 1 | "Giliap | 1975 |', "| 2 | Alien | 1979 |", "| 3 | Heat, the | 1995 |"],
        ),
        ('1,"Giliap,1975\n2,Alien,1979\n3,Heat",1995\n', ['| 1 | "Giliap | 1975 |', "| 2 | Alien | 1979 |", '| 3 | Heat" | 1995 |']),
        ('1,5" steel,12\n2,"1/2" brass",3\n3,"5"" pipe",4\n', ['| 1 | 5" steel | 12 |', '| 2 | 1/2" brass | 3 |', '| 3 | 5" pipe | 4 |']),
        ('1,"6"",12\n2,"7"",13\n', ['| 1 | 6" | 12 |', '| 2 | 7" | 13 |']),
        ('1,"6\'2""",12\n2,"",13\n', ["| 1 | 6'2\" | 12 |", "| 2 |  | 13 |"]),
        ('1,"she said \\"go\\", twice",12\n2,"C:\\dir\\",13\n', ['| 1 | she said "go", twice | 12 |', "| 2 | C:\\dir\\ | 13 |"]),
        (
            '1,"first\nsecond, with ""this"", and\r\nthird",12\n2,b,13\n',
            ['| 1 | first second, with "this", and third | 12 |', "| 2 | b | 13 |"],
        ),
        ('1, "a, b" ,12\n2,"c" d,13\n', ["| 1 | a, b | 12 |", '| 2 | "c" d | 13 |']),
    ],
)
def test_a_quote_costs_its_own_cell_and_no_other(tmp_path: Path, rows: str, seen: list[str]) -> None:
    assert read(tmp_path, "a.csv", f"id,title,year\n{rows}").splitlines()[2:] == [*seen, ""]


def test_two_tables_in_a_file_have_a_header_each(tmp_path: Path) -> None:
    text = "Statement\nAccount;123\nPeriod;2024\n\nDate;Text;Amount\n01.02.2024;Rent;-800,00\n03.02.2024;Pay;2.500,00\n\nBalance;1.700,00\n"
    text += "\nItem;Price\nPen;1,50\nInk;2,50\n"
    assert read(tmp_path, "a.csv", text) == (
        "Statement\nAccount: 123\nPeriod: 2024\n\n"
        "| Date | Text | Amount |\n| --- | --- | --- |\n| 01.02.2024 | Rent | -800,00 |\n| 03.02.2024 | Pay | 2.500,00 |\n\n"
        "Balance: 1.700,00\n\n"
        "| Item | Price |\n| --- | --- |\n| Pen | 1,50 |\n| Ink | 2,50 |\n\n"
    )


def test_tables_may_follow_each_other_without_a_blank_row(tmp_path: Path) -> None:
    text = "Part,Bin,Count\nbolt,A1,5\nnut,A2,6\nPrices\nPart,Price\nbolt,1.50\nnut,2.50\n"
    assert read(tmp_path, "a.csv", text) == (
        "| Part | Bin | Count |\n| --- | --- | --- |\n| bolt | A1 | 5 |\n| nut | A2 | 6 |\n\n"
        "Prices\n\n| Part | Price |\n| --- | --- |\n| bolt | 1.50 |\n| nut | 2.50 |\n\n"
    )


def test_a_blank_row_within_a_table_does_not_part_it(tmp_path: Path) -> None:
    assert "| bolt | 5 |\n| nut | 6 |" in read(tmp_path, "a.csv", "Part,Count\nbolt,5\n,\nnut,6\n")
    assert "| Ann | Rome |\n| Ben | Oslo |" in read(tmp_path, "b.csv", "Name,Town\n\nAnn,Rome\n\nBen,Oslo\n")


@pytest.mark.parametrize(
    ("first", "named"),
    [("bolt,A-1,5", False), ("2024-01-01,A-2,6.5", False), ("Part,Bin,Count", True), ("Part,2023,2024", True), ("Part,Bin 1,Bin 2", True)],
)
def test_the_first_row_is_a_header_unless_it_is_like_those_below(tmp_path: Path, first: str, named: bool) -> None:
    text = read(tmp_path, "a.csv", f"{first}\nnut,A-2,6\ngasket,A-3,7\nvalve,A-4,8\n")
    assert text.startswith(f"| {' | '.join(first.split(','))} |\n" + "| --- | --- | --- |\n" * named + "| nut")


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("1,5;2,5;3,5\n2,5;3,5;4,5\n", "| 1,5 | 2,5 | 3,5 |"),
        ("A;B;C\n" + "1,5;2,5;3,5\n" * 40, "| 1,5 | 2,5 | 3,5 |"),
        ('name,list\nx,"a; b"\ny,"c; d"\n', "| x | a; b |"),
        ("name,list,sum\nx,a; b,5\ny,c; d,6\n", "| x | a; b | 5 |"),
        ("a|b\nx, y|2\nz, w|3\n", "| x, y | 2 |"),
        ("a\tb\nx, y\t2,5\nz, w\t3,5\n", "| x, y | 2,5 |"),
    ],
)
def test_a_comma_within_numbers_or_words_is_no_separator(tmp_path: Path, text: str, cells: str) -> None:
    assert cells in read(tmp_path, "a.csv", text)


def test_comments_stay_lines_of_their_own(tmp_path: Path) -> None:
    text = read(tmp_path, "a.csv", '# made by Ann, on Monday, in May, with "x\n#,Name,Sum\n1,pump,5\n2,valve,6\n')
    assert (
        text
        == '# made by Ann, on Monday, in May, with "x\n\n| # | Name | Sum |\n| --- | --- | --- |\n| 1 | pump | 5 |\n| 2 | valve | 6 |\n\n'
    )


def test_encodings_and_line_ends_of_other_machines(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert "| Ørsted | 5 |" in read(tmp_path, f"{encoding}.csv", "Name;Sum\r\nØrsted;5\r\nMüller;6\r\n", encoding)
    assert "| a | 5 |\n| b | 6 |" in read(tmp_path, "mac.csv", 'Name,Sum\r"a",5\r"b",6\r')


NAMES = ["Asset number", "Manufacturer name", "Nominal pressure in bar", "Flow rate cubic metres per hour", "Motor power kilowatt"]
NAMES += ["Casing material", "Shaft seal type", "Last overhaul date", "Responsible engineer"]


def test_rows_of_a_wide_table_name_their_columns(tmp_path: Path) -> None:
    rows = [
        NAMES,
        *([f"P-{number}", "KSB", "", str(100 + 7 * number), "11", "bronze", "packing", "2023-01-20", "Bo"] for number in range(3)),
    ]
    line = "Asset number: P-2; P-2 Manufacturer name: KSB; P-2 Flow rate cubic metres per hour: 114; P-2 Motor power kilowatt: 11; "
    line += "P-2 Casing material: bronze; P-2 Shaft seal type: packing; P-2 Last overhaul date: 2023-01-20; P-2 Responsible engineer: Bo"
    csv = "\n".join(",".join(row) for row in rows)
    records = json.dumps([dict(zip(NAMES, row, strict=True)) for row in rows[1:]])
    for text in (read(tmp_path, "a.csv", csv), read(tmp_path, "a.json", records), table_rows(rows)):
        assert line in text.split("\n\n") and f"| {' | '.join(NAMES)} |" in text


def test_a_row_that_is_long_is_told_in_parts_that_each_name_it() -> None:
    names = ["Key", *(f"Measured value number {number}" for number in range(1, 60))]
    parts = table_rows([names, [f"K{number}" for number in range(60)]]).split("\n\n")[1:]
    assert len(parts) > 2 and all(part.startswith("Key: K0; ") and len(part) < 900 for part in parts)
    assert "; ".join(parts).count("Measured value number 59: K59") == 1


def test_a_table_that_lays_out_a_page_stays_rows() -> None:
    text = "A whole paragraph that somebody has put into the first cell of a table, to have it beside a picture on the page. "
    assert table_rows([[text] * 9, ["x"] * 9]).startswith(f"| {text.strip()} |")


PIECES = ["a", '"', '""', ",", ";", "\t", "\n", "\r\n", "1", "2.5", "2024-01-01", "#", " ", "|", "Name", "\\", "x y", "\n\n", ",,"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=60))
@example(["Name", ",", "1", "\n", "a", ",", "1", "\n", ",", "1", "\n\n", "a", "\n"])
def test_no_word_of_any_rows_is_lost(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "pieces.csv"
    path.write_text("Name" + "".join(pieces), encoding="utf-8", newline="")
    text = load(path).text
    assert all(text.count(word) >= pieces.count(word) for word in ("2024-01-01", "Name"))
