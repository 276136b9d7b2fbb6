"""Word documents: raised figures, formulas, forms, signs, hidden text, lists, tables and parts put in, as a person sees them."""

import zipfile
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.office.numbering import written
from ingest.loaders.parsed import Parsed
from tests.ingest.feature_files import (
    LOWERED,
    RAISED,
    STYLES,
    WINGDINGS,
    cell,
    feature_docx,
    form_field,
    formula,
    fraction,
    item,
    level,
    lists,
    math,
    power,
    run,
    styled,
    table,
)
from tests.ingest.office_files import RELS, R, paragraph, write_docx, write_zip


def line(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def of_style(style: str) -> str:
    return f"<w:pStyle w:val='{style}'/>"


def read(folder: Path, body: str, **parts: str) -> Parsed:
    return load(write_docx(folder / "a.docx", body, **parts))


def with_parts(path: Path, relations: str, parts: dict[str, bytes]) -> Path:
    """A document with further parts in it, and the relations to them."""
    with zipfile.ZipFile(path) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    members["word/_rels/document.xml.rels"] = f"<Relationships xmlns='{RELS}'>{relations}</Relationships>"
    return write_zip(path, members | {f"word/{name}": data for name, data in parts.items()})


def test_one_document_with_everything_reads_as_it_looks(tmp_path: Path) -> None:
    parsed = load(feature_docx(tmp_path / "a.docx"))
    assert parsed.text == (
        "Area 10^6 km^2, the 2nd of H2O; 10^-3 end\n\nRatio 7/8 + x^2 done\n\nStatus: Approved box ☒ text Smith\n\n"
        "☑ sign ☐ box ✓ tick\n\nSeen after\n\n1. one\n  a) one a\n    i. one a i\n  b) one b\n2. two\n\nbetween\n\n3. three\n"
        "- dot\n  - sub dot\nSection One: Payment\nSection Two: Notice\nFirst claim\nI. R\n\n"
        "| Item | Year one | Year two |\n| --- | --- | --- |\n| mill | 5 | 6 |\n|  | wide |  |\n|  |  | only |\n\n"
        "A mill* of stone[1]\n\n* Starred.\n\n[1] Numbered.\n\n"
    )
    assert parsed.notes == ["2 hidden passages left out"]


def test_raised_runs_side_by_side_are_one_figure(tmp_path: Path) -> None:
    body = line(
        run("x"), run("n", RAISED), run("+", RAISED), run("1 ", RAISED), run("y; M"), run("me", RAISED), run(" XIX"), run("e", RAISED)
    )
    body += line(run("a"), run("b", styled("Up") + "<w:vertAlign w:val='baseline'/>"), run("; 1010"), run("2", LOWERED))
    body += line(run("10"), run("word", "<w:position w:val='6'/>"), run("6", "<w:position w:val='6'/><w:sz w:val='12'/>"))
    assert read(tmp_path, body, styles=STYLES).text == "x^(n+1) y; Mme XIXe\n\nab; 1010_2\n\n10word^6\n\n"


def test_a_paragraph_style_raises_its_runs(tmp_path: Path) -> None:
    styles = f"<w:style w:type='paragraph' w:styleId='S'><w:name w:val='S'/><w:rPr>{RAISED}</w:rPr></w:style>"
    assert read(tmp_path, line(run("6"), properties=of_style("S")), styles=styles).text == "^6\n\n"


def test_text_hidden_by_a_style_is_left_out_until_something_nearer_shows_it(tmp_path: Path) -> None:
    styles = "".join(
        f"<w:style w:type='{kind}' w:styleId='{name}'><w:name w:val='{name}'/><w:basedOn w:val='{base}'/><w:rPr>{look}</w:rPr></w:style>"
        for kind, name, base, look in [
            ("paragraph", "A", "", "<w:vanish/>"),
            ("paragraph", "B", "A", ""),
            ("paragraph", "C", "B", "<w:vanish w:val='0'/>"),
            ("character", "D", "", "<w:vanish/>"),
            ("character", "E", "D", ""),
        ]
    )
    body = line(run("one"), properties=of_style("A")) + line(run("two"), properties=of_style("B"))
    body += line(
        run("seen "), run("three", styled("E")), run("undone ", styled("E") + "<w:vanish w:val='false'/>"), run("web", "<w:webHidden/>")
    )
    body += line(run("based"), properties=of_style("C")) + line(run("own", "<w:vanish w:val='0'/>"), properties=of_style("A"))
    parsed = read(tmp_path, body, styles=styles)
    assert parsed.text == "seen undone web\n\nbased\n\nown\n\n"
    assert parsed.notes == ["3 hidden passages left out"]


def test_a_hidden_paragraph_mark_joins_two_lines(tmp_path: Path) -> None:
    body = line(run("One "), properties="<w:rPr><w:vanish/></w:rPr>") + paragraph("line")
    body += line(run("Run-in."), properties="<w:outlineLvl w:val='0'/><w:rPr><w:vanish/><w:specVanish/></w:rPr>") + paragraph("Body")
    parsed = read(tmp_path, body)
    assert parsed.text == "One line\n\nRun-in.\n\nBody\n\n"
    assert [title for _, _, title in parsed.headings] == ["Run-in."]


def test_forms_show_the_choice_the_tick_and_what_stands_in_them_at_first(tmp_path: Path) -> None:
    entries = "".join(f"<w:listEntry w:val='{entry}'/>" for entry in "abc")
    fields = [
        form_field("FORMDROPDOWN", f"<w:ddList><w:default w:val='2'/>{entries}</w:ddList>"),
        form_field("FORMDROPDOWN", f"<w:ddList>{entries}</w:ddList>"),
        form_field("FORMCHECKBOX", "<w:checkBox><w:default w:val='1'/><w:checked w:val='0'/></w:checkBox>"),
        form_field("FORMCHECKBOX", "<w:checkBox><w:checked/></w:checkBox>"),
        form_field("FORMTEXT", "<w:textInput><w:default w:val='name'/></w:textInput>"),
    ]
    control = f"<w:sdt><w:sdtPr><w:dropDownList/></w:sdtPr><w:sdtContent>{run('Chosen')}</w:sdtContent></w:sdt>"
    assert read(tmp_path, line(*fields, control)).text == "ca☐☒nameChosen\n\n"


def test_a_field_that_is_a_formula_or_a_symbol_shows_it(tmp_path: Path) -> None:
    body = line(run("v = "), form_field(r"EQ \f(7,8)", ""), run("; "), r"<w:fldSimple w:instr=' EQ \r(3,x+1) '/>", run("; "))
    body += line(form_field(r"EQ \f(1,2)", "", run("as drawn")), run("; "), form_field(r"SYMBOL 252 \f Wingdings \s 12", ""))
    assert read(tmp_path, body).text == "v = 7/8; ^3√(x + 1);\n\nas drawn; ✓\n\n"


@pytest.mark.parametrize(
    ("font", "codes", "seen"),
    [
        ("Wingdings", "þ¨ý\uf0fc\uf0fb\uf06f", "☑☐☒✓✗☐"),
        ("Wingdings 2", "P£RTO", "✓☐☑☒✗"),
        ("Wingdings 3", "}\uf0a1", "▸"),
        ("Webdings", "acr", "✓☐✗"),
        ("Symbol", "abc\uf0b3 – ≥\xa0’", "αβχ≥ – ≥ ’"),
        ("ZapfDingbats", "4", "✔"),
    ],
)
def test_symbol_fonts_are_read_as_what_they_draw(tmp_path: Path, font: str, codes: str, seen: str) -> None:
    fonts = f"<w:rFonts w:ascii='{font}' w:hAnsi='{font}'/>"
    assert read(tmp_path, line(run(codes, fonts), run("."))).text == f"{seen}.\n\n"


def test_signs_have_the_font_of_what_is_not_ascii(tmp_path: Path) -> None:
    fonts = "<w:rFonts w:ascii='Arial' w:hAnsi='Wingdings'/>"
    assert read(tmp_path, line(run("a\uf0fe", fonts))).text == "a☑\n\n"


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        (fraction("x", "2a"), "x/(2a)"),
        (math("2") + fraction("3", "4"), "2 3/4"),
        (math("x=") + "<m:rad><m:radPr><m:degHide m:val='1'/></m:radPr><m:deg/><m:e>" + math("b-4ac") + "</m:e></m:rad>", "x = √(b - 4ac)"),
        (f"<m:rad><m:deg>{math('3')}</m:deg><m:e>{math('8')}</m:e></m:rad>", "^3√8"),
        (
            f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{math('i=1')}</m:sub>"
            f"<m:sup>{math('n')}</m:sup><m:e>{math('i')}</m:e></m:nary>",
            "∑_(i = 1)^n i",
        ),
        (f"<m:nary><m:sub>{math('0')}</m:sub><m:sup>{math('∞')}</m:sup><m:e>{math('f')}</m:e></m:nary>", "∫_0^∞ f"),
        (
            "<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=']'/></m:dPr><m:e><m:m>"
            + "".join(f"<m:mr><m:e>{math(a)}</m:e><m:e>{math(b)}</m:e></m:mr>" for a, b in ("12", "34"))
            + "</m:m></m:e></m:d>",
            "[1, 2; 3, 4]",
        ),
        (
            f"<m:func><m:fName><m:limLow><m:e>{math('lim')}</m:e><m:lim>{math('x→0')}</m:lim></m:limLow></m:fName>"
            f"<m:e>{math('f')}</m:e></m:func>",
            "lim_(x → 0) f",
        ),
        (f"<m:acc><m:e>{math('x')}</m:e></m:acc>", "x̂"),
        (f"<m:sSub><m:e>{math('x')}</m:e><m:sub>{math('n+1')}</m:sub></m:sSub>", "x_(n + 1)"),
        (
            f"<m:d><m:dPr><m:endChr m:val=''/></m:dPr><m:e><m:eqArr><m:e>{math('x=1')}</m:e><m:e>{math('y=2')}</m:e></m:eqArr></m:e></m:d>",
            "(x = 1; y = 2",
        ),
        (math("𝑎+𝑏") + "<w:del>" + math("c") + "</w:del>", "a + b"),
        (power("x", "e"), "x^e"),
        (
            "<m:d><m:dPr><m:begChr m:val='|'/><m:endChr m:val='|'/></m:dPr><m:e>" + math("-x") + "</m:e></m:d>" + math("≤-1,f(-2)"),
            "|-x| ≤ -1, f(-2)",
        ),
    ],
)
def test_formulas_stand_on_one_line(tmp_path: Path, inside: str, shown: str) -> None:
    assert read(tmp_path, line(run("so "), formula(inside))).text == f"so {shown}\n\n"


