"""Raised figures of a PDF stay raised; lowered ones, ordinals, large initials and small lines above are not taken for them."""

from pathlib import Path

import pytest

from ingest.loaders import load
from tests.ingest.pages import Page, write

_ALIKE = {"abdeghnopqu0123456789": 556, "ijl": 222, "ft .,;:/[]": 278, "()r-": 333, "cksvxyz": 500, "+=": 584, "AS": 667, "CHw": 722}
_WIDTHS = {letter: wide for letters, wide in _ALIKE.items() for letter in letters} | {"m": 833, "O": 778, "T": 611}
RAISED, LOWERED = (7, 5), (8, -3)


def width(text: str, size: float) -> float:
    return sum(_WIDTHS[letter] for letter in text) * size / 1000


def written(path: Path, line: str) -> str:
    """What is read of a line in which ^{...} stands for raised and _{...} for lowered letters."""
    page, x = Page(), 50.0
    for number, part in enumerate(line.replace("_{", "{_").replace("^{", "{^").replace("}", "{").split("{")):
        size, up = (12, 0) if number % 2 == 0 else RAISED if part[0] == "^" else LOWERED
        text = part if number % 2 == 0 else part[1:]
        page.text(x, 60 - up, text, size)
        x += width(text, size)
    return read(path, page)


def read(path: Path, page: Page) -> str:
    write(path / "a.pdf", [page])
    return load(path / "a.pdf").text.strip()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("it holds 10^{6} cells", "it holds 10^6 cells"),
        ("it holds (10^{6}) cells.", "it holds (10^6) cells."),
        ("the income^{1}, which rose^{2,3}.", "the income^1, which rose^2,3."),
        ("5 m^{3}/s and 9 m/s^{2} again", "5 m^3/s and 9 m/s^2 again"),
        ("10^{-3} and x^{n+1} are", "10^-3 and x^(n+1) are"),
        ("x^{2}y and z", "x^2 y and z"),
        ("a^{2} + b^{2} = c^{2}", "a^2 + b^2 = c^2"),
        ("SO_{4}^{2-} ions", "SO4^(2-) ions"),
        ("x_{1}^{2}. And", "x1^2. And"),
        ("the 4^{th}. And", "the 4th. And"),
        ("see this^{[12]} again", "see this[12] again"),
        ("^{1}The note says so", "^1 The note says so"),
        ("carbon ^{14}C decays", "carbon ^14C decays"),
    ],
)
def test_raised_letters_are_written_as_people_type_them(tmp_path: Path, line: str, text: str) -> None:
    assert written(tmp_path, line) == text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("water H_{2}O and CO_{2} in x_{i}.", "water H2O and CO2 in xi."),
        ("the 2^{nd} and the 21^{st}", "the 2nd and the 21st"),
        ("all 12 of 45.5 (in 1921), 25km", "all 12 of 45.5 (in 1921), 25km"),
    ],
)
def test_what_is_not_raised_or_needs_no_sign_stays_plain(tmp_path: Path, line: str, text: str) -> None:
    assert written(tmp_path, line) == text


def test_a_footnotes_mark_stands_before_its_note_however_high_it_stands(tmp_path: Path) -> None:
    page = Page()
    for number, note in enumerate(["Net of tax.", "In kroner."]):
        page.text(50, 54 + 24 * number, str(number + 1), 6).text(57, 60 + 24 * number, note, 12)
    assert read(tmp_path, page).split() == "1 Net of tax. 2 In kroner.".split()
    assert "1 Net" in read(tmp_path, page) and "2 In" in read(tmp_path, page)


def test_a_raised_figure_of_turned_text_is_read_too(tmp_path: Path) -> None:
    turn = (0, 1, -1, 0)
    page = Page().text(300, 500, "it holds 10", 12, turn=turn).text(295, 500 - width("it holds 10", 12), "6", 7, turn=turn)
    page.text(300, 500 - width("it holds 10", 12) - width("6", 7), " cells", 12, turn=turn)
    assert read(tmp_path, page) == "it holds 10^6 cells"


def test_a_raised_figure_in_a_heading_is_told_by_the_letters_beside_it(tmp_path: Path) -> None:
    x = 50 + width("area in m", 22)
    page = Page().text(50, 60, "area in m", 22).text(x, 52, "2", 13).text(x + width("2 ", 13), 60, "of land", 22)
    assert read(tmp_path, page) == "area in m^2 of land"


def test_a_large_initial_belongs_to_its_word(tmp_path: Path) -> None:
    page = (
        Page()
        .text(50, 88, "T", 34)
        .lines(72, 68, ["he sluice gates were opened at dawn by the", "keeper, who had waited for the tide"], 12)
    )
    assert read(tmp_path, page) == "The sluice gates were opened at dawn by the\nkeeper, who had waited for the tide"


def test_small_lines_and_small_capitals_are_not_raised(tmp_path: Path) -> None:
    page = Page().text(50, 60, "a small line above", 6).text(50, 68, "total 10 6 of all", 12)
    page.text(50, 120, "H", 12).text(50 + width("H", 12), 120, "OTTA", 9)
    assert "^" not in (text := read(tmp_path, page)) and "HOTTA" in text
