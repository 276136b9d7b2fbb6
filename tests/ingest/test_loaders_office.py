"""Word, PowerPoint, Excel and OpenDocument give what a person sees; broken and locked ones give a reason."""

import datetime
import shutil
import zipfile
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.loaders import SUFFIXES, load, module_of
from ingest.loaders.office.numbering import written
from ingest.loaders.parsed import LoadError, Parsed
from tests.ingest.office_files import paragraph, write_docx, write_odf, write_ole, write_zip

PICTURE = Path(__file__).resolve().parents[2] / "app" / "icon.png"


def titles(parsed: Parsed) -> list[tuple[int, str]]:
    for start, _, title in parsed.headings:
        assert parsed.text[start:].startswith(title)
    return [(level, title) for _, level, title in parsed.headings]


# Word


def test_tracked_insertions_are_seen_and_deletions_are_not(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t xml:space='preserve'>Pay </w:t></w:r><w:del><w:r><w:delText>ten</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>twelve</w:t></w:r></w:ins><w:r><w:t xml:space='preserve'> pounds.</w:t></w:r></w:p>"
        "<w:p><w:moveFrom><w:r><w:t>Moved away</w:t></w:r></w:moveFrom></w:p>"
        "<w:p><w:moveTo><w:r><w:t>Moved here</w:t></w:r></w:moveTo></w:p>"
        "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t xml:space='preserve'>One </w:t></w:r></w:p>" + paragraph("paragraph.")
    )
    assert load(write_docx(tmp_path / "a.docx", body)).text == "Pay twelve pounds.\n\nMoved here\n\nOne paragraph.\n\n"


def test_hidden_text_and_field_codes_are_not_seen_but_results_are(tmp_path: Path) -> None:
    body = (
        '<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        '<w:r><w:instrText>HYPERLINK "x"</w:instrText></w:r><w:r><w:t>code</w:t></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        '<w:r><w:t>the result</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:tab/><w:t>a</w:t><w:br/><w:t>b</w:t></w:r>'
        '<w:hyperlink><w:r><w:t> link</w:t></w:r></w:hyperlink><w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r></w:p>'
    )
    assert load(write_docx(tmp_path / "a.docx", body)).text == "the result\ta\nb link✓\n\n"


def test_notes_stand_after_their_paragraph_and_endnotes_at_the_end(tmp_path: Path) -> None:
    body = (
        '<w:p><w:r><w:t>A mill</w:t><w:footnoteReference w:id="2"/><w:t xml:space="preserve"> of stone</w:t><w:endnoteReference w:id="5"/>'
        '</w:r><w:commentRangeStart w:id="0"/><w:r><w:commentReference w:id="0"/></w:r></w:p>' + paragraph("Next.")
    )
    notes = f'<w:footnote w:id="2">{paragraph("Built in 1874.")}</w:footnote>'
    ends = f'<w:endnote w:id="5">{paragraph("From the quarry.")}</w:endnote>'
    comments = f'<w:comment w:id="0" w:author="Ann">{paragraph("Sure?")}</w:comment>'
    parsed = load(write_docx(tmp_path / "a.docx", body, footnotes=notes, endnotes=ends, comments=comments))
    assert parsed.text == ("A mill[1] of stone[i]\n\n[1] Built in 1874.\n\n[Comment by Ann: Sure?]\n\nNext.\n\n[i] From the quarry.\n\n")


