"""Letters set apart are the words that a person reads; letters that stand for themselves stay apart."""

from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from tests.ingest.pages import Page, write


def apart(page: Page, y: float, text: str, step: float, blank: float, size: float = 11) -> Page:
    """Each letter placed by itself, `step` points after the one before; a blank is only a wider step."""
    x = 60.0
    for letter in text:
        if letter == " ":
            x += blank
        else:
            page.text(x, y, letter, size)
            x += step
    return page


def read(tmp_path: Path, page: Page) -> Parsed:
    write(tmp_path / "a.pdf", [page])
    return load(tmp_path / "a.pdf")


@pytest.mark.parametrize("step", [13.0, 15.0, 17.0])
def test_a_spaced_out_heading_is_read_as_its_words(tmp_path: Path, step: float) -> None:
    page = apart(Page(), 60, "SUNUAL REPORT", step * 18 / 11, step * 18 / 11, 18)
    parsed = read(tmp_path, apart(page, 100, "wide hours here", step, step).lines(60, 140, ["The plant ran well all the year."] * 4))
    assert parsed.text.startswith("SUNUAL REPORT\n\nwide hours here\n\n")
    assert [title for _, _, title in parsed.headings] == ["SUNUAL REPORT"]


def test_names_of_columns_and_typed_blanks_are_no_spaced_out_word(tmp_path: Path) -> None:
    page = apart(Page(), 60, "ABCDE", 14, 14).text(60, 100, "Y N Y N Y N").text(60, 140, "x + y = z")
    assert read(tmp_path, page).text.split("\n\n")[:3] == ["A B C D E", "Y N Y N Y N", "x + y = z"]
