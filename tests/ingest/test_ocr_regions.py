"""With OCR, what the text layer of a PDF page lacks is read where it stands among the layer's words, and nothing twice."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from tests.ingest.pages import Page, picture_of, write
from tests.ingest.scans import GLYPHS, GLYPHS_OF, LEASE, PROSE, numbers, outlined, photo, place, scan_of, with_font

pytest.importorskip("rapidocr", reason="needs the extra ocr")


def read(tmp_path: Path, *pages: Page) -> Parsed:
    write(tmp_path / "a.pdf", list(pages))
    return load(tmp_path / "a.pdf", ocr=True)


def squeezed(text: str) -> str:
    return "".join(text.split())


def in_order(text: str, parts: list[str]) -> bool:
    at = [squeezed(text).find(squeezed(part)) for part in parts]
    return -1 not in at and at == sorted(at)


def test_a_picture_of_text_is_read_between_the_lines_around_it(tmp_path: Path) -> None:
    page = Page().lines(50, 60, PROSE).text(50, 420, "As the picture shows, the rent is high.")
    parsed = read(tmp_path, place(page, scan_of(LEASE), 50, 200, 420, 180))
    assert in_order(parsed.text, [*PROSE, *LEASE, "As the picture shows"])
    assert (parsed.ocr, parsed.scanned, parsed.notes) == ([1], [], [])


def test_a_stamp_over_a_scan_and_an_invisible_layer_are_not_read_twice(tmp_path: Path) -> None:
    stamped = Page(picture=picture_of("\n".join(LEASE))).text(60, 400, "APPROVED BY THE BOARD", 20).text(60, 820, "Page 1 of 2", 9)
    text = read(tmp_path, stamped).text
    assert in_order(text, [*LEASE, "APPROVED BY THE BOARD", "Page 1 of 2"])
    assert text.count("APPROVED") == squeezed(text).count("Page1of2") == 1
    layered = Page("3 Tr\n", picture=picture_of("\n".join(LEASE)))
    layered.lines(38, 66, LEASE, 17, 27.5)
    text = read(tmp_path, layered).text
    assert squeezed(text) == squeezed("".join(LEASE))


@pytest.mark.slow
def test_outlined_text_and_a_live_footer_are_both_told(tmp_path: Path) -> None:
    text = read(tmp_path, outlined(Page().text(60, 800, "Brochure 2024"), 60, 100, LEASE, 16)).text
    assert in_order(text, [*LEASE[:3], "kroner, paid each quarter.", "Brochure 2024"])


@pytest.mark.slow
def test_typed_answers_stand_in_the_lines_of_a_scanned_form(tmp_path: Path) -> None:
    form = Image.new("L", (1240, 1754), 255)
    page = Page(picture=form)
    labels = {"Name:": "Kari Nordmann", "Town:": "Bergen", "Country:": "Norway"}
    for number, (label, answer) in enumerate(labels.items()):
        ImageDraw.Draw(form).text((100, 120 + 100 * number), label, fill=0, font=ImageFont.load_default(36))
        page.text(150, (120 + 100 * number + 36) * 595 / 1240, answer, 14)
    ImageDraw.Draw(form).text((100, 520), "The undersigned agrees to all of the above.", fill=0, font=ImageFont.load_default(36))
    text = read(tmp_path, page).text
    assert in_order(text, [*(part for pair in labels.items() for part in pair), "The undersigned agrees"])


@pytest.mark.parametrize("turn", [90, *(pytest.param(turn, marks=pytest.mark.slow) for turn in (180, 270))])
def test_a_picture_on_a_turned_page_stands_where_it_is_seen(tmp_path: Path, turn: int) -> None:
    page = Page(box=(600, 600), extra=f"/Rotate {turn}")
    a, b, c, d = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[turn]

    def put(right: float, down: float, text: str) -> None:
        x, y = {90: (down, 600 - right), 180: (600 - right, 600 - down), 270: (600 - down, right)}[turn]
        page.text(x, y, text, turn=(a, b, c, d))

    put(50, 60, PROSE[0])
    put(50, 500, PROSE[1])
    upright = scan_of(LEASE).rotate(turn, expand=True)
    width, height = (420, 180) if turn == 180 else (180, 420)
    place(page, upright, {90: 200, 180: 130, 270: 220}[turn], {90: 130, 180: 220, 270: 50}[turn], width, height)
    assert in_order(read(tmp_path, page).text, [PROSE[0], *LEASE, PROSE[1]])


@pytest.mark.slow
def test_a_font_that_tells_no_letters_is_read_beside_one_that_does(tmp_path: Path) -> None:
    page = place(Page().text(50, 400, "Typed in another font"), scan_of(LEASE), 50, 60, 420, 180)
    for number, line in enumerate(LEASE):
        numbers(page, 50, 500 + 14 * number, line, {letter: 0xE000 + ord(letter) for letter in line})
    write(tmp_path / "a.pdf", [page], more=[GLYPHS, GLYPHS_OF])
    (tmp_path / "a.pdf").write_bytes(with_font((tmp_path / "a.pdf").read_bytes()))
    parsed = load(tmp_path / "a.pdf", ocr=True)
    assert in_order(parsed.text, [*LEASE, "Typed in another font"]) and "\ue000" not in parsed.text


def test_a_photo_beside_text_is_not_looked_at(tmp_path: Path) -> None:
    parsed = read(tmp_path, place(Page().lines(50, 60, PROSE), photo(), 100, 300, 300, 300))
    assert parsed.ocr == []


@pytest.mark.parametrize("orientation", [6, *(pytest.param(orientation, marks=pytest.mark.slow) for orientation in (1, 3, 8))])
def test_a_photographed_page_is_turned_as_its_camera_noted(tmp_path: Path, orientation: int) -> None:
    lying = {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    scan_of(LEASE).rotate(lying, expand=True).save(tmp_path / "a.jpg", exif=exif)
    assert in_order(load(tmp_path / "a.jpg", ocr=True).text, LEASE)