def test_headers_and_footers_come_once_and_only_those_in_use(tmp_path: Path) -> None:
    def section(extra: str = "") -> str:
        return f'<w:sectPr><w:headerReference w:type="default" r:id="header1"/><w:headerReference w:type="first" r:id="header2"/>{extra}'

    first = f"<w:p><w:pPr>{section()}</w:sectPr></w:pPr><w:r><w:t>Body one</w:t></w:r></w:p>"
    second = paragraph("Body two") + section('<w:footerReference w:type="default" r:id="footer3"/>') + "</w:sectPr>"
    parts = {"header1": paragraph("Secret"), "header2": paragraph("Title page"), "footer3": paragraph("The Mill Trust") + paragraph("7")}
    assert load(write_docx(tmp_path / "a.docx", first + second, **parts)).text == "Secret\n\nBody one\n\nBody two\n\nThe Mill Trust\n\n"
    shown = load(write_docx(tmp_path / "b.docx", first + second.replace("</w:sectPr>", "<w:titlePg/></w:sectPr>"), **parts))
    assert shown.text.startswith("Secret\n\nTitle page\n\n")


def test_list_numbers_are_those_that_word_shows(tmp_path: Path) -> None:
    def level(number: int, style: str, text: str, extra: str = "") -> str:
        return f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{style}"/>{extra}<w:lvlText w:val="{text}"/></w:lvl>'

    legal = level(0, "decimal", "%1.", '<w:pStyle w:val="H1"/>') + level(1, "lowerLetter", "(%2)") + level(2, "lowerRoman", "%1.%3")
    numbering = (
        f'<w:abstractNum w:abstractNumId="0">{legal}</w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="1">{level(0, "bullet", "")}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
        '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="1"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
    )
    styles = '<w:style w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'

    def item(text: str, level: int, number: int = 1) -> str:
        return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')

    heading = '<w:pStyle w:val="H1"/>'
    body = paragraph("Scope", heading) + item("one", 1) + item("two", 1) + item("deep", 2) + paragraph("Terms", heading)
    body += (
        item("again", 1) + item("fifth", 1, 3) + item("dot", 0, 2) + paragraph("Out", heading + '<w:numPr><w:numId w:val="0"/></w:numPr>')
    )
    parsed = load(write_docx(tmp_path / "a.docx", body, numbering=numbering, styles=styles))
    assert parsed.text == "1. Scope\n\n(a) one\n(b) two\n  1.i deep\n\n2. Terms\n\n(a) again\n(e) fifth\n- dot\n\nOut\n\n"
    assert titles(parsed) == [(1, "1. Scope"), (1, "2. Terms"), (1, "Out")]


def test_numbers_are_written_in_words_styles() -> None:
    shown = [
        written(28, "lowerLetter"),
        written(1994, "upperRoman"),
        written(3, "ordinal"),
        written(12, "ordinal"),
        written(7, "decimalZero"),
    ]
    assert shown == ["bb", "MCMXCIV", "3rd", "12th", "07"]
    assert written(2_000_000_000, "upperLetter") == "2000000000"


def test_boxes_controls_and_nested_tables_are_read(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{paragraph('In a box')}</w:txbxContent>"
    drawing = (
        f"<w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>{box}</wps:txbx></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        "<w:r><w:drawing><pic:pic/></w:drawing></w:r></w:p>"
    )
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('In a control')}</w:sdtContent></w:sdt>"

    def cell(inside: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inside}</w:tc>"

    inner = f"<w:tbl><w:tr>{cell(paragraph('x'))}{cell(paragraph('y'))}</w:tr></w:tbl>"
    wide = '<w:gridSpan w:val="2"/>'
    rows = f"<w:tr>{cell(paragraph('Name'), wide)}{cell(paragraph('Sum'))}</w:tr>"
    rows += f"<w:tr>{cell(paragraph('a|b'))}{cell(inner)}{cell(paragraph('7'))}</w:tr>"
    rows += f"<w:tr><w:trPr><w:del/></w:trPr>{cell(paragraph('gone'))}{cell(paragraph('gone'))}</w:tr>"
    parsed = load(write_docx(tmp_path / "a.docx", drawing + control + f"<w:tbl>{rows}</w:tbl>"))
    assert parsed.text == "In a box\n\nIn a control\n\n| Name |  | Sum |\n| --- | --- | --- |\n| a\\|b | x, y | 7 |\n\n"
    assert parsed.notes == ["1 picture not read"]


