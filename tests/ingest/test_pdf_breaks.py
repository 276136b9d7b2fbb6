"""What a line's end breaks in a PDF is whole again: words with and without a hyphen, addresses, Chinese and Japanese sentences."""

from pathlib import Path

import pytest

from ingest.loaders import load
from tests.ingest.pages import Page, write

LONG = "The keeper of the mill wrote all of this into his log, and then it was "
JAPANESE = (
    "当社は二〇二四年四月一日に東京都庁と災害時の協力協定を締結し、備蓄倉庫の管理責任者として山田太郎を任命した。協定の期間は五年間とする。"
)


def read(path: Path, *pages: Page) -> str:
    write(path / "a.pdf", list(pages))
    return load(path / "a.pdf").text.strip()


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [
        ("main-", "tenance", "maintenance"),
        ("ISO-", "9001", "ISO-9001"),
        ("COVID-", "19", "COVID-19"),
        ("AB-", "1234", "AB-1234"),
        ("2019-", "2020", "2019-2020"),
        ("low-", "pressure", "low-pressure"),
        ("low-", "er", "lower"),
        ("long-", "term", "long-term"),
        ("risk-", "based", "risk-based"),
        ("twenty-", "five", "twenty-five"),
        ("Rolls-", "Royce", "Rolls-Royce"),
        ("PDF-", "based", "PDF-based"),
        ("e-", "mail", "e-mail"),
        ("check-", "in", "check-in"),
        ("with-", "in", "within"),
        ("mother-in-", "law", "mother-in-law"),
        ("pre-", "and post-war", "pre- and post-war"),
        ("https://example.org/the-", "long/path", "https://example.org/the-long/path"),
        ("https://example.org/docs/", "a.html", "https://example.org/docs/a.html"),
        ("https://example.org/docs/", "The end", "https://example.org/docs/\nThe end"),
        ("anna@", "example.org", "anna@example.org"),
        ("max_retry_", "count", "max_retry_count"),
    ],
)
def test_a_hyphen_stays_where_it_belongs_to_the_word(tmp_path: Path, above: str, below: str, text: str) -> None:
    assert text in read(tmp_path, Page().lines(50, 60, [LONG + above, below + " again."]))


@pytest.mark.parametrize(("elsewhere", "text"), [("water-proof eco-logical", "eco-logical"), ("ecological waterproof", "ecological")])
def test_what_the_document_writes_elsewhere_decides(tmp_path: Path, elsewhere: str, text: str) -> None:
    assert text in read(tmp_path, Page().lines(50, 60, [LONG + "eco-", "logical again."]), Page().text(50, 60, f"An {elsewhere} thing."))


def test_capitals_of_a_heading_are_no_reason_to_keep_a_hyphen(tmp_path: Path) -> None:
    assert "THE ANNUAL MAINTENANCE REPORT" in read(tmp_path, Page().lines(50, 60, ["THE ANNUAL MAIN-", "TENANCE REPORT"]))


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [
        ("low\u2010", "pressure", "low-pressure"),
        ("steam\u00ad", "ship", "steamship"),
        ("10\u2013", "12", "10\u201312"),
        ("10", "\u201312", "10\u201312"),
        ("the mill\u2014", "which", "the mill\u2014which"),
        ("the mill \u2013", "which", "the mill \u2013\nwhich"),
    ],
)
def test_other_hyphens_and_dashes_break_no_word(tmp_path: Path, above: str, below: str, text: str) -> None:
    assert text in read(tmp_path, Page().letters(50, 60, above).letters(50, 74, below))


def test_a_hyphen_in_a_cell_and_before_another_column(tmp_path: Path) -> None:
    page = Page().grid([50, 150, 250], [100, 140, 180]).lines(55, 114, ["main-", "tenance"]).text(155, 114, "COVID")
    page.lines(55, 154, ["ISO-", "9001"]).text(155, 154, "12")
    text = read(tmp_path, page)
    assert "| maintenance | COVID |" in text and "| ISO-9001 | 12 |" in text


def test_a_word_that_a_page_breaks_is_whole(tmp_path: Path) -> None:
    pages = (
        Page().lines(50, 700, [LONG, "in need of main-"]).text(280, 820, "1"),
        Page().lines(50, 60, ["tenance again.", LONG]).text(280, 820, "2"),
    )
    assert "in need of maintenance" in read(tmp_path, *pages)


def wrapped(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


def lettered(page: Page, lines: list[str], x: float = 50, y: float = 60) -> Page:
    for number, line in enumerate(lines):
        page.letters(x, y + 18 * number, line)
    return page


def test_lines_of_japanese_are_joined_without_a_blank(tmp_path: Path) -> None:
    assert read(tmp_path, lettered(Page(), wrapped(JAPANESE, 14))) == JAPANESE


def test_columns_of_chinese_keep_apart(tmp_path: Path) -> None:
    page = lettered(lettered(Page(), wrapped(JAPANESE, 14)), wrapped(JAPANESE, 14), x=310)
    assert read(tmp_path, page).split() == [JAPANESE, JAPANESE]


def test_a_sentence_goes_on_over_a_page_number(tmp_path: Path) -> None:
    lines = wrapped(JAPANESE, 14)
    text = read(tmp_path, lettered(Page(), lines[:3]).text(280, 800, "1"), lettered(Page(), lines[3:]).text(280, 800, "2"))
    assert JAPANESE[: JAPANESE.index("。") + 1] in text


def test_items_short_lines_and_paragraphs_stay_lines_of_their_own(tmp_path: Path) -> None:
    lines = ["東京都千代田区", "山田太郎"]
    items = ["一、当社は災害時の協力協定を締結しますから", "二、備蓄倉庫の管理責任者として山田太郎を任", "命した。"]
    assert read(tmp_path, lettered(Page(), lines)).splitlines() == lines
    assert read(tmp_path, lettered(Page(), items)).splitlines() == [items[0], items[1] + items[2]]


def test_latin_words_among_chinese_and_korean_lines(tmp_path: Path) -> None:
    chinese = ["使用机器学习模型进行训练的时候需要", "Python和NVIDIA显卡,否则会很慢我们测试", "结束。"]
    korean = ["서울특별시는 이천이십사년 사월 일일에 재난", "협력 협정을 체결하고 비축 창고의 관리"]
    assert read(tmp_path, lettered(Page(), chinese)) == "".join(chinese)
    assert read(tmp_path, lettered(Page(), korean)).split() == " ".join(korean).split()


def test_lines_of_a_japanese_cell_are_joined(tmp_path: Path) -> None:
    page = Page().grid([100, 170, 260], [100, 150, 190])
    for x, y, lines in (
        (104, 112, ["災害時の協", "力協定"]),
        (174, 112, ["備考"]),
        (104, 162, ["倉庫"]),
        (174, 162, ["東京都千代田", "区丸の内"]),
    ):
        lettered(page, lines, x, y)
    assert read(tmp_path, page).splitlines()[::2] == ["| 災害時の協力協定 | 備考 |", "| 倉庫 | 東京都千代田区丸の内 |"]