def test_cells_stay_under_their_header_where_a_row_leaves_columns_out(tmp_path: Path) -> None:
    rows = table(
        cell("A") + cell("B") + cell("C"),
        "<w:trPr><w:gridAfter w:val='1'/></w:trPr>" + cell("1") + cell("2"),
        "<w:trPr><w:gridBefore w:val='1'/><w:gridAfter w:val='1'/></w:trPr>" + cell("mid"),
        "<w:trPr><w:hidden/></w:trPr>" + cell("gone") + cell("") + cell(""),
    )
    parsed = read(tmp_path, rows)
    assert parsed.text == "| A | B | C |\n| --- | --- | --- |\n| 1 | 2 |  |\n|  | mid |  |\n\n"
    assert parsed.notes == ["1 hidden row left out"]


def test_lists_are_nested_by_level_by_indent_and_by_style(tmp_path: Path) -> None:
    numbering = lists(level(0, "bullet", "•") + level(1, "bullet", "o") + level(2, "bullet", "§"), level(0, "decimal", "%1."))
    inner = "<w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr><w:ind w:left='1080' w:hanging='360'/>"
    body = item("a") + item("b", 1) + item("c", 2) + paragraph("more of c", "<w:ind w:left='1080'/>") + item("d", 1) + item("e")
    body += item("first", 0, 2) + paragraph("within", inner) + item("second", 0, 2)
    body += paragraph("one", of_style("L1")) + paragraph("two", of_style("L2"))
    styles = "".join(
        f"<w:style w:type='paragraph' w:styleId='L{n}'><w:name w:val='List Bullet{s}'/></w:style>" for n, s in ((1, ""), (2, " 2"))
    )
    assert read(tmp_path, body, numbering=numbering, styles=styles).text == (
        "- a\n  - b\n    - c\n\nmore of c\n\n  - d\n- e\n1. first\n  - within\n2. second\n- one\n  - two\n"
    )