# PowerPoint


def test_slides_are_pages_with_titles_tables_charts_and_notes(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.placeholders[1].text_frame.text = "Point one\nPoint two"
    first.shapes.title.text_frame.text = "The plan"
    first.notes_slide.notes_text_frame.text = "Speak slowly"
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text_frame.text = "Figures"
    table = second.shapes.add_table(2, 2, 0, 0, Inches(3), Inches(1)).table
    for row, column, text in [(0, 0, "Day"), (0, 1, "Visitors"), (1, 0, "Mon"), (1, 1, "41")]:
        table.cell(row, column).text = text
    data = CategoryChartData()
    data.categories = ["North", "South"]
    data.add_series("2024", (1.5, 8.2))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(3), Inches(2), data)
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "Grouped"
    second.shapes.add_picture(str(PICTURE), 0, 0)
    third = deck.slides.add_slide(deck.slide_layouts[6])
    third._element.set("show", "0")
    deck.save(str(tmp_path / "a.pptx"))
    parsed = load(tmp_path / "a.pptx")
    assert parsed.pages and [number for _, number in parsed.pages] == [1, 2, 3]
    assert titles(parsed) == [(1, "The plan"), (1, "Figures")]
    one, two = parsed.text[: parsed.pages[1][0]], parsed.text[parsed.pages[1][0] :]
    assert one == "The plan\n\n- Point one\n- Point two\n\nNotes: Speak slowly\n\n"
    for seen in ("| Mon | 41 |", "|  | 2024 |\n| --- | --- |\n| North | 1.5 |\n| South | 8.2 |", "Grouped"):
        assert seen in two
    assert parsed.notes == ["1 hidden slide read", "1 picture not read"]


# Excel


def test_cells_are_read_as_they_are_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Accounts"
    for row in [
        ["Accounts 2024"],
        ["Day", "Sum", "Share", "Open"],
        [datetime.date(2024, 3, 9), 1234.5, 0.25, True],
        [],
        ["Other", "x"],
        ["y", None],
    ]:
        sheet.append(row)
    sheet["A3"].number_format, sheet["B3"].number_format, sheet["C3"].number_format = "d mmm yyyy", "[$€-407]#,##0.00", "0%"
    sheet["B5"].comment = openpyxl.comments.Comment("Check this", "Ann")
    book.create_sheet("Open")["C3"] = "=1+1"
    other = book.create_sheet("Hidden")
    other.sheet_state = "hidden"
    other["A1"] = "secret"
    book.save(tmp_path / "a.xlsx")
    parsed = load(tmp_path / "a.xlsx")
    assert parsed.text == (
        "Accounts\n\nAccounts 2024\n\n| Day | Sum | Share | Open |\n| --- | --- | --- | --- |\n| 9 Mar 2024 | €1,234.50 | 25% | TRUE |\n\n"
        "| Other | x |\n| --- | --- |\n| y |  |\n\n[Comment on B5: Check this]\n\nOpen\n\n=1+1\n\n"
    )
    assert titles(parsed) == [(1, "Accounts"), (1, "Open")]
    assert parsed.notes == ["1 hidden sheet left out", "1 formula without a value: the file was never opened in Excel"]


