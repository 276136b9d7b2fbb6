"""Numbers as Excel shows them, beside LibreOffice's own opinion."""

import csv
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from ingest.loaders.sheets.number_format import general, render, render_text


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (2.5, "0", "3"),
        (-2.5, "0", "-3"),
        (0.125, "0.00", "0.13"),
        (1.005, "0.00", "1.01"),
        (2.675, "0.00", "2.68"),
        (0.125, "0%", "13%"),
        (-0.001, "0.00", "0.00"),
        (999999.5, "#,##0", "1,000,000"),
        (-1234.5, '"$"#,##0.00_);[Red]("$"#,##0.00)', "($1,234.50)"),
        (1234.5, '_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-', "1,234.50 €"),
        (0.375, "# ?/8", "3/8"),
        (2.25, "# ??/??", "2 1/4"),
        (2.25, "0/4", "9/4"),
        (2.25, '# ?/4" in"', "2 1/4 in"),
        (2.999, "# ?/8", "3"),
        (5, '@ "kg"', "5"),
        (5, ";;;", ""),
        (0, "0;-0;;@", ""),
        (500, '[<1000]0;0.0,"K"', "500"),
        (1500, '[<1000]0;0.0,"K"', "1.5K"),
        (-1500, '[>=1000]0.0,"K";[<=-1000]-0.0,"K";0', "-1.5K"),
        (-1500, '[>=1000]0.0,"K";[<=-1000]0.0,"K";0', "-1.5K"),
        (-5, '[<0]"minus "0;0', "minus 5"),
        (1234567, "0,", "1235"),
        (1234567, '0,,"M"', "1M"),
        (12345, "##0.0E+0", "12.3E+3"),
        (999.96, "##0.0E+0", "1.0E+3"),
        (0.00012, "0.00E-00", "1.20E-04"),
        (5, "0.##", "5"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (-1.5, "[h]:mm", "-36:00"),
        (45000.75, "h:mm AM/PM", "6:00 PM"),
        (45000.75, "h:mm a/p", "6:00 p"),
        (0.999999, "h:mm:ss", "0:00:00"),
        (0, "yyyy-mm-dd", "1900-01-00"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (60, "yyyy-mm-dd", "1900-02-29"),
        (61, "dddd d", "Thursday 1"),
        (45000, 'yyyy"年"m"月"d"日"', "2023年3月15日"),
        (45000, '[$-411]ggge"年"m"月"d"日"', "令和5年3月15日"),
        (45000, "[$-ja-JP-x-gannen]ge.m.d;@", "R5.3.15"),
        (45000, "[$-404]e/m/d", "112/3/15"),
        (45000, "[$-407]dddd, d. mmmm yyyy", "Mittwoch, 15. März 2023"),
        (45000, "[$-804]aaaa", "星期三"),
        (45000, "[$-D07041E]d/m/yyyy", "15/3/2566"),
        (-5, "yyyy-mm-dd", "-5"),
        (1e20, "General", "1E+20"),
        (123, 'General" kg"', "123 kg"),
        (5, "0 km", "5 km"),
    ],
)
def test_numbers_look_as_in_excel(value: float, code: str, shown: str) -> None:
    assert render(value, code) == shown