def test_bullets_that_are_boxes_tell_what_is_ticked(tmp_path: Path) -> None:
    ticked, open_box = (level(0, "bullet", c).replace("</w:lvl>", f"<w:rPr>{WINGDINGS}</w:rPr></w:lvl>") for c in "\uf0fe\uf0a8")
    assert read(tmp_path, item("done", 0, 1) + item("to do", 0, 2), numbering=lists(ticked, open_box)).text == "☑ done\n☐ to do\n"


def test_list_numbers_may_be_words_or_of_other_scripts() -> None:
    shown = {
        "cardinalText": ["One", "Two", "Twenty-one", "One hundred five"],
        "ordinalText": ["First", "Second", "Twenty-first", "One hundred fifth"],
        "upperRoman": ["I", "II", "XXI", "CV"],
        "hex": ["1", "2", "15", "69"],
        "chineseCounting": ["一", "二", "二十一", "一○五"],
        "hebrew1": ["א", "ב", "כא", "קה"],
        "decimalEnclosedCircle": ["①", "②", "21", "105"],
        "000": ["001", "002", "021", "105"],
        "unheardOf": ["1", "2", "21", "105"],
    }
    assert {style: [written(number, style) for number in (1, 2, 21, 105)] for style in shown} == shown


def test_notes_count_from_where_the_document_says(tmp_path: Path) -> None:
    body = line(run("x"), "<w:r><w:footnoteReference w:id='2'/></w:r>")
    notes = f"<w:footnote w:id='2'>{paragraph('Note.')}</w:footnote>"
    settings = "<w:footnotePr><w:numFmt w:val='lowerLetter'/><w:numStart w:val='3'/></w:footnotePr>"
    assert read(tmp_path, body, footnotes=notes, settings=settings).text == "x[c]\n\n[c] Note.\n\n"