def test_a_workbook_with_nothing_in_its_cells_has_no_text(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(LoadError, match="no text in it"):
        load(tmp_path / "a.xlsx")


def test_a_workbook_that_repeats_one_string_without_end_is_stopped(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    place = "xl/_rels/workbook.xml.rels"
    strings = b'<Relationship Type="/sharedStrings" Target="sharedStrings.xml" Id="s"/></Relationships>'
    members[place] = members[place].replace(b"</Relationships>", strings)  # openpyxl writes its strings into the cells
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(f'<row r="{number}"><c t="s"><v>0</v></c></row>' for number in range(1, 1101))
    members["xl/sharedStrings.xml"] = f'<sst xmlns="{name}"><si><t>{"x" * 100_000}</t></si></sst>'.encode()
    members["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{name}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    with pytest.raises(LoadError, match="too long"):
        load(write_zip(tmp_path / "b.xlsx", members))


# OpenDocument


def test_odt_gives_headings_lists_notes_and_no_deleted_text(tmp_path: Path) -> None:
    level = '<text:list-level-style-number text:level="1" style:num-format="a" style:num-suffix=")"/>'
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion>"
        '</text:changed-region></text:tracked-changes><text:h text:outline-level="2">The  '
        '<text:span>mill</text:span></text:h><text:p>One<text:s text:c="2"/>two'
        '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        "<text:note-body><text:p>A note</text:p></text:note-body></text:note><text:line-break/>three</text:p>"
        '<text:list text:style-name="L1">'
        "<text:list-item><text:p>first</text:p></text:list-item><text:list-item><text:p>second</text:p></text:list-item>"
        "</text:list><table:table><table:table-header-rows><table:table-row>"
        "<table:table-cell><text:p>Day</text:p></table:table-cell><table:table-cell><text:p>Sum</text:p></table:table-cell></table:table-row>"
        "</table:table-header-rows><table:table-row>"
        '<table:table-cell table:number-columns-repeated="2"><text:p>7</text:p></table:table-cell>'
        "</table:table-row></table:table><text:p><draw:frame><draw:image/></draw:frame></text:p>"
    )
    page = "<style:master-page><style:header><text:p>Trust</text:p></style:header></style:master-page>"
    styles = f"<office:master-styles>{page}</office:master-styles>"
    automatic = f'<text:list-style style:name="L1">{level}</text:list-style>'
    parsed = load(write_odf(tmp_path / "a.odt", "text", body, automatic, styles))
    assert parsed.text == (
        "Trust\n\nThe mill\n\nOne  two[1]\nthree\n\n[1] A note\n\na) first\nb) second\n\n| Day | Sum |\n| --- | --- |\n| 7 | 7 |\n\n"
    )
    assert titles(parsed) == [(2, "The mill")]
    assert parsed.notes == ["1 picture not read"]


def test_ods_gives_what_cells_show_and_odp_gives_slides(tmp_path: Path) -> None:
    cells = '<table:table-cell office:value="0.25"><text:p>25 %</text:p></table:table-cell><table:table-cell/>'
    cells += '<table:table-cell><text:p>b</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16380"/>'
    row = f"<table:table-row>{cells}</table:table-row>"
    blank = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    sheet = f'<table:table table:name="Shares">{row}{row}{blank}{row}</table:table>'
    parsed = load(write_odf(tmp_path / "a.ods", "spreadsheet", sheet))
    assert parsed.text == "Shares\n\n| 25 % | b |\n| 25 % | b |\n| 25 % | b |\n\n"
    title = '<draw:frame presentation:class="title"><draw:text-box><text:p>Plan</text:p></draw:text-box></draw:frame>'
    shape = "<draw:custom-shape><text:p>Do it</text:p></draw:custom-shape>"
    notes = "<presentation:notes><draw:frame><draw:text-box><text:p>Slowly</text:p></draw:text-box></draw:frame></presentation:notes>"
    deck = load(
        write_odf(tmp_path / "a.odp", "presentation", f"<draw:page>{shape}{title}{notes}</draw:page><draw:page>{shape}</draw:page>")
    )
    assert deck.text == "Plan\n\nDo it\n\nNotes: Slowly\n\nDo it\n\n"
    assert deck.pages == [(0, 1), (28, 2)]


# What isn't what it says, or can't be read


def test_a_file_is_read_as_what_it_is(tmp_path: Path) -> None:
    write_docx(tmp_path / "a.docx", paragraph("Word inside")).rename(tmp_path / "a.doc")
    (tmp_path / "b.doc").write_text(r"{\rtf1 Rich text}")
    (tmp_path / "c.xls").write_text("<html><table><tr><td>Web</td><td>page</td></tr></table></html>")
    (tmp_path / "d.xls").write_text("Tabs\tinside\n1\t2\n")
    write_odf(tmp_path / "e.docx", "text", "<text:p>Open</text:p>")
    seen = {"a.doc": "Word inside", "b.doc": "Rich text", "c.xls": "| Web | page |", "d.xls": "| Tabs | inside |", "e.docx": "Open"}
    assert {name for name, text in seen.items() if text in load(tmp_path / name).text} == set(seen)


def test_locked_and_broken_files_say_so(tmp_path: Path) -> None:
    write_ole(tmp_path / "locked.xlsx", {"EncryptedPackage": b"", "EncryptionInfo": b""})
    write_ole(tmp_path / "locked.xls", {"Workbook": b"\x09\x08\x10\0" + b"\0" * 16 + b"\x2f\0\6\0"})
    write_zip(tmp_path / "locked.odt", {"content.xml": b"\1\2", "META-INF/manifest.xml": "<m><encryption-data/></m>"})
    write_zip(tmp_path / "bomb.docx", {"word/document.xml": b"\0" * (40 << 20)})
    write_zip(tmp_path / "partless.pptx", {"[Content_Types].xml": "<Types/>"})
    write_zip(tmp_path / "torn.docx", {"word/document.xml": "<w:document><w:body>"})
    external = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><document><body><p><r><t>&x;</t></r></p></body></document>'
    write_zip(tmp_path / "entity.docx", {"word/document.xml": external})
    (tmp_path / "cut.xlsx").write_bytes(b"PK\x03\x04 cut")
    reasons = {}
    for path in tmp_path.iterdir():
        with pytest.raises(LoadError) as raised:
            load(path)
        reasons[path.name] = str(raised.value)
    assert all("encrypted" in reasons[f"locked.{suffix}"] for suffix in ("xlsx", "xls", "odt"))
    assert "zip bomb" in reasons["bomb.docx"]
    assert "main part is missing" in reasons["partless.pptx"]
    assert "XML is damaged" in reasons["torn.docx"]
    assert reasons["entity.docx"] == "no text in it"
    assert "not a readable Excel workbook" in reasons["cut.xlsx"]


def test_old_files_name_the_cure_where_libreoffice_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    write_ole(tmp_path / "a.doc", {"WordDocument": b"\xec\xa5" + b"\0" * 10})
    write_ole(tmp_path / "b.docx", {"WordDocument": b"\xec\xa5" + b"\0" * 10})
    write_ole(tmp_path / "a.ppt", {"PowerPoint Document": b""})
    for name, cure in [("a.doc", "an old Word file"), ("b.docx", "an old Word file"), ("a.ppt", "an old PowerPoint file")]:
        with pytest.raises(LoadError, match=rf"{cure}: install LibreOffice, or save it as \.\w+x"):
            load(tmp_path / name)


@pytest.mark.skipif(not (shutil.which("soffice") or shutil.which("libreoffice")), reason="LibreOffice is not installed")
def test_old_files_are_read_through_libreoffice(shared: Path) -> None:
    old = next((shared / "docs" / "good").glob("*SampleShow.ppt"))
    parsed = load(old)
    assert (0, 1, "Title of the first slide") in parsed.headings and "Notes: I am the notes of the first slide" in parsed.text


def test_every_format_has_a_loader(tmp_path: Path) -> None:
    for name in set(SUFFIXES.values()):
        assert callable(module_of(name).load)


def test_a_word_file_made_by_python_docx_gives_its_list_numbers(tmp_path: Path) -> None:
    document = docx.Document()
    for text in ("one", "two"):
        document.add_paragraph(text, style="List Number")
    document.save(str(tmp_path / "a.docx"))
    assert load(tmp_path / "a.docx").text == "1. one\n2. two\n"
