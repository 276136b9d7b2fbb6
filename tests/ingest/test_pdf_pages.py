"""A table that goes on over pages of a PDF has its header on each of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.loaders import load
from tests.ingest.pages import Page, write

HEADER = ("Boat", "Eels", "Price")
RULE = "| --- | --- | --- |"
Cells = tuple[str, ...]
Drawing = Callable[[list[Cells]], Page]


def boats(first: int, last: int) -> list[Cells]:
    return [(f"Heron {number}", str(10 + number), f"{number}.50") for number in range(first, last)]


def ruled(rows: list[Cells], x: float = 50) -> Page:
    columns = [x + 100 * number for number in range(len(rows[0]) + 1)]
    page = Page().grid(columns, [100 + 20 * number for number in range(len(rows) + 1)])
    return filled(page, rows, [column + 4 for column in columns], 20)


def unruled(rows: list[Cells]) -> Page:
    return filled(Page(), rows, [50, 200, 350], 16)


def filled(page: Page, rows: list[Cells], columns: list[float], pitch: float) -> Page:
    for number, row in enumerate(rows):
        for x, cell in zip(columns, row, strict=False):
            page.text(x, 114 + pitch * number, cell)
    return page


def tables(path: Path, *pages: Page) -> list[list[str]]:
    """The tables' lines."""
    write(path / "a.pdf", list(pages))
    blocks = load(path / "a.pdf").text.strip().split("\n\n")
    return [block.strip().splitlines() for block in blocks if block.strip().startswith("|")]


def lines(*rows: Cells) -> list[str]:
    written = [f"| {' | '.join(row)} |" for row in rows]
    return [written[0], "|" + " --- |" * len(rows[0]), *written[1:]]


@pytest.mark.parametrize("drawn", [ruled, unruled])
def test_the_rest_of_a_table_has_its_header_on_every_page(tmp_path: Path, drawn: Drawing) -> None:
    pages = [drawn([HEADER, *boats(0, 4)]), drawn(boats(4, 8)), drawn(boats(8, 12))]
    for number, page in enumerate(pages, 1):
        page.text(50, 40, "The Acme Report").text(280, 810, f"Page {number} of 3")
    assert tables(tmp_path, *pages) == [lines(HEADER, *boats(first, first + 4)) for first in (0, 4, 8)]


def test_a_repeated_header_is_not_doubled(tmp_path: Path) -> None:
    found = tables(tmp_path, ruled([HEADER, *boats(0, 3)]), ruled([HEADER, *boats(3, 6)]))
    assert found == [lines(HEADER, *boats(0, 3)), lines(HEADER, *boats(3, 6))]


@pytest.mark.parametrize("drawn", [ruled, unruled])
def test_a_single_row_on_the_next_page_is_one_of_the_table(tmp_path: Path, drawn: Drawing) -> None:
    rest = drawn(boats(4, 5)).text(50, 300, "The harbour master counted them.")
    assert tables(tmp_path, drawn([HEADER, *boats(0, 4)]), rest)[1] == lines(HEADER, *boats(4, 5))


def test_two_columns_of_which_one_has_only_numbers_on_the_next_page(tmp_path: Path) -> None:
    whole = [HEADER[:2], *(row[:2] for row in boats(0, 10))]
    assert tables(tmp_path, unruled(whole[:6]), unruled(whole[6:]))[1] == lines(whole[0], *whole[6:])


def test_margins_that_change_and_columns_that_are_empty_on_the_next_page(tmp_path: Path) -> None:
    rest = [(boat, "", price) for boat, _, price in boats(3, 6)]
    assert tables(tmp_path, ruled([HEADER, *boats(0, 3)]), ruled(rest, x=70))[1] == lines(HEADER, *rest)


def test_a_caption_that_says_so_may_stand_between(tmp_path: Path) -> None:
    rest = ruled(boats(3, 6)).text(50, 90, "Table 1 (continued)")
    assert tables(tmp_path, ruled([HEADER, *boats(0, 3)]).text(50, 90, "Table 1: Catch"), rest)[1] == lines(HEADER, *boats(3, 6))


def test_another_table_keeps_its_own_header(tmp_path: Path) -> None:
    other = [("Name", "Age", "Size"), ("Ann", "33", "165"), ("Bob", "44", "170")]
    assert tables(tmp_path, ruled([HEADER, *boats(0, 3)]), ruled(other))[1] == lines(*other)


def test_a_header_of_two_rows_is_repeated_whole(tmp_path: Path) -> None:
    header: list[Cells] = [("Boat", "Catch", ""), ("", "Eels", "Price")]
    assert tables(tmp_path, ruled([*header, *boats(0, 3)]), ruled(boats(3, 6)))[1] == lines(*header, *boats(3, 6))


def test_what_follows_a_table_on_its_page_ends_it(tmp_path: Path) -> None:
    first = ruled([HEADER, *boats(0, 3)]).text(50, 300, "The harbour master counted them, and went home to sleep.")
    assert tables(tmp_path, first, ruled(boats(3, 6)))[1] == lines(*boats(3, 6))


def test_a_table_whose_rows_name_their_columns_goes_on_over_a_page_end(tmp_path: Path) -> None:
    names = ("Number", "Flow rate", "Head (m)", "Power (kW)", "Speed (rpm)", "Weight (kg)", "Maker name", "Year built", "Site of use")
    rows = [names, *((f"P-11{row}", *(f"{37 * row + column} units" for column in range(1, 9))) for row in range(9))]
    pages = []
    for some in (rows[:6], rows[6:]):
        page = Page(box=(1000, 600)).grid([50 + 100 * n for n in range(10)], [100 + 20 * n for n in range(len(some) + 1)])
        pages.append(filled(page, some, [54 + 100 * n for n in range(9)], 20))
    write(tmp_path / "a.pdf", pages)
    parsed = load(tmp_path / "a.pdf")
    assert parsed.text.count("| Number | Flow rate |") == 2
    assert "P-117; P-117 Flow rate: 260 units; P-117 Head (m): 261 units" in parsed.text
