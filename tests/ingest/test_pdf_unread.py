"""What a PDF page shows and its text layer lacks is noted, with how much of the page it is; what is no text is not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from tests.ingest.pages import HEIGHT, WIDTH, Page, picture_of, write
from tests.ingest.scans import LEASE, PROSE, outlined, photo, place, scan_of


def read(tmp_path: Path, *pages: Page) -> Parsed:
    write(tmp_path / "a.pdf", list(pages))
    return load(tmp_path / "a.pdf")


def typed() -> Page:
    return Page().lines(50, 60, PROSE)


def scanned() -> Page:
    return Page(picture=picture_of("\n".join(LEASE * 5)))


@pytest.mark.parametrize(
    "stamp",
    [
        "APPROVED",
        "Page 1 of 2",
        "MILL0001234",
        "Downloaded from the library of the university on 12 March 2024. For personal use only; no other use without permission.",
    ],
)
def test_a_stamp_does_not_make_a_scan_read(tmp_path: Path, stamp: str) -> None:
    parsed = read(tmp_path, scanned().text(60, 820, stamp, 8))
    assert parsed.scanned == [1] and stamp in parsed.text
    assert parsed.notes[0].startswith("scanned: page 1")


def test_pages_that_are_not_read_are_told_as_ranges_with_their_share(tmp_path: Path) -> None:
    half = typed()
    place(half, scan_of(LEASE), 50, 300, 420, 180)
    parsed = read(tmp_path, typed(), scanned(), scanned(), typed(), half)
    assert parsed.scanned == [2, 3, 5]
    (note,) = parsed.notes
    start, _, share = note.partition("; page 5, ")
    assert start == "scanned: pages 2-3 not read"
    assert 25 < int(share.removesuffix(" % not read")) < 60


def test_a_scan_in_strips_and_one_within_a_form_are_seen(tmp_path: Path) -> None:
    whole = picture_of("\n".join(LEASE * 3), (620, 877), 18)
    strips = Page().text(60, 820, "Page 1 of 2")
    for top in range(0, 877, 110):
        part = whole.crop((0, top, 620, min(877, top + 110)))
        place(strips, part, 0, top * HEIGHT / 877, WIDTH, part.height * HEIGHT / 877)
    assert read(tmp_path, strips).scanned == [1]


def test_an_invisible_layer_over_a_scan_is_believed_and_what_it_lacks_is_noted(tmp_path: Path) -> None:
    def layered(lines: int) -> Page:
        picture = Image.new("L", (WIDTH * 2, HEIGHT * 2), 255)
        for number in range(20):
            ImageDraw.Draw(picture).text((100, 100 + 60 * number), LEASE[number % 4], fill=0, font=ImageFont.load_default(34))
        page = Page("3 Tr\n", picture=picture)
        return page.lines(50, 50 + 15, [LEASE[number % 4] for number in range(lines)], 17, 30)

    assert read(tmp_path, layered(20)).notes == []
    parsed = read(tmp_path, layered(3))
    assert parsed.scanned == [1] and LEASE[0] in parsed.text


def test_text_drawn_as_shapes_is_seen_with_a_live_footer_and_without(tmp_path: Path) -> None:
    parsed = read(tmp_path, outlined(Page().text(60, 800, "Brochure 2024"), 60, 100, LEASE), outlined(Page(), 60, 100, LEASE))
    assert parsed.scanned == [1, 2] and "Brochure 2024" in parsed.text


def test_photos_logos_backgrounds_charts_and_codes_are_not_taken_for_text(tmp_path: Path) -> None:
    with_photo = place(typed(), photo(), 100, 300, 300, 300)
    with_logo = place(typed(), picture_of("MILL", (120, 50), 30), 440, 20, 90, 38)
    backed = Page(picture=photo((600, 850)))
    backed.lines(50, 60, PROSE)
    chart = typed()
    for bar in range(60):
        chart.content += f"{60 + 7 * bar} 200 5 {20 + 13 * bar % 170} re f\n"
    heat = Image.new("L", (400, 200), 255)
    for cell in range(200):
        x, y = cell % 20 * 20, cell // 20 * 20
        ImageDraw.Draw(heat).rectangle((x, y, x + 20, y + 16), fill=cell * 37 % 256)
    heated = place(typed(), heat, 60, 300, 400, 200)
    modules = np.random.default_rng(2).integers(0, 2, (29, 29)).astype(np.uint8) * 255
    coded = place(typed(), Image.fromarray(modules).resize((290, 290), Image.Resampling.NEAREST), 50, 500, 120, 120)
    dots = typed()
    for x, y in np.random.default_rng(3).random((900, 2)) * (400, 300) + (60, 100):
        dots.content += f"{x:.1f} {y:.1f} m {x + 3:.1f} {y + 1:.1f} {x + 2:.1f} {y + 4:.1f} {x:.1f} {y + 3:.1f} c f\n"
    parsed = read(tmp_path, with_photo, with_logo, backed, chart, heated, coded, dots)
    assert (parsed.scanned, parsed.notes) == ([], [])


@pytest.mark.parametrize("kind", ["small table", "light on dark", "on its side", "faint", "over a photo"])
def test_pictures_of_text_are_seen_however_they_look(tmp_path: Path, kind: str) -> None:
    scan = scan_of(LEASE)
    pictures = {
        "small table": (scan_of(["Item   Price   Count", "Pump    120     4", "Valve    35    17"], (700, 300)), 210, 90),
        "light on dark": (ImageOps.invert(scan), 420, 180),
        "on its side": (scan.rotate(90, expand=True), 180, 420),
        "faint": (scan.point(lambda value: 150 + value * 50 // 255), 420, 180),
        "over a photo": (ImageChops.darker(scan, photo(scan.size)), 420, 180),
    }
    picture, width, height = pictures[kind]
    assert read(tmp_path, place(typed(), picture, 50, 200, width, height)).scanned == [1]


def test_a_picture_that_is_clipped_away_or_covered_is_not_missed(tmp_path: Path) -> None:
    clipped, covered = typed(), place(typed(), scan_of(LEASE), 50, 200, 420, 180)
    clipped.content += "q 50 600 20 20 re W n\n"
    place(clipped, scan_of(LEASE), 50, 200, 420, 180).content += "Q\n"
    covered.content += "1 g 40 300 500 400 re f 0 g\n"
    assert read(tmp_path, clipped, covered).scanned == []


def test_a_picture_without_a_word_beside_it_waits_for_ocr_as_before(tmp_path: Path) -> None:
    parsed = read(tmp_path, Page(picture=photo((600, 850))), typed())
    assert parsed.scanned == [1] and parsed.notes == ["scanned: page 1 not read"]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_words_of_a_turned_page_are_found_on_its_picture(tmp_path: Path, turn: int) -> None:
    page = Page(extra=f"/Rotate {turn}")
    page.lines(50, 60, PROSE)
    assert read(tmp_path, place(page, photo(), 100, 300, 300, 300)).notes == []
    parsed = read(tmp_path, place(page, scan_of(LEASE), 50, 620, 420, 180))
    assert parsed.scanned == [1] and PROSE[0] in parsed.text
