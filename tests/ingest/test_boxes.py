"""Boxes say where characters of a document stand on its pages as they are shown."""

import random
import re
import sqlite3
from base64 import b64decode
from contextlib import closing
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from PIL import ImageDraw, ImageFont

from ingest import Box, Embedder, Library
from ingest.errors import PathError
from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from ingest.loaders.places import unpack
from ingest.store import places, schema
from ingest.store.backup import export_library, import_library
from ingest.store.places import page_texts
from ingest.text.boxes import boxes_of
from tests.ingest.marked import letters, under
from tests.ingest.pages import HEIGHT, WIDTH, Page, picture_of, write
from tests.ingest.scans import LEASE

COLUMN = [f"Line {number} of the left column tells of the rent." for number in range(12)]
OTHER = [f"Line {number} of the right one names the tenants." for number in range(12)]


def boxes_in(parsed: Parsed, words: str, after: int = 0) -> list[Box]:
    """Of the first place where the words stand in a text, or the first after a character."""
    start = parsed.text.index(words, after)
    found = []
    for (first, number), packed, text in zip(parsed.pages or [], parsed.places, page_texts(parsed), strict=True):
        if packed:
            found += boxes_of(unpack(b64decode(packed), text), text, start - first, start - first + len(words), number)
    return found


def boxes(file: Path, words: str) -> list[Box]:
    return boxes_in(load(file), words)


def marked(file: Path, words: str) -> str:
    return under(file, boxes(file, words))


@pytest.mark.parametrize("crop", ["", "/CropBox [40 300 500 800]"])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_boxes_follow_a_page_that_is_turned_and_cropped(tmp_path: Path, turn: int, crop: str) -> None:
    page = Page(extra=f"/Rotate {turn} {crop}").lines(60, 100, ["The yearly rent is 480 000 kroner,", "paid each quarter in advance."])
    page.text(300, 400, "The margin says Bergen", turn=(0, 1, -1, 0)).text(420, 300, "and the other one Oslo", turn=(0, -1, 1, 0))
    write(tmp_path / "a.pdf", [page])
    for words in ("480 000 kroner,\npaid each", "Bergen", "other one Oslo", "quarter"):
        assert marked(tmp_path / "a.pdf", words) == letters(words)


def test_a_box_is_a_share_of_the_page_from_its_upper_left_corner(tmp_path: Path) -> None:
    write(tmp_path / "a.pdf", [Page().text(100, 200, "Bergen", 20), Page().text(0.5 * WIDTH, 0.5 * HEIGHT, "Oslo", 20)])
    (bergen,), (oslo,) = boxes(tmp_path / "a.pdf", "Bergen"), boxes(tmp_path / "a.pdf", "Oslo")
    assert (bergen.page, oslo.page) == (1, 2)
    assert bergen.x0 == pytest.approx(100 / WIDTH, abs=0.001) and bergen.y0 < 186 / HEIGHT < 200 / HEIGHT < bergen.y1 < 206 / HEIGHT
    assert oslo.x0 == pytest.approx(0.5, abs=0.001) and oslo.y0 < 0.5 < oslo.y1


def test_a_span_over_two_columns_has_a_rectangle_for_each_line(tmp_path: Path) -> None:
    write(tmp_path / "a.pdf", [Page().lines(50, 100, COLUMN).lines(320, 100, OTHER)])
    words = "\n".join(COLUMN[10:]) + "\n\n" + OTHER[0]
    found = boxes(tmp_path / "a.pdf", words)
    assert len(found) == 3 and under(tmp_path / "a.pdf", found) == letters(words)
    assert found[0].x1 < 0.5 < found[2].x0


