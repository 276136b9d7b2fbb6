"""Slides are read as they are looked at: from the top, column by column, with bullets, raised figures and signs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pptx
import pytest
from lxml import etree
from pptx.util import Inches

from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from tests.ingest.feature_files import fraction
from tests.ingest.office_files import write_odf

A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_MATH = f"""<a:p xmlns:a="{A}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
 xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"
 ><a:r><a:t>so </a:t></a:r><mc:AlternateContent><mc:Choice Requires="a14"><a14:m><m:oMath>{fraction("7", "8")}</m:oMath></a14:m></mc:Choice>
 <mc:Fallback><a:r><a:t>picture</a:t></a:r></mc:Fallback></mc:AlternateContent></a:p>"""

Place = tuple[str, float, float, float, float]


def read(folder: Path, fill: Callable[[Any], None], layout: int = 6) -> Parsed:
    deck = pptx.Presentation()
    fill(deck.slides.add_slide(deck.slide_layouts[layout]))
    deck.save(str(folder / "a.pptx"))
    return load(folder / "a.pptx")


def box(shapes: Any, text: str, left: float, top: float, width: float = 3, height: float = 0.5) -> Any:
    made = shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    made.text_frame.text = text
    return made


def add_run(paragraph: Any, text: str, baseline: str = "", font: str = "") -> None:
    run = paragraph.add_run()
    run.text = text
    properties = run._r.get_or_add_rPr()
    if baseline:
        properties.set("baseline", baseline)
    if font:
        run.font.name = font


def bullet(paragraph: Any, kind: str, **attributes: str) -> None:
    etree.SubElement(paragraph._p.get_or_add_pPr(), f"{{{A}}}{kind}").attrib.update(attributes)


@pytest.mark.parametrize(
    ("places", "read_as"),
    [
        ([("low", 1, 5, 3, 0.5), ("high", 1, 1, 3, 0.5)], "high low"),
        (
            [("41 bar", 5, 1, 4, 0.6), ("Heat", 1, 2, 4, 0.6), ("90 C", 5, 2, 4, 0.6), ("Pressure", 1, 1, 4, 0.6)],
            "Pressure 41 bar Heat 90 C",
        ),
        (
            [
                ("R1", 5, 1, 4, 2),
                ("R2", 5, 3.1, 4, 2),
                ("L2", 0.5, 3.1, 4, 2),
                ("L1", 0.5, 1, 4, 2),
                ("Head", 0.5, 0.2, 8.5, 0.6),
                ("Foot", 0.5, 6.5, 8, 0.5),
            ],
            "Head L1 L2 R1 R2 Foot",
        ),
        (
            [(f"{part}{n}", 1 + 3 * n, 1.6 + 0.6 * row, 2, 0.5) for row, part in ((1, "text"), (0, "name")) for n in (2, 1, 0)],
            "name0 text0 name1 text1 name2 text2",
        ),
        (
            [
                ("Foot", 4.2, 6.5, 1.6, 0.5),
                ("R1", 6.5, 1, 3, 2),
                ("L2", 0.5, 3.1, 3, 2),
                ("L1", 0.5, 1, 3, 2),
                ("R2", 6.5, 3.1, 3, 2),
                ("Head", 4.2, 0.2, 1.6, 0.5),
            ],
            "Head L1 L2 R1 R2 Foot",
        ),
        ([("inner2", 1.5, 2.5, 2, 0.4), ("inner1", 1.5, 1.8, 2, 0.4), ("Card", 1, 1, 4, 3)], "Card inner1 inner2"),
    ],
    ids=["one column", "rows of pairs", "two columns", "cards", "short lines above and below columns", "a frame around others"],
)
def test_boxes_are_read_by_their_place(tmp_path: Path, places: list[Place], read_as: str) -> None:
    def fill(slide: Any) -> None:
        for place in places:
            box(slide.shapes, *place)

    assert read(tmp_path, fill).text.split() == read_as.split()


def test_placeholders_stand_where_their_layout_puts_them_and_groups_stay_together(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:
        for number, text in ((4, "right"), (3, "Right"), (2, "left"), (1, "Left")):
            slide.placeholders[number].text_frame.text = text
        group = slide.shapes.add_group_shape()
        box(group.shapes, "second", 1, 0.6, 2, 0.3)
        box(group.shapes, "first", 1, 0.1, 2, 0.3)
        slide.shapes.title.text_frame.text = "Compare"

    assert read(tmp_path, fill, layout=4).text == "Compare\n\nfirst\n\nsecond\n\nLeft\n\n- left\n\nRight\n\n- right\n\n"


def test_bullets_come_from_the_layout_and_nested_ones_are_indented(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:
        frame = slide.placeholders[1].text_frame
        frame.text = "one"
        for text, level in (("two", 1), ("three", 2), ("four", 0)):
            paragraph = frame.add_paragraph()
            paragraph.text, paragraph.level = text, level

    assert read(tmp_path, fill, layout=1).text == "- one\n  - two\n    - three\n- four\n\n"


def test_numbers_count_by_level_and_kind_and_ticks_are_kept(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:
        frame = box(slide.shapes, "", 1, 1).text_frame
        kinds = ("arabicPeriod", "alphaLcParenR", "alphaLcParenR", "arabicPeriod", "circleNumDbPlain")
        for kind, level in zip(kinds, (0, 1, 1, 0, 0), strict=True):
            paragraph = frame.add_paragraph()
            paragraph.text, paragraph.level = "x", level
            bullet(paragraph, "buAutoNum", type=kind)
        done = frame.add_paragraph()
        done.text = "done"
        bullet(done, "buFont", typeface="Wingdings")
        bullet(done, "buChar", char="þ")

    assert read(tmp_path, fill).text == "1. x\n  a) x\n  b) x\n2. x\n① x\n☑ done\n\n"


def test_raised_figures_signs_and_formulas_read_as_they_look(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:
        frame = box(slide.shapes, "", 1, 1).text_frame
        for text, baseline, font in [
            ("10", "", ""),
            ("6", "30000", ""),
            (" H", "", ""),
            ("2", "-25000", ""),
            ("O ", "", ""),
            ("þ", "", "Wingdings"),
        ]:
            add_run(frame.paragraphs[0], text, baseline, font)
        frame._txBody.append(etree.fromstring(_MATH))
        cells = slide.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
        add_run(cells.cell(0, 0).text_frame.paragraphs[0], "m")
        add_run(cells.cell(0, 0).text_frame.paragraphs[0], "2", "30000")
        cells.cell(1, 1).text = "x"

    assert read(tmp_path, fill).text == "10^6 H2O ☑\nso 7/8\n\n| m^2 |  |\n| --- | --- |\n|  | x |\n\n"


def test_a_shape_that_was_made_invisible_is_left_out_and_counted(tmp_path: Path) -> None:
    def fill(slide: Any) -> None:
        box(slide.shapes, "secret", 1, 1)._element.nvSpPr.cNvPr.set("hidden", "1")
        box(slide.shapes, "seen", 1, 2)

    parsed = read(tmp_path, fill)
    assert parsed.text == "seen\n\n"
    assert parsed.notes == ["1 hidden shape left out"]


def test_open_document_slides_are_read_by_place_too(tmp_path: Path) -> None:
    svg = 'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
    shapes = "".join(
        f'<draw:frame {svg} svg:x="{left}cm" svg:y="{top}in" svg:width="8cm" svg:height="1cm"><draw:text-box><text:p>{text}</text:p>'
        "</draw:text-box></draw:frame>"
        for text, left, top in (("last", 1, 5), ("right", 10, 1), ("left", 1, 1))
    )
    for page in (shapes, f"<draw:g>{shapes}</draw:g>"):
        parsed = load(write_odf(tmp_path / "a.odp", "presentation", f"<draw:page>{page}</draw:page>"))
        assert parsed.text == "left\n\nright\n\nlast\n\n"
