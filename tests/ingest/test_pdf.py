"""A PDF gives what a person sees on its pages, in the order in which it is read."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import LoadError, Parsed
from tests.conftest import ROOT
from tests.ingest.pages import Page, picture_of, write

LEFT = [
    "The sluice gates were opened at dawn by",
    "the keeper, who had waited for the tide all",
    "night. He wrote the hour into the log and",
    "went to wake the others in the mill house.",
    "Nobody had slept well because of the wind.",
]
RIGHT = [
    "Two miles down the coast the harbour was",
    "already busy. Carts stood along the wall and",
    "the first boats had landed their catch, which",
    "was small for the season. The price of eels",
    "had gone up again since the last market day.",
]


def read(path: Path, *pages: Page, **more: object) -> Parsed:
    write(path / "a.pdf", list(pages), **more)  # type: ignore[arg-type]
    return load(path / "a.pdf")


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def test_columns_are_read_one_after_the_other_though_the_file_has_them_line_by_line(tmp_path: Path) -> None:
    page = Page().text(50, 60, "The Tide Mill Gazette of the Eastern Coast and its Villages, Number Twelve", 14)
    for number, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        page.text(50, 100 + 14 * number, left).text(310, 100 + 14 * number, right)
    text = read(tmp_path, page).text
    assert "\n".join(LEFT) in text and "\n".join(RIGHT) in text
    assert text.index("Gazette") < text.index(LEFT[0]) < text.index(LEFT[-1]) < text.index(RIGHT[0])
    assert not rows(text)


def test_columns_whose_lines_are_not_level_are_not_mixed(tmp_path: Path) -> None:
    page = Page()
    for number, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        page.text(310, 107 + 15 * number, right).text(50, 100 + 14 * number, left)
    text = read(tmp_path, page).text
    assert "\n".join(LEFT) in text and "\n".join(RIGHT) in text
    assert text.index(LEFT[-1]) < text.index(RIGHT[0])


@pytest.mark.parametrize("turn", [(0, 1, -1, 0), (0, -1, 1, 0), (-1, 0, 0, -1)])
def test_turned_text_is_read_line_by_line(tmp_path: Path, turn: tuple[int, int, int, int]) -> None:
    page = Page()
    a, b, _, _ = turn
    for number, line in enumerate(LEFT):
        down = 14 * number
        page.text(300 + down * b - 200 * a, 400 + down * a + 200 * b, line, turn=turn)
    assert "\n".join(LEFT) in read(tmp_path, page).text


def test_a_page_that_is_shown_turned_reads_the_same(tmp_path: Path) -> None:
    pages = [Page(extra="/Rotate 90"), Page(extra="/Rotate 270")]
    for page, b in zip(pages, (1, -1), strict=True):
        for number, line in enumerate(LEFT):
            page.text(300 + 14 * number * b, 400 + 200 * b, line, turn=(0, b, -b, 0))
    parsed = read(tmp_path, *pages)
    assert parsed.text.count("\n".join(LEFT)) == 2


def test_text_along_the_margin_follows_the_pages_own(tmp_path: Path) -> None:
    page = Page().text(30, 500, "Stamped in the archive", turn=(0, 1, -1, 0)).lines(50, 100, LEFT)
    text = read(tmp_path, page).text
    assert "\n".join(LEFT) in text
    assert text.index(LEFT[-1]) < text.index("Stamped in the archive")


def test_a_ruled_table_becomes_markdown_rows_under_its_header(tmp_path: Path) -> None:
    page = Page().text(50, 90, "Catch by boat").grid([50, 150, 250, 400], [100, 120, 140, 175])
    for x, cells in ((55, ["Boat", "Heron", "Gull"]), (155, ["Eels", "12", "7"]), (255, ["Remark", "sold at once", "returned with"])):
        for y, cell in zip((114, 134, 154), cells, strict=True):
            page.text(x, y, cell)
    page.text(255, 168, "a torn net").text(50, 200, "The harbour master counted them.")
    text = read(tmp_path, page).text
    table = ["| Boat | Eels | Remark |", "| --- | --- | --- |", "| Heron | 12 | sold at once |", "| Gull | 7 | returned with a torn net |"]
    assert rows(text) == table
    assert text.startswith("Catch by boat") and text.rstrip().endswith("The harbour master counted them.")


def test_lines_are_the_rows_where_only_the_columns_are_ruled(tmp_path: Path) -> None:
    page = Page().grid([50, 150, 250], [100, 120, 185])
    for x, cells in ((55, ["Boat", "Heron", "Gull", "Tern"]), (155, ["Eels", "12", "7", "9"])):
        for number, cell in enumerate(cells):
            page.text(x, 114 + 20 * number, cell)
    assert rows(read(tmp_path, page).text) == ["| Boat | Eels |", "| --- | --- |", "| Heron | 12 |", "| Gull | 7 |", "| Tern | 9 |"]


def test_a_row_without_walls_in_a_ruled_table_has_its_columns(tmp_path: Path) -> None:
    page = Page().grid([50, 150, 250, 400], [100, 120, 140]).grid([50, 150, 250, 400], [160, 180])
    page.rule(50, 140, 50, 160).rule(400, 140, 400, 160)
    rows_seen = [("Boat", "Eels", "Remark"), ("Heron", "12", "sold"), ("Gull", "7", "sold at once"), ("Tern", "9", "")]
    for number, cells in enumerate(rows_seen):
        for x, cell in zip((55, 155, 255), cells, strict=True):
            page.text(x, 114 + 20 * number, cell)
    table = [f"| {' | '.join(cells)} |" for cells in rows_seen]
    assert rows(read(tmp_path, page).text) == [table[0], "| --- | --- | --- |", *table[1:]]


def test_a_table_without_rules_becomes_rows_with_its_empty_cells(tmp_path: Path) -> None:
    page = Page().lines(
        50, 60, ["Every boat that landed in May is listed below with what it brought to", "the market and at which price it went."]
    )
    for number, cells in enumerate([("Boat", "Eels", "Price"), ("Heron", "12", "3.50"), ("Gull", "", "4.00"), ("Tern", "9", "2.75")]):
        for x, cell in zip((50, 200, 350), cells, strict=True):
            page.text(x, 100 + 16 * number, cell)
    page.lines(50, 190, ["The prices are those of the first auction, and what was sold later went for", "less than half of them."])
    text = read(tmp_path, page).text
    table = ["| Boat | Eels | Price |", "| --- | --- | --- |", "| Heron | 12 | 3.50 |", "| Gull |  | 4.00 |", "| Tern | 9 | 2.75 |"]
    assert rows(text) == table
    assert "at which price it went." in text and "less than half of them." in text


def test_a_cells_second_line_belongs_to_its_row_where_rows_stand_further_apart(tmp_path: Path) -> None:
    page = Page()
    seen = [
        (60, "Part", "Price", "Remark"),
        (86, "Valve", "12", "none"),
        (112, "Seal", "15", "sold at once to"),
        (156, "Pump", "340", "none"),
    ]
    for y, *cells in seen:
        for x, cell in zip((50, 200, 300), cells, strict=True):
            page.text(x, y, cell)
    page.text(300, 130, "the first")
    table = ["| Part | Price | Remark |", "| --- | --- | --- |", "| Valve | 12 | none |", "| Seal | 15 | sold at once to the first |"]
    assert rows(read(tmp_path, page).text) == [*table, "| Pump | 340 | none |"]


def test_prose_and_lists_are_never_made_into_tables(tmp_path: Path) -> None:
    page = Page().lines(50, 60, LEFT)
    for number, line in enumerate(RIGHT):
        page.text(50, 160 + 14 * number, f"{number + 1}.").text(80, 160 + 14 * number, line)
    for number, words in enumerate([("A", "wide", "line"), ("set", "out", "of all"), ("measure", "by", "its printer")]):
        page.text(50, 260 + 14 * number, "       ".join(words))
    text = read(tmp_path, page).text
    assert not rows(text)
    assert f"1. {RIGHT[0]}\n2. {RIGHT[1]}" in text
    assert "\n".join(LEFT) in text


def test_items_in_a_column_stay_with_their_numbers_however_far_these_stand_out(tmp_path: Path) -> None:
    page = Page()
    for number, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        page.text(50, 60 + 14 * number, f"{number + 1}.").text(80, 60 + 14 * number, left).text(330, 60 + 14 * number, right)
    text = read(tmp_path, page).text
    assert "\n".join(f"{number}. {line}" for number, line in enumerate(LEFT, 1)) in text and "\n".join(RIGHT) in text


def test_what_is_drawn_twice_in_one_place_is_read_once(tmp_path: Path) -> None:
    lines = [f"{number} {line}" for number, line in enumerate(LEFT * 6)]
    text = read(tmp_path, Page().lines(50, 60, lines).lines(50.4, 60, lines)).text
    assert text == "\n".join(lines) + "\n\n"


def test_short_lines_side_by_side_and_out_of_step_are_two_columns(tmp_path: Path) -> None:
    left = [(60, "In another moment."), (90, "Down went Alice."), (120, "Never once did she"), (134, "consider the way out.")]
    right = [(67, "The rabbit hole went"), (81, "straight on like this"), (95, "for some way, and then"), (112, "it dipped suddenly.")]
    page = Page()
    for x, (y, line) in sorted([*((50, part) for part in left), *((300, part) for part in right)], key=lambda placed: placed[1]):
        page.text(x, y, line)
    text = " ".join(read(tmp_path, page).text.split())
    assert text == " ".join(line for _, line in left + right)


def test_frames_around_running_text_are_no_table(tmp_path: Path) -> None:
    page = Page().grid([40, 300, 560], [80, 400, 420]).text(50, 414, "Left").text(310, 414, "Right")
    page.lines(50, 100, LEFT * 4).lines(310, 100, RIGHT * 4)
    text = read(tmp_path, page).text
    assert not rows(text) and "\n".join(LEFT * 4) in text and "\n".join(RIGHT * 4) in text


def test_words_that_were_split_at_a_line_end_are_joined(tmp_path: Path) -> None:
    page = Page().lines(50, 60, ["Every autumn the keeper of the mill main-", "tains the gates; the well-known eel pass", "is cleaned."])
    text = read(tmp_path, page).text
    assert "the mill maintains the gates" in text and "well-known" in text


def test_paragraphs_are_told_apart_by_the_gap_between_them(tmp_path: Path) -> None:
    text = read(tmp_path, Page().lines(50, 60, LEFT).lines(50, 160, RIGHT)).text
    assert text == "\n".join(LEFT) + "\n\n" + "\n".join(RIGHT) + "\n\n"


def test_larger_and_bold_lines_are_headings(tmp_path: Path) -> None:
    page = Page().text(50, 60, "The Tide Mill", 22).lines(50, 100, LEFT).text(50, 190, "Harbour", 11, bold=True).lines(50, 220, RIGHT)
    page.text(50, 320, "Prices", 16).lines(50, 350, LEFT)
    parsed = read(tmp_path, page)
    assert [(level, title) for _, level, title in parsed.headings] == [(1, "The Tide Mill"), (3, "Harbour"), (2, "Prices")]
    assert all(parsed.text[start:].startswith(title + "\n") for start, _, title in parsed.headings)


def test_the_outline_tells_headings_where_its_titles_stand_on_their_pages(tmp_path: Path) -> None:
    pages = [Page().text(50, 60, f"{number}  {title}").lines(50, 100, LEFT) for number, title in ((1, "Gates"), (2, "Eels"))]
    outline = [
        "<< /Type /Outlines /First 6 0 R /Last 6 0 R >>",
        "<< /Title (Gates) /Parent 5 0 R /First 7 0 R /Last 7 0 R /Dest [9 0 R /Fit] >>",
        "<< /Title (Eels) /Parent 6 0 R /Dest [11 0 R /Fit] >>",
    ]
    parsed = read(tmp_path, *pages, catalog="/Outlines 5 0 R", more=outline)
    assert [(level, title) for _, level, title in parsed.headings] == [(1, "1 Gates"), (2, "2 Eels")]


def test_a_file_encrypted_under_no_password_opens_and_another_does_not(tmp_path: Path) -> None:
    assert LEFT[0] in read(tmp_path, Page().lines(50, 60, LEFT), password=b"").text
    with pytest.raises(LoadError, match="encrypted: only its password opens it"):
        read(tmp_path, Page().lines(50, 60, LEFT), password=b"eel")


def test_filled_fields_and_remarks_are_read_and_comments_follow(tmp_path: Path) -> None:
    field = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (boat) /V (Heron of Hull) /DA (/Helv 11 Tf 0 g) /F 4 /Rect [150 730 350 750] >>"
    remark = "<< /Type /Annot /Subtype /FreeText /Contents (Paid in full) /DA (/Helv 11 Tf 0 g) /F 4 /Rect [150 690 350 710] >>"
    note = "<< /Type /Annot /Subtype /Text /Contents (Ask the owner) /F 4 /Rect [500 690 520 710] >>"
    page = Page(objects=[field, remark, note]).text(50, 105, "Boat:").text(50, 300, "Signed at the harbour.")
    fonts = "<< /Font << /Helv 3 0 R >> >>"
    text = read(tmp_path, page, catalog=f"/AcroForm << /Fields [6 0 R] /NeedAppearances true /DA (/Helv 11 Tf 0 g) /DR {fonts} >>").text
    assert "Boat: Heron of Hull" in text
    assert text.index("Heron") < text.index("Signed at the harbour.") < text.index("Comment: Ask the owner")


def test_attached_files_are_named_in_a_note(tmp_path: Path) -> None:
    more = ["<< /Type /Filespec /F (catch.xlsx) /UF (catch.xlsx) >>"]
    parsed = read(tmp_path, Page().lines(50, 60, LEFT), catalog="/Names << /EmbeddedFiles << /Names [(catch.xlsx) 5 0 R] >> >>", more=more)
    assert parsed.notes == ["1 attachment not read: catch.xlsx"]


def test_scanned_and_blank_pages_are_listed(tmp_path: Path) -> None:
    scan = Page(picture=picture_of("The mill"))
    stamped = Page(picture=picture_of("The mill")).text(500, 830, "page 3")
    parsed = read(tmp_path, Page().lines(50, 60, LEFT), scan, stamped, Page())
    assert (parsed.scanned, parsed.ocr, parsed.empty) == ([2, 3], [], [4])
    assert [number for _, number in parsed.pages or []] == [1, 2, 3, 4]


def test_a_file_of_scanned_pages_only_is_no_error_and_one_of_blank_pages_is(tmp_path: Path) -> None:
    parsed = read(tmp_path, Page(picture=picture_of("The mill")))
    assert parsed.scanned == [1] and not parsed.text.strip()
    with pytest.raises(LoadError, match="blank"):
        read(tmp_path, Page(), Page())


def test_a_text_layer_that_says_nothing_is_a_scan(tmp_path: Path) -> None:
    cmap = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange\n"
    cmap += "1 beginbfrange <20> <7E> <E020> endbfrange endcmap end"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    page = Page().lines(50, 60, LEFT)
    page.content = page.content.replace("/F1", "/F9")
    page.extra = "/Resources << /Font << /F9 5 0 R >> >>"
    write(tmp_path / "a.pdf", [page], more=[font, f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream"])
    data = (tmp_path / "a.pdf").read_bytes().replace(b"/Font << /F1 3 0 R /F2 4 0 R >>", b"/Font << /F9 5 0 R /F2 4 0 R >>")
    (tmp_path / "a.pdf").write_bytes(data)
    assert load(tmp_path / "a.pdf").scanned == [1]


def test_a_broken_page_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path / "a.pdf", [Page().text(50, 60, f"This is page {number}") for number in (1, 2, 3)])
    data = (tmp_path / "a.pdf").read_bytes()
    second = data.index(b"/Type /Page ", data.index(b"/Type /Page ") + 1)
    (tmp_path / "a.pdf").write_bytes(data[:second] + b"/Type /Prey " + data[second + 12 :])
    parsed = load(tmp_path / "a.pdf")
    assert "This is page 1" in parsed.text and "This is page 3" in parsed.text and "page 2" not in parsed.text
    assert parsed.notes == ["page 2 can't be read"]
    assert [number for _, number in parsed.pages or []] == [1, 2, 3]


def test_what_lies_outside_the_page_is_not_read(tmp_path: Path) -> None:
    page = Page(extra="/CropBox [0 400 595 842]").lines(50, 60, LEFT).text(50, 700, "Printer's marks")
    assert "Printer" not in read(tmp_path, page).text


def test_memory_stays_flat_over_a_long_file(tmp_path: Path) -> None:
    padding = f"% {'what a page weighs ' * 1500}\n"
    write(tmp_path / "a.pdf", [Page(padding).lines(50, 60, LEFT).text(50, 300, f"{number}") for number in range(2000)])
    code = "import sys, pathlib, ingest.loaders.pdf.document as pdf\n"
    code += "peak = lambda: int(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    code += "before = peak()\n"
    code += "print(len(pdf.load(pathlib.Path(sys.argv[1])).pages), peak() - before)"
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.pdf")], capture_output=True, text=True, cwd=ROOT, check=True)
    pages, grown = map(int, ran.stdout.split())
    assert pages == 2000
    assert grown < 45_000, "kB"
