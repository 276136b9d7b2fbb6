"""Notebooks, Markdown, books and XML of many kinds are stored as their readers see them."""

import base64
import json
import zipfile
from pathlib import Path

import docx
import pytest
from lxml import etree

from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from ingest.loaders.web.markdown import headings
from ingest.loaders.web.notebook import terminal
from tests.ingest.office_files import write_zip

WORKBOOK = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Styles><Style ss:ID="d"><NumberFormat ss:Format="Short Date"/></Style><Style ss:ID="e" ss:Parent="d"/>
<Style ss:ID="p"><NumberFormat ss:Format="0.0%"/></Style></Styles>
<Worksheet ss:Name="Sales"><Table><Column/><Column ss:StyleID="p"/><Column ss:Hidden="1"/>
<Row><Cell ss:MergeAcross="1"><Data ss:Type="String">Report</Data></Cell></Row>
<Row ss:Index="3"><Cell><Data ss:Type="String">Day</Data></Cell><Cell><Data ss:Type="String">Rate</Data></Cell>
<Cell><Data ss:Type="String">Secret</Data></Cell><Cell><Data ss:Type="String">Area</Data></Cell></Row>
<Row><Cell ss:StyleID="e"><Data ss:Type="DateTime">2024-01-05T00:00:00.000</Data></Cell>
<Cell><Data ss:Type="Number">0.125</Data></Cell>
<Cell ss:Index="4"><ss:Data ss:Type="String" xmlns="urn:html"><B>km</B><Sup>2</Sup></ss:Data></Cell></Row>
<Row ss:Hidden="1"><Cell><Data ss:Type="String">gone</Data></Cell></Row>
<Row><Cell ss:Index="2"><Data ss:Type="Number">0.5</Data><Comment><ss:Data>check</ss:Data></Comment></Cell>
<Cell ss:Index="4"><Data ss:Type="Boolean">1</Data></Cell></Row></Table></Worksheet>
<Worksheet ss:Name="Old"><Table><Row><Cell><Data ss:Type="String">old</Data></Cell></Row></Table>
<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet></Workbook>"""
WORD = """<?xml version="1.0"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml" xmlns:wx="urn:wx">
<w:styles><w:style w:styleId="H"><w:name w:val="heading 2"/></w:style><w:style w:styleId="P1"><w:basedOn w:val="H"/></w:style></w:styles>
<w:body><wx:sect><w:p><w:pPr><w:pStyle w:val="P1"/></w:pPr><w:r><w:t>Title</w:t></w:r></w:p>
<w:p><w:r><w:t>Un</w:t></w:r><w:r><w:t>usual 10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>6</w:t></w:r>
<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>
<w:p><w:pPr><w:listPr><wx:t wx:val="1."/></w:listPr></w:pPr><w:r><w:t>one</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl></wx:sect></w:body></w:wordDocument>"""
TEI = """<TEI><teiHeader><title>Edition</title></teiHeader><text><body><div><head>Re<hi>port</hi></head>
<p>H<sub>2</sub>O, 10<hi rend="superscript">6</hi>, un<hi>believ</hi>able<note>see p. 3</note>, beauti<lb break="no"/>ful new<lb/>line,
<choice><sic>teh</sic><corr>the</corr></choice> caf&eacute; by <name><first>Ann</first><last>Lee</last></name>.</p>
<div><head>Sub</head><lg><l>One</l><l>Tw<hi>o</hi></l></lg><list><item>a</item><item>b<list type="ordered">
<item>c</item></list></item></list>
<table><row><cell>Part</cell><cell>Qty</cell></row><row><cell>H<sub>2</sub>O</cell><cell>4</cell></row></table></div></div></body></text></TEI>"""
ARTICLE = """<article xmlns:m="urn:mathml"><body><sec><title>Intro</title><p>Of <italic>E. coli</italic>, <m:math><m:mfrac><m:mi>a</m:mi>
<m:mn>2</m:mn></m:mfrac></m:math>: <list><list-item>x</list-item><list-item>y</list-item></list>and more.</p></sec></body></article>"""


def read(folder: Path, name: str, data: str) -> Parsed:
    (folder / name).write_text(data, encoding="utf-8")
    return load(folder / name)


# Notebooks


def outputs(folder: Path, *found: dict[str, object]) -> Parsed:
    return read(folder, "a.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": "x", "outputs": list(found)}]}))


def test_a_result_is_read_in_the_form_that_jupyter_shows(tmp_path: Path) -> None:
    plain = "<IPython.core.display.HTML object>"
    parsed = outputs(
        tmp_path,
        {"data": {"text/html": ["<style>b{}</style>", "<b>Mean: 4.2</b>"], "text/plain": plain}},
        {"data": {"text/markdown": "# Result\n17 pumps", "text/plain": plain}},
        {"data": {"text/latex": "$\\displaystyle x^{2}$", "image/png": "x", "text/plain": "x**2"}},
        {"data": {"text/html": "<script>draw()</script>", "text/plain": plain}},
        {"data": {"text/plain": "<Figure size 640x480>", "image/png": "x"}},
        {"data": {"text/plain": "'abc'"}},
    )
    assert parsed.text == "x\n\nMean: 4.2\n\n# Result\n17 pumps\n\nx^{2}\n\n'abc'\n\n"
    assert [title for _, _, title in parsed.headings] == ["Result"] and parsed.notes == ["2 pictures not read"]


def test_a_terminals_colours_and_overwritten_lines_are_not_text(tmp_path: Path) -> None:
    parsed = outputs(
        tmp_path,
        {"output_type": "stream", "text": ["\x1b[31mwarn\x1b[0m now\n", " 10%\r 50%\r100%\r\n", "\x1b]0;title\x07done"]},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mE\x1b[0m: v", "line 3"]},
    )
    assert parsed.text == "x\n\nwarn now\n100%\ndone\n\nE: v\nline 3\n\n"


@pytest.mark.parametrize(
    ("raw", "shown"), [("loading\r100%", "100%ing"), ("loading\r\x1b[2K100%", "100%"), ("b\x08bo", "bo"), ("a\r\nb", "a\nb")]
)
def test_a_line_shows_what_was_written_last(raw: str, shown: str) -> None:
    assert terminal(raw) == shown


# Markdown

MARKDOWN = [
    ("---\ntitle: Pump\ndate: 2024-01-01\n---\n\n# Intro\n", ["Intro"]),
    ("+++\ntitle = 'x'\n# no\n+++\n# Yes\n", ["Yes"]),
    ("---\n# no\ntitle: x\n...\nYes\n===\n", ["Yes"]),
    ("---\n\n# Yes\n\ntext\n\n---\n## Too\n", ["Yes", "Too"]),
    ("````md\n```\n# no\n```\n````\n# Learn C#\n", ["Learn C#"]),
    ("~~~\n```\n# no\n~~~\n# Yes {#id .x}\n```a``` b\n# Too ##\n", ["Yes", "Too"]),
    ("<!--\n# no\n-->\n# Yes\n<!-- x -->\nToo\n---\n", ["Yes", "Too"]),
    ("<pre>\n# no\n</pre>\nUse `<!--`\n# Yes\n", ["Yes"]),
    ("- item\n---\n> quote\n---\n| a |\n---\n* * *\n---\n", []),
]


@pytest.mark.parametrize(("text", "titles"), MARKDOWN)
def test_markdown_has_the_headings_that_a_reader_sees(text: str, titles: list[str]) -> None:
    assert [title for _, _, title in headings(text)] == titles


def test_front_matter_stays_text(tmp_path: Path) -> None:
    text = "---\ntitle: Pump\ndate: 2024-01-01\n---\n# Intro\n"
    assert read(tmp_path, "a.md", text).text == text


# Books


def test_one_bad_chapter_costs_no_book(tmp_path: Path) -> None:
    items = "".join(f'<item id="{n}" href="{n}.html" media-type="text/html"/>' for n in "abc")
    items += '<item id="d" href="d.svg" media-type="image/svg+xml"/>'
    spine = "".join(f'<itemref idref="{n}"/>' for n in "abdc")
    members = {
        "p.opf": f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
        "b.html": b"\0\1\2\3" * 50,
        "d.svg": "<svg/>",
    }
    members |= {"a.html": "<p>Steam\u00adship<script/><img src='1'/></p>", "c.html": "<title/><p hidden=''>x</p><p>End<img src='2'/></p>"}
    parsed = load(write_zip(tmp_path / "a.epub", members))
    assert parsed.text == "Steamship\n\nEnd\n\n"
    assert parsed.notes == ["1 chapter not read: damaged", "1 whole-page picture not read", "1 hidden part left out", "2 pictures not read"]


# XML


def test_a_book_is_read_by_its_style_sheets(tmp_path: Path) -> None:
    page = "<html><head><link rel='stylesheet' href='../s.css'/></head><body><p>10<i class='up'>6</i></p><p class='no'>x</p></body></html>"
    manifest = '<item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/>'
    package = f'<package><metadata/><manifest>{manifest}</manifest><spine><itemref idref="a"/></spine></package>'
    members = {"o/p.opf": package, "o/text/a.xhtml": page, "o/s.css": ".up { vertical-align: super } .no { display: none }"}
    parsed = load(write_zip(tmp_path / "a.epub", members))
    assert parsed.text == "10^6\n\n" and parsed.notes == ["1 hidden part left out"]


def test_a_subscript_after_figures_is_set_off(tmp_path: Path) -> None:
    assert read(tmp_path, "a.xml", "<p>1010<sub>2</sub>, 10<hi rend='sub'>2</hi>, H<sub>2</sub>O</p>").text == "1010_2, 10_2, H2O\n\n"


def test_tags_among_words_part_no_word(tmp_path: Path) -> None:
    parsed = read(tmp_path, "a.xml", TEI)
    assert parsed.text == (
        "title: Edition\n\nReport\n\nH2O, 10^6, unbelievable [see p. 3], beautiful new line, teh [the] café by Ann Lee.\n\nSub\n\n"
        "One\nTwo\n\n- a\n- b\n  1. c\n\n| Part | Qty |\n| --- | --- |\n| H2O | 4 |\n\n"
    )
    assert [title for _, _, title in parsed.headings] == ["Report", "Sub"]


def test_a_journals_article_is_read_with_formulas_and_lists(tmp_path: Path) -> None:
    assert read(tmp_path, "a.xml", ARTICLE).text == "Intro\n\nOf E. coli, a/2:\n\n- x\n- y\n\nand more.\n\n"


def test_xml_of_data_keeps_its_names(tmp_path: Path) -> None:
    data = "<note><to>Tove</to><from>Jani</from><note>Call</note><title>T</title><list><item id='1'><p>x</p></item></list></note>"
    assert read(tmp_path, "a.xml", data).text == "to: Tove\nfrom: Jani\nnote: Call\ntitle: T\n\n- x\n\n"


def test_unlike_parts_that_stand_side_by_side_stay_apart(tmp_path: Path) -> None:
    data = "<a><address>Main St <city>Oslo</city><zip>0150</zip></address><p>un<seg>believ</seg>able <hi>a</hi><b>b</b></p></a>"
    assert read(tmp_path, "a.xml", data).text == "Main St Oslo 0150\n\nunbelievable ab\n\n"


@pytest.mark.parametrize("name", ["a.xls", "a.xml"])
def test_an_excel_2003_workbook_is_read_as_shown(tmp_path: Path, name: str) -> None:
    parsed = read(tmp_path, name, WORKBOOK)
    table = "| Day | Rate | Area |\n| --- | --- | --- |\n| 2024-01-05 | 12.5% | km^2 |\n|  | 50.0% | TRUE |"
    assert parsed.text == f"Sales\n\nReport\n\n{table}\n\n[Comment: check]\n\n"
    assert parsed.notes == ["1 hidden sheet left out", "1 hidden row left out", "1 hidden column left out"]


def test_a_word_2003_document_is_read(tmp_path: Path) -> None:
    parsed = read(tmp_path, "a.xml", WORD)
    assert parsed.text == "Title\n\nUnusual 10^6\n\n1. one\n\n| a | b |\n\n"
    assert parsed.headings == [(0, 2, "Title")] and parsed.notes == ["1 hidden run left out"]


def test_a_docx_without_its_zip_is_read(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("one", style="List Number")
    document.save(str(tmp_path / "a.docx"))
    parts = []
    with zipfile.ZipFile(tmp_path / "a.docx") as archive:
        for name in archive.namelist():
            data = archive.read(name)
            binary = f"<p:binaryData>{base64.b64encode(data).decode()}</p:binaryData>"
            xml = name.endswith((".xml", ".rels"))
            content = f"<p:xmlData>{etree.tostring(etree.fromstring(data)).decode()}</p:xmlData>" if xml else binary
            parts.append(f'<p:part p:name="/{name}">{content}</p:part>')
    whole = f'<p:package xmlns:p="http://schemas.microsoft.com/office/2006/xmlPackage">{"".join(parts)}</p:package>'
    assert read(tmp_path, "b.xml", whole).text == "1. one\n"


def test_cells_over_rows_and_columns_leave_the_others_under_their_names(tmp_path: Path) -> None:
    rows = '<tr><th rowspan="2">A</th><th colspan="2">B</th></tr><tr><th>1</th><th>2</th></tr><tr><td>x</td><td>y</td><td>z</td></tr>'
    expected = "| A | B |  |\n| --- | --- | --- |\n|  | 1 | 2 |\n| x | y | z |\n\n"
    assert read(tmp_path, "jats.xml", f"<sec><table>{rows}</table></sec>").text == expected
    head = '<row><entry morerows="1">A</entry><entry namest="b" nameend="c">B</entry></row><row><entry>1</entry><entry>2</entry></row>'
    columns = "".join(f'<colspec colname="{name}"/>' for name in "abc")
    body = "<row><entry>x</entry><entry>y</entry><entry>z</entry></row>"
    cals = f"<section><table><tgroup>{columns}<thead>{head}</thead><tbody>{body}</tbody></tgroup></table></section>"
    assert read(tmp_path, "cals.xml", cals).text == expected


def test_listings_keep_their_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "a.xml", "<section><programlisting>if x:\n  <b>y</b></programlisting></section>").text == "if x:\n  y\n\n"