def test_parts_put_in_are_read_by_their_own_loader_or_named(tmp_path: Path) -> None:
    inner = write_docx(tmp_path / "inner.docx", paragraph("Clause 9", "<w:outlineLvl w:val='1'/>")).read_bytes()
    saved = b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Saved page</p>"
    parts = [
        ("a.docx", inner),
        ("b.rtf", rb"{\rtf1 Clause 10\par}"),
        ("c.txt", b"Clause 11"),
        ("d.htm", b"<h1>Web</h1><p>Clause 12</p>"),
        ("e.mht", saved),
        ("f.dat", b"<p>Clause 13</p>"),
        ("g.rtf", b"no rtf at all"),
    ]
    keys = [*range(len(parts)), "gone"]
    body = "".join(f"<w:altChunk r:id='r{key}'/>" for key in keys) + "<w:p/>"
    relations = "".join(f"<Relationship Id='r{n}' Type='{R}/aFChunk' Target='{name}'/>" for n, (name, _) in enumerate(parts))
    relations += f"<Relationship Id='rgone' Type='{R}/aFChunk' TargetMode='External' Target='file:///z.docx'/>"
    path = write_docx(tmp_path / "a.docx", body)
    parsed = load(with_parts(path, relations, dict(parts)))
    for seen in ("Clause 9", "Clause 10", "Clause 11", "Clause 12", "Saved page", "Clause 13"):
        assert seen in parsed.text
    assert [title for _, _, title in parsed.headings] == ["Clause 9", "Web"]
    assert [note.partition(" (")[0] for note in parsed.notes] == [
        "1 part put into the document not read: g.rtf",
        "1 part put into the document not read: file:///z.docx",
    ]


def test_a_document_put_into_itself_is_read_a_few_times_only(tmp_path: Path) -> None:
    path = write_docx(tmp_path / "a.docx", "<w:p/>")
    for depth in range(8):
        relation = f"<Relationship Id='r1' Type='{R}/aFChunk' Target='x.docx'/>"
        outer = write_docx(tmp_path / "b.docx", paragraph(f"level {depth}") + "<w:altChunk r:id='r1'/>")
        path = with_parts(outer, relation, {"x.docx": path.read_bytes()}).rename(tmp_path / "a.docx")
    parsed = load(path)
    assert "level 2" in parsed.text and "level 1" not in parsed.text
    assert "too many others" in parsed.notes[0]
