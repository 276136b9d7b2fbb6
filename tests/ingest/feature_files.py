"""A Word document and a presentation with one of each thing that is easy to read wrongly."""

from pathlib import Path

import pptx
from lxml import etree
from pptx.util import Inches

from tests.ingest.office_files import paragraph, write_docx

MATH = "xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
RAISED, LOWERED = "<w:vertAlign w:val='superscript'/>", "<w:vertAlign w:val='subscript'/>"
WINGDINGS = "<w:rFonts w:ascii='Wingdings' w:hAnsi='Wingdings'/>"


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def styled(style: str) -> str:
    return f"<w:rStyle w:val='{style}'/>"


def math(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def fraction(above: str, below: str) -> str:
    return f"<m:f><m:num>{math(above)}</m:num><m:den>{math(below)}</m:den></m:f>"


def power(base: str, above: str) -> str:
    return f"<m:sSup><m:e>{math(base)}</m:e><m:sup>{math(above)}</m:sup></m:sSup>"


def formula(inside: str) -> str:
    return f"<m:oMath {MATH}>{inside}</m:oMath>"


def level(number: int, style: str, text: str) -> str:
    start = f"<w:lvl w:ilvl='{number}'><w:start w:val='1'/><w:numFmt w:val='{style}'/><w:lvlText w:val='{text}'/>"
    return f"{start}<w:pPr><w:ind w:left='{360 * (number + 1)}' w:hanging='360'/></w:pPr></w:lvl>"


def lists(*definitions: str) -> str:
    """A numbering part: list 1 is made of the first definition's levels, and so on."""
    abstracts = "".join(f"<w:abstractNum w:abstractNumId='{n}'>{levels}</w:abstractNum>" for n, levels in enumerate(definitions))
    return abstracts + "".join(f"<w:num w:numId='{n + 1}'><w:abstractNumId w:val='{n}'/></w:num>" for n in range(len(definitions)))


def item(text: str, depth: int = 0, number: int = 1) -> str:
    return paragraph(text, f"<w:numPr><w:ilvl w:val='{depth}'/><w:numId w:val='{number}'/></w:numPr>")


def form_field(code: str, data: str, result: str = "") -> str:
    begin = f"<w:r><w:fldChar w:fldCharType='begin'><w:ffData><w:name w:val='n'/><w:enabled/>{data}</w:ffData></w:fldChar></w:r>"
    begin += f"<w:r><w:instrText xml:space='preserve'> {code} </w:instrText></w:r>"
    between = f"<w:r><w:fldChar w:fldCharType='separate'/></w:r>{result}" if result else ""
    return f"{begin}{between}<w:r><w:fldChar w:fldCharType='end'/></w:r>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr><w:tcW w:w='2000' w:type='dxa'/>{properties}</w:tcPr>{paragraph(text)}</w:tc>"


def table(*rows: str) -> str:
    grid = "<w:tblGrid>" + "<w:gridCol w:w='2000'/>" * 3 + "</w:tblGrid>"
    return f"<w:tbl><w:tblPr><w:tblW w:w='6000' w:type='dxa'/></w:tblPr>{grid}{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


STYLES = (
    "<w:style w:type='paragraph' w:default='1' w:styleId='Normal'><w:name w:val='Normal'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Hint'><w:name w:val='Hint'/><w:basedOn w:val='Normal'/><w:rPr><w:vanish/></w:rPr></w:style>"
    "<w:style w:type='character' w:styleId='Hidden'><w:name w:val='Hidden'/><w:rPr><w:vanish/></w:rPr></w:style>"
    f"<w:style w:type='character' w:styleId='Up'><w:name w:val='Up'/><w:rPr>{RAISED}</w:rPr></w:style>"
    f"<w:style w:type='character' w:styleId='Signs'><w:name w:val='Signs'/><w:rPr>{WINGDINGS}</w:rPr></w:style>"
)
_CHOICE = "<w:ddList><w:result w:val='1'/><w:listEntry w:val='Draft'/><w:listEntry w:val='Approved'/></w:ddList>"
_FOOTNOTES = (
    f"<w:footnote w:id='2'><w:p>{run('* Starred.')}</w:p></w:footnote>"
    f"<w:footnote w:id='3'><w:p><w:r><w:footnoteRef/></w:r>{run(' Numbered.')}</w:p></w:footnote>"
)


def feature_docx(path: Path) -> Path:
    small = "<w:position w:val='8'/><w:sz w:val='14'/>"
    raised = run("Area 10") + run("6", RAISED) + run(" km") + run("2", styled("Up")) + run(", the 2") + run("nd", RAISED)
    raised += run(" of H") + run("2", LOWERED) + run("O; 10") + run("-3", small) + run(" end")
    form = run("Status: ") + form_field("FORMDROPDOWN", _CHOICE) + run(" box ")
    form += form_field("FORMCHECKBOX", "<w:checkBox><w:sizeAuto/><w:default w:val='1'/></w:checkBox>") + run(" text ")
    form += form_field("FORMTEXT", "<w:textInput><w:default w:val='abc'/></w:textInput>", run("Smith"))
    signs = "<w:r><w:sym w:font='Wingdings' w:char='F0FE'/></w:r>" + run(" sign ") + run("\uf0a8", WINGDINGS) + run(" box ")
    signs += run("\uf0fc", styled("Signs")) + run(" tick")
    note = f"<w:r><w:rPr>{RAISED}</w:rPr><w:footnoteReference w:customMarkFollows='1' w:id='2'/><w:t>*</w:t></w:r>"
    body = f"<w:p>{raised}</w:p><w:p>{run('Ratio ')}{formula(fraction('7', '8') + math('+') + power('x', '2'))}{run(' done')}</w:p>"
    body += f"<w:p>{form}</w:p><w:p>{signs}</w:p>" + paragraph("Delete this", "<w:pStyle w:val='Hint'/>")
    body += f"<w:p>{run('Seen ')}{run('secret', styled('Hidden'))}{run('after')}</w:p>"
    body += item("one") + item("one a", 1) + item("one a i", 2) + item("one b", 1) + item("two") + paragraph("between") + item("three")
    body += item("dot", 0, 2) + item("sub dot", 1, 2) + item("Payment", 0, 3) + item("Notice", 0, 3) + item("claim", 0, 4) + item("R", 0, 5)
    body += table(
        cell("Item") + cell("Year one") + cell("Year two"),
        cell("mill", "<w:vMerge w:val='restart'/>") + cell("5") + cell("6"),
        cell("", "<w:vMerge/>") + cell("wide", "<w:gridSpan w:val='2'/>"),
        "<w:trPr><w:gridBefore w:val='2'/></w:trPr>" + cell("only"),
    )
    body += f"<w:p>{run('A mill')}{note}{run(' of stone')}<w:r><w:footnoteReference w:id='3'/></w:r></w:p>"
    numbering = lists(
        level(0, "decimal", "%1.") + level(1, "lowerLetter", "%2)") + level(2, "lowerRoman", "%3."),
        level(0, "bullet", "•") + level(1, "bullet", "▪"),
        level(0, "cardinalText", "Section %1:"),
        level(0, "ordinalText", "%1"),
        level(0, "upperRoman", "%1."),
    )
    return write_docx(path, body, numbering=numbering, styles=STYLES, footnotes=_FOOTNOTES)


def feature_pptx(path: Path) -> Path:
    """A slide whose boxes lie on each other in another order than they are read, with bullets, numbers, a figure and a table."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text_frame.text = "Density"
    frame = slide.placeholders[1].text_frame
    frame.text = "outer"
    nested = frame.add_paragraph()
    nested.text, nested.level = "inner", 1
    for text, top in (("last", 6.5), ("first", 0.1)):
        slide.shapes.add_textbox(Inches(1), Inches(top), Inches(3), Inches(0.4)).text_frame.text = text
    numbered = slide.shapes.add_textbox(Inches(5), Inches(6.5), Inches(3), Inches(0.8)).text_frame
    for text in ("one", "two"):
        paragraph_ = numbered.paragraphs[0] if text == "one" else numbered.add_paragraph()
        paragraph_.text = text
        numbering = etree.SubElement(paragraph_._p.get_or_add_pPr(), f"{{{DRAWING}}}buAutoNum")
        numbering.set("type", "romanUcPeriod")
    for text, baseline in (("10", "0"), ("6", "30000"), (" cells", "0")):
        raised = nested.add_run()
        raised.text = f" {text}" if text == "10" else text
        raised._r.get_or_add_rPr().set("baseline", baseline)
    deck.save(str(path))
    return path