def test_a_year_that_begins_in_1904_is_four_years_later() -> None:
    assert render(0, "yyyy-mm-dd ddd", epoch_1904=True) == "1904-01-01 Fri"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1 + 0.2, "0.3"),
        (1e20, "1E+20"),
        (1 / 3, "0.333333333"),
        (1234567.891234, "1234567.891"),
        (1e-9, "0.000000001"),
        (1.25e-10, "1.25E-10"),
        (4006381333931, "4006381333931"),
        (-0.0, "0"),
        (100, "100"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_without_a_format_has_eleven_characters(value: float, shown: str) -> None:
    assert general(value) == shown


def test_a_text_follows_the_section_for_texts() -> None:
    codes = {'@ "kg"': "abc kg", "0.00": "abc", ";;;": "", '0;0;0;"<"@">"': "<abc>", "0.0;-0.0": "abc"}
    assert {code: render_text("abc", code) for code in codes} == codes


VALUES = [0, 1, -1, 2.5, 0.125, 2.675, 12345.6789, -1234.5, 1234567, 1500, 999.96, 45000, 45000.75, 61, 1e-5]
CODES = [
    *("General", "0", "0.0", "0.00", "#,##0", "#,##0.00", "0%", "0.0%", "0.00E+00", "##0.0E+0", "0E+0", "0.00E-00", "# ?/?", "# ??/??"),
    *(
        "# ???/???",
        "?/?",
        "# ??/16",
        '"$"#,##0.00_);("$"#,##0.00)',
        '"$"#,##0_);[Red]("$"#,##0)',
        '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    ),
    *(
        '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
        "@",
        '@ "kg"',
        '[<1000]0;0.0,"K"',
        '[<0]"neg "0;"pos "0',
        ";;;",
        "0;-0;;@",
    ),
    *(
        '0.0;(0.0);"nil"',
        "0,",
        '0,,"M"',
        "0.0,",
        "#,##0,",
        "#",
        "#.##",
        "0.##",
        "0.??",
        "???.??",
        "000",
        "0000.0",
        "000-00-0000",
        '"n: "0" x"',
    ),
    *("(000) 000-0000", '0 "kg"', "+0;-0;0", "[Red]0.0", "[Color12]0", "#,##0.00 [$€-1]", "[$£-809]#,##0.00", "[$CHF] #,##0.00"),
    *(
        "[$-409]d-mmm-yy",
        "yyyy-mm-dd",
        "d.m.yy",
        "dddd, mmmm d, yyyy",
        "ddd mmm mmmmm",
        "h:mm",
        "hh:mm:ss",
        "h:mm AM/PM",
        "[h]:mm",
        "[mm]:ss",
    ),
    *("[ss]", "mm:ss.0", "yyyy-mm-dd hh:mm:ss", 'yyyy"年"m"月"d"日"', '[$-411]ggge"年"m"月"d"日"', "[$-411]ge.m.d", "[$-407]d. mmmm yyyy"),
    *("[$-40C]d mmm yyyy", '[$-804]yyyy"年"m"月"d"日" dddd', 'General" kg"', '"x"General', "General;-General", "0.000%", "0.0 %", "# ##0"),
]


def is_date(code: str) -> bool:
    return any(letter in code for letter in ("y", "d", "mm", "h:", "ss")) or "ge" in code


def differs_in_libreoffice(value: float, code: str) -> bool:
    """Where Excel and LibreOffice are known to disagree; we follow Excel.

    Dates before March 1900 and below 0 (LibreOffice counts from 1899-12-30); seconds (LibreOffice cuts, Excel rounds); hours in the
    millions (LibreOffice gives up).
    """
    return is_date(code) and (value < 61 or value in (12345.6789, 999.96) or (value == 1234567 and code.startswith("[")) or "g" in code)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_seventy_formats_look_as_in_libreoffice(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row, code in enumerate(CODES, 1):
        for column, value in enumerate([*VALUES, "abc"], 1):
            book.active.cell(row, column, value).number_format = code
    book.save(tmp_path / "a.xlsx")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    into = "csv:Text - txt - csv (StarCalc):44,34,76"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", into, "--outdir", tmp_path, tmp_path / "a.xlsx"], check=True, timeout=120
    )
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        theirs = [[" ".join(cell.split()) for cell in row] for row in csv.reader(file)]
    compared = [(value, code, cell) for code, row in zip(CODES, theirs, strict=True) for value, cell in zip(VALUES, row, strict=False)]
    agreed = [(value, code, cell) for value, code, cell in compared if not differs_in_libreoffice(value, code)]
    assert len(CODES) >= 64 and len(agreed) > 800
    assert [(value, code, cell, ours) for value, code, cell in agreed if (ours := render(value, code)) != cell] == []
    assert [row[len(VALUES)] for row in theirs] == [render_text("abc", code) for code in CODES]
