"""Hebrew and Arabic in a PDF are read from right to left, and what stands beside them as it is read."""

from pathlib import Path

from ingest.loaders import load
from tests.ingest.pages import Page, write

ENGLISH = """\
The sluice gates were opened at dawn
by the keeper, who had waited for
the tide all night. He wrote the
hour into the log and slept a while""".splitlines()
OTHER = """\
Two miles down the coast was the
harbour, busy since the morning. A
cart stood by the wall, and boats
had landed what the night had left""".splitlines()
HEBREW = ["שערי הסכר נפתחו עם שחר בידי", "השומר שחיכה לגאות כל הלילה.", "הוא כתב את השעה ביומן והלך", "להעיר את האחרים בבית הטחנה"]


def read(path: Path, *pages: Page) -> str:
    write(path / "a.pdf", list(pages))
    return load(path / "a.pdf").text.strip()


def right(page: Page, x: float, y: float, seen: str) -> Page:
    """Text that ends at x, given as it is seen from left to right."""
    return page.letters(x - 5.5 * len(seen), y, seen)


def test_one_hebrew_word_turns_no_columns_off(tmp_path: Path) -> None:
    page = Page()
    for number, (left, beside) in enumerate(zip(ENGLISH, OTHER, strict=True)):
        page.text(50, 60 + 14 * number, left).text(310, 60 + 14 * number, beside)
    page.letters(50, 116, "in " + "שלום"[::-1] + " once")
    assert read(tmp_path, page).splitlines() == [*ENGLISH, "in שלום once", *OTHER]


def test_columns_of_hebrew_are_read_from_the_right_one(tmp_path: Path) -> None:
    page = Page()
    for number, (first, second) in enumerate(zip(HEBREW, reversed(HEBREW), strict=True)):
        right(right(page, 545, 60 + 14 * number, first[::-1]), 280, 60 + 14 * number, second[::-1])
    assert read(tmp_path, page).splitlines() == [*HEBREW, *reversed(HEBREW)]


def test_each_column_has_its_own_direction(tmp_path: Path) -> None:
    page = Page()
    for number, (left, beside) in enumerate(zip(ENGLISH, HEBREW, strict=True)):
        right(page.text(50, 60 + 14 * number, left), 545, 60 + 14 * number, beside[::-1])
    text = read(tmp_path, page)
    assert "\n".join(ENGLISH) in text and "\n".join(HEBREW) in text


def test_numbers_latin_words_and_brackets_within_hebrew(tmp_path: Path) -> None:
    seen = ["ןטק Tide Mill ללש", "(1921 תנש) 15% דועו", "03-1234567 ןופלט"]
    page = Page()
    for number, line in enumerate(seen):
        right(page, 545, 60 + 14 * number, line)
    assert read(tmp_path, page).splitlines() == ["שלל Tide Mill קטן", "ועוד 15% (שנת 1921)", "טלפון 03-1234567"]


def test_an_arabic_table_without_rules_has_its_cells_and_the_empty_ones(tmp_path: Path) -> None:
    page = Page()
    for number, row in enumerate([("القطعة", "الكمية", "السعر"), ("صمام", "4", "120"), ("مضخة كبيرة", "7", "340"), ("حلقة", "", "15")]):
        for x, cell in zip((540, 420, 300), row, strict=True):
            right(page, x, 60 + 24 * number, cell if cell.isdigit() else cell[::-1]) if cell else page
    table = ["| القطعة | الكمية | السعر |", "| --- | --- | --- |", "| صمام | 4 | 120 |", "| مضخة كبيرة | 7 | 340 |", "| حلقة |  | 15 |"]
    assert read(tmp_path, page).splitlines() == table


def test_a_ruled_hebrew_table_and_an_english_one_with_hebrew_cells(tmp_path: Path) -> None:
    hebrew, english = Page().grid([100, 220, 340], [100, 120, 140, 160]), Page().grid([100, 220, 340], [100, 120, 140, 160])
    for y, first, second in ((114, "סעיף", "מחיר"), (134, "שסתום", "120"), (154, "טבעת", "15")):
        right(right(hebrew, 335, y, first[::-1]), 215, y, second if second.isdigit() else second[::-1])
    for y, first, second in ((114, "Part", "Name"), (134, "B2", "םותסש"), (154, "C3", "תעבט")):
        english.letters(104, y, first).letters(224, y, second)
    assert read(tmp_path, hebrew).splitlines()[::2] == ["| סעיף | מחיר |", "| שסתום | 120 |"]
    assert read(tmp_path, english).splitlines()[::2] == ["| Part | Name |", "| B2 | שסתום |"]


def test_an_english_paragraph_and_list_on_a_hebrew_page_keep_their_order(tmp_path: Path) -> None:
    page = Page()
    for number, line in enumerate(HEBREW * 3):
        right(page, 545, 60 + 14 * number, line[::-1])
    page.lines(50, 300, ENGLISH).text(50, 400, "1.").text(75, 400, "first of all")
    text = read(tmp_path, page)
    assert "\n".join(ENGLISH) in text and "1. first of all" in text


def test_text_along_the_margin_of_a_page_with_a_hebrew_word_is_read(tmp_path: Path) -> None:
    page = Page().lines(50, 60, ENGLISH).letters(50, 200, "in " + "שלום"[::-1] + " once").text(30, 500, "Stamped here", turn=(0, 1, -1, 0))
    text = read(tmp_path, page)
    assert "in שלום once" in text and text.endswith("Stamped here")


def spoken(page: Page, x: float, y: float, text: str) -> Page:
    """Glyphs from left to right, and beside them what they say, in the order in which it is read."""
    seen, said = (word.encode("utf-16-be").hex() for word in (text[::-1], text))
    page.content += f"BT /F3 11 Tf 1 0 0 1 {x} {page.box[1] - y} Tm /Span <</ActualText <FEFF{said}> >> BDC <{seen}> Tj EMC ET\n"
    return page


def test_a_line_whose_letters_tell_their_text_beside_them_is_not_upside_down(tmp_path: Path) -> None:
    page = Page().grid([80, 180, 280, 400], [46, 66, 86, 106])
    for y, row in ((60, ("القطعة", "الكمية", "السعر")), (80, ("صمام", "4", "120")), (100, ("مضخة", "7", "340"))):
        for x, cell in zip((300, 200, 100), row, strict=True):
            page = page.letters(x, y, cell) if cell.isdigit() else spoken(page, x, y, cell)
    table = ["| القطعة | الكمية | السعر |", "| --- | --- | --- |", "| صمام | 4 | 120 |", "| مضخة | 7 | 340 |"]
    assert read(tmp_path, page).splitlines() == table
