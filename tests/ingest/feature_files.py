"""A Word document and a presentation with one of each thing that is easy to read wrongly."""

from pathlib import Path

from tests.ingest.office_files import paragraph, write_docx

MATH = "xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'"
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
        level(0, "bullet", "•") + level(1, "bullet", "o"),
        level(0, "cardinalText", "Section %1:"),
        level(0, "ordinalText", "%1"),
        level(0, "upperRoman", "%1."),
    )
    return write_docx(path, body, numbering=numbering, styles=STYLES, footnotes=_FOOTNOTES)