def test_a_word_that_the_end_of_a_line_parts_has_two_boxes(tmp_path: Path) -> None:
    lines = ["The landlord sees to the main-", "tenance of the roof, and the low-", "pressure boiler is the tenant's."]
    write(tmp_path / "a.pdf", [Page().lines(50, 100, lines)])
    for words, count in (("maintenance", 2), ("tenance of", 1), ("low-pressure", 2), ("main", 1)):
        found = boxes(tmp_path / "a.pdf", words)
        assert (len(found), under(tmp_path / "a.pdf", found)) == (count, letters(words))


def test_a_word_that_a_page_break_parts_stands_on_both_pages(tmp_path: Path) -> None:
    above = Page().lines(50, 700, [*COLUMN[:3], "and is in need of main-"]).text(280, 820, "1")
    write(tmp_path / "a.pdf", [above, Page().lines(50, 60, ["tenance, as the surveyor said.", *OTHER]).text(280, 820, "2")])
    found = boxes(tmp_path / "a.pdf", "of maintenance")
    assert [box.page for box in found] == [1, 2] and under(tmp_path / "a.pdf", found) == "ofmaintenance"
    assert marked(tmp_path / "a.pdf", "surveyor") == "surveyor"


def test_a_header_that_is_repeated_on_the_next_page_stands_on_its_own(tmp_path: Path) -> None:
    pages = [Page().grid([50, 150, 250], [100, 120, 140, 160, 180]) for _ in range(2)]
    rows = [("Boat", "Seats"), *((f"Heron {number}", f"{10 + number}") for number in range(7))]
    for place, row in enumerate(rows):
        for column, text in enumerate(row):
            pages[place // 4].text(54 + 100 * column, 114 + 20 * (place % 4), text)
    write(tmp_path / "a.pdf", pages)
    parsed = load(tmp_path / "a.pdf")
    at = parsed.text.rindex("| Boat |")
    words = parsed.text[at:].strip()
    found = boxes_in(parsed, words, at)
    assert "Heron 3 | 13" in words and [box.page for box in found] == [1, 1, *[2] * 8]
    assert under(tmp_path / "a.pdf", found) == letters(words)


def test_ligatures_accents_and_raised_figures_are_found_where_they_are_drawn(tmp_path: Path) -> None:
    page = Page().letters(50, 100, "The o\ufb03ce at Ke\u0301rity is \ufb02at", 10).text(50, 130, "Some 10").text(90, 125, "6", 7)
    write(tmp_path / "a.pdf", [page.text(100, 130, "seals swim there")])
    for words, begin, wide in (("office", 4, 5), ("K\u00e9rity", 13, 7), ("flat", 24, 4)):  # a letter is 5 points wide, a ligature 10
        (box,) = boxes(tmp_path / "a.pdf", words)
        assert (WIDTH * box.x0, WIDTH * box.x1) == pytest.approx((50 + 5 * begin, 50 + 5 * (begin + wide)), abs=0.3), words
    assert marked(tmp_path / "a.pdf", "10^6 seals") == "106seals"


def test_each_cell_of_a_table_has_its_box(tmp_path: Path) -> None:
    page = Page().grid([50, 150, 250, 350], [100, 130, 160, 190, 220])
    rows = [["Town", "Rent", "Since"], ["Bergen", "480", "2021"], ["Oslo", "480", "2019"], ["Voss", "75", "2021"]]
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            page.text(60 + 100 * column, 120 + 30 * number, text)
    write(tmp_path / "a.pdf", [page])
    text = load(tmp_path / "a.pdf").text
    assert "| Oslo | 480 | 2019 |" in text
    start = text.index("| Oslo | 480 | 2019 |")
    found = boxes(tmp_path / "a.pdf", "| Oslo | 480 | 2019 |")
    assert len(found) == 3 and under(tmp_path / "a.pdf", found) == "Oslo4802019"
    assert start and (HEIGHT * found[1].y0 > 160 - 1) and HEIGHT * found[1].y1 < 190 + 1


def test_a_wide_tables_names_are_found_at_its_head_and_its_values_in_their_rows(tmp_path: Path) -> None:
    names = ["Number", "Flow rate", "Head (m)", "Power (kW)", "Speed (rpm)", "Weight (kg)", "Maker name", "Year built", "Site of use"]
    page = Page(box=(900, 600))
    for row in range(6):
        for column, name in enumerate(names):
            page.text(40 + 95 * column, 60 + 20 * row, name if not row else f"P-11{row}" if not column else f"{row * 37 + column}")
    write(tmp_path / "a.pdf", [page.grid([35 + 95 * n for n in range(10)], [45 + 20 * n for n in range(7)])])
    parsed = load(tmp_path / "a.pdf").text
    words = "P-113 Flow rate: 112; P-113 Head (m): 113"
    assert words in parsed
    found = boxes(tmp_path / "a.pdf", words)
    assert under(tmp_path / "a.pdf", found) == letters(words)


def test_text_over_a_scan_that_nobody_sees_has_boxes(tmp_path: Path) -> None:
    write(tmp_path / "a.pdf", [Page("3 Tr\n").lines(50, 100, COLUMN)])
    assert marked(tmp_path / "a.pdf", COLUMN[4]) == letters(COLUMN[4])


@pytest.fixture
def lease(tmp_path: Path) -> Path:
    file = tmp_path / "files" / "lease.pdf"
    file.parent.mkdir()
    write(file, [Page().lines(50, 100, COLUMN), Page(), Page().lines(50, 100, OTHER)])
    return file


def spot(library: Library, file: Path, words: str) -> str:
    start = library.text(file).index(words)
    return under(file, library.boxes(file, start, start + len(words)))


def test_a_library_keeps_places_with_the_text_and_removes_them_with_it(library: Library, lease: Path) -> None:
    library.add([lease])
    for words in (COLUMN[3], "\n\n".join([COLUMN[-1], OTHER[0]])):
        assert spot(library, lease, words) == letters(words)
    assert library.boxes(lease, 0, 0) == () == library.boxes(lease, 10_000, 20_000)
    write(lease, [Page().lines(50, 300, ["The lease ends in 2031."])])
    library.add([lease])
    assert spot(library, lease, "ends in 2031") == "endsin2031" and library.verify().ok
    library.remove(lease)
    with closing(schema.connect(library.directory)) as connection:
        assert connection.execute("select count(*) from places").fetchone() == (0,)
    with pytest.raises(PathError):
        library.boxes(lease, 0, 5)


def test_a_format_without_pages_has_no_boxes(library: Library, folder: Path) -> None:
    library.add([folder])
    assert library.boxes(folder / "mill.txt", 0, 20) == ()


def test_an_export_carries_places_and_refuses_those_of_another_text(
    library: Library, lease: Path, tmp_path: Path, embedder: Embedder
) -> None:
    library.add([lease])
    export_library(library.directory, tmp_path / "good.octavo")
    import_library(tmp_path / "good.octavo", tmp_path / "other")
    with Library.open(tmp_path / "other", embedder) as other:
        assert spot(other, lease, COLUMN[5]) == letters(COLUMN[5])


def test_repair_reads_again_what_has_no_places_if_its_file_is_the_same(library: Library, lease: Path) -> None:
    gone, changed = lease.with_name("gone.pdf"), lease.with_name("changed.pdf")
    write(gone, [Page().text(50, 100, "This one is taken away.")])
    write(changed, [Page().text(50, 100, "This one will change.")])
    library.add([lease.parent])
    with closing(schema.connect(library.directory, write=True)) as connection:
        connection.execute("delete from places")
    gone.unlink()
    write(changed, [Page().text(50, 100, "This one has changed.")])
    assert "3 documents were read before" in " ".join(library.verify().notes)
    before = [chunk.chunk.id for chunk in library.words("rent tenants", 9)]
    report = library.verify(repair=True)
    assert report.ok and report.repaired == (f"places: {lease} was read again",)
    assert any("2 documents were read before" in note for note in report.notes) and f"{gone} is gone from the disk" in report.notes
    assert [chunk.chunk.id for chunk in library.words("rent tenants", 9)] == before
    assert spot(library, lease, OTHER[2]) == letters(OTHER[2])


def test_damaged_places_cost_their_boxes_alone_and_are_repaired(library: Library, lease: Path) -> None:
    library.add([lease])
    with closing(sqlite3.connect(library.directory / "library.sqlite3")) as connection:
        connection.execute("update places set runs = x'00ff' where page = 1")
        connection.commit()
    start = library.text(lease).index(OTHER[0])
    assert library.boxes(lease, 0, 40) == () and library.boxes(lease, start, start + 9)
    assert "places" in library.verify().problems[0]
    assert library.verify(repair=True).ok and spot(library, lease, COLUMN[1]) == letters(COLUMN[1])
    assert not places.missing(schema.connect(library.directory))


@pytest.mark.slow
def test_what_stands_under_the_boxes_of_spans_of_found_files_is_the_span(shared: Path) -> None:
    chosen = random.Random(21)
    agreed = total = spans = 0
    for file in sorted((shared / "docs" / "good").glob("*.pdf")):
        parsed = load(file)
        words = [match.span() for match in re.finditer(r"\w+", parsed.text)]
        for length in (1, 2, 3, 5, 8, 13, 40) if len(words) > 40 else ():
            first = chosen.randrange(len(words) - length + 1)
            start, end = words[first][0], words[first + length - 1][1]
            wanted, found = letters(parsed.text[start:end]), under(file, boxes_in(parsed, parsed.text[start:end], start))
            blocks = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
            agreed += sum(block.size for block in blocks)
            total += max(len(wanted), len(found))
            spans += 1
    assert spans > 100 and agreed >= 0.98 * total, (spans, agreed, total)


SIZE, FONT = (1240, 800), ImageFont.load_default(36)


def test_words_that_ocr_reads_have_boxes(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="needs the extra ocr")
    picture_of("\n".join(LEASE), SIZE).save(tmp_path / "a.png")
    check_scan(load(tmp_path / "a.png", ocr=True), 1, 0)


@pytest.mark.slow
def test_words_of_scans_that_lie_on_their_sides_have_boxes(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="needs the extra ocr")
    scans = [picture_of("\n".join(LEASE), SIZE).rotate(turn, expand=True) for turn in (0, 90, 180, 270)]
    write(tmp_path / "a.pdf", [Page(picture=scan, box=(scan.width // 2, scan.height // 2)) for scan in scans])
    parsed = load(tmp_path / "a.pdf", ocr=True)
    for page, turn in enumerate((0, 90, 180, 270), 1):
        check_scan(parsed, page, turn)


def check_scan(parsed: Parsed, page: int, turn: int) -> None:
    """Words of LEASE stand on the page where they were drawn before it was turned counter-clockwise."""
    for line, word in ((0, "warehouse"), (2, "2026."), (3, "quarter.")):
        (box,) = boxes_in(parsed, word, (parsed.pages or [])[page - 1][0])
        left, top, right, bottom = {
            0: (box.x0, box.y0, box.x1, box.y1),
            90: (1 - box.y1, box.x0, 1 - box.y0, box.x1),
            180: (1 - box.x1, 1 - box.y1, 1 - box.x0, 1 - box.y0),
            270: (box.y0, 1 - box.x1, box.y1, 1 - box.x0),
        }[turn]
        begin = 80 + FONT.getlength(LEASE[line].partition(word)[0])
        assert box.page == page
        assert (SIZE[0] * left, SIZE[0] * right) == pytest.approx((begin, begin + FONT.getlength(word)), abs=10), (turn, word)
        lower = ImageDraw.Draw(picture_of("")).multiline_textbbox((80, 100), "\n".join(LEASE[: line + 1]), FONT, spacing=20)[3]
        assert SIZE[1] * top < lower - 15 < SIZE[1] * bottom, (turn, word)
