"""OpenDocument as a person sees it: hidden text, raised figures, signs, formulas, controls, nested and continued lists, sheets."""

from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import Parsed
from tests.ingest.office_files import write_odf


def style(name: str, family: str, properties: str, parent: str = "") -> str:
    look = f"<style:text-properties {properties}/>"
    return f'<style:style style:name="{name}" style:family="{family}" style:parent-style-name="{parent}">{look}</style:style>'


def span(text: str, name: str) -> str:
    return f'<text:span text:style-name="{name}">{text}</text:span>'


def item(text: str, inside: str = "", attributes: str = "") -> str:
    return f"<text:list-item {attributes}><text:p>{text}</text:p>{inside}</text:list-item>"


def listed(items: str, attributes: str = "") -> str:
    return f"<text:list {attributes}>{items}</text:list>"


STYLES = (
    style("Up", "text", 'style:text-position="super 58%"')
    + style("Up2", "text", 'style:text-position="33% 58%"')
    + style("Down", "text", 'style:text-position="sub 58%"')
    + style("Level", "text", 'style:text-position="0% 100%"')
    + style("Hidden", "text", 'text:display="none"')
    + style("Child", "text", "", "Hidden")
    + style("Shown", "text", 'text:display="true"', "Hidden")
    + style("Gone", "paragraph", 'text:display="none"')
    + style("Signs", "text", 'style:font-name="Wingdings"')
)
LISTS = (
    '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="." '
    'text:start-value="3"/><text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")"/>'
    '<text:list-level-style-bullet text:level="3" text:bullet-char="•"/></text:list-style>'
    '<text:list-style style:name="N"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
    '<text:list-level-style-number text:level="2" style:num-format="1" text:display-levels="2"/></text:list-style>'
    '<style:style style:name="InN" style:family="paragraph" style:list-style-name="N"/>'
)


def read(folder: Path, body: str) -> Parsed:
    return load(write_odf(folder / "a.odt", "text", body, STYLES + LISTS))


def test_raised_figures_and_signs_read_as_they_look(tmp_path: Path) -> None:
    raised = ["10", span("6", "Up"), " m", span("-", "Up2"), span("2", "Up2"), " H", span("2", "Down"), "O x"]
    raised.append(span("a" + span("b", "Level"), "Up"))
    signs = span("þ\uf0a8", "Signs")
    parsed = read(tmp_path, f"<text:p>{''.join(raised)}</text:p><text:p>{signs} box</text:p>")
    assert parsed.text == "10^6 m^-2 H2O x^ab\n\n☑☐ box\n\n"


def test_what_styles_sections_and_fields_hide_is_left_out_and_counted(tmp_path: Path) -> None:
    body = (
        f"<text:p>x {span('s', 'Hidden')}{span('s', 'Child')}{span('seen', 'Shown')}</text:p>"
        f'<text:p text:style-name="Gone">gone{span("back", "Shown")}</text:p>'
        '<text:section text:display="none"><text:p>one</text:p></text:section>'
        '<text:section text:display="condition" text:is-hidden="true"><text:p>two</text:p></text:section>'
        '<text:p>a<text:hidden-paragraph text:is-hidden="true"/></text:p>'
        '<text:p>q<text:hidden-text text:is-hidden="true">z</text:hidden-text><text:conditional-text>shown</text:conditional-text></text:p>'
    )
    parsed = read(tmp_path, body)
    assert parsed.text == "x seen\n\nback\n\nqshown\n\n"
    assert parsed.notes == ["7 hidden passages left out"]


def test_lists_are_nested_start_where_they_say_and_go_on(tmp_path: Path) -> None:
    nested = listed(item("a", listed(item("dot"))) + item("b"))
    body = listed(item("three", nested) + item("four"), 'text:style-name="L"') + "<text:p>between</text:p>"
    body += listed(item("five"), 'text:style-name="L" text:continue-numbering="true"') + listed(item("again"), 'text:style-name="L"')
    body += listed(item("nine", "", 'text:start-value="9"') + item("ten"), 'text:style-name="L"')
    assert read(tmp_path, body).text == ("3. three\n  a) a\n    - dot\n  b) b\n4. four\n\nbetween\n\n5. five\n3. again\n9. nine\n10. ten\n")


def test_an_item_that_only_holds_a_list_is_not_counted(tmp_path: Path) -> None:
    first = listed(item("one", listed(item("deep"))), 'text:style-name="N"')
    inner = f"<text:list-item>{listed(item('deeper'))}</text:list-item>"
    body = first + "<text:p>x</text:p>" + listed(inner + item("two"), 'text:style-name="N" text:continue-numbering="true"')
    assert read(tmp_path, body).text == "1. one\n  1.1 deep\n\nx\n\n  1.2 deeper\n2. two\n"


def test_lists_go_on_by_name_and_take_their_paragraphs_style(tmp_path: Path) -> None:
    body = listed(item("one"), 'xml:id="a" text:style-name="N"') + listed(item("one of b"), 'xml:id="b" text:style-name="N"')
    body += listed(item("two"), 'text:continue-list="a" text:style-name="N"')
    body += listed('<text:list-item><text:p text:style-name="InN">styled</text:p></text:list-item>')
    body += listed('<text:list-item><text:h text:outline-level="1">Head</text:h></text:list-item>', 'text:style-name="N"')
    parsed = read(tmp_path, body)
    assert parsed.text == "1. one\n1. one of b\n2. two\n1. styled\n\n1. Head\n\n"
    assert [title for _, _, title in parsed.headings] == ["1. Head"]


@pytest.mark.parametrize(
    ("format", "mark"), [("One", "One"), ("First", "First"), ("一, 二, 三, ...", "一"), ("01, 02, 03, ...", "01"), ("I", "I")]
)
def test_numbers_are_in_the_style_whose_first_ones_are_told(tmp_path: Path, format: str, mark: str) -> None:
    level = f'<text:list-level-style-number text:level="1" style:num-format="{format}"/>'
    body = listed(item("x"), 'text:style-name="S"')
    made = write_odf(tmp_path / "a.odt", "text", body, f'<text:list-style style:name="S">{level}</text:list-style>')
    assert load(made).text == f"{mark} x\n"


def test_a_note_with_its_own_mark_keeps_it(tmp_path: Path) -> None:
    def note(citation: str, text: str) -> str:
        return f'<text:note text:note-class="footnote">{citation}<text:note-body><text:p>{text}</text:p></text:note-body></text:note>'

    own = note('<text:note-citation text:label="*">*</text:note-citation>', "* Starred")
    body = f"<text:p>m{own} s{note('<text:note-citation>1</text:note-citation>', 'One')}</text:p>"
    assert read(tmp_path, body).text == "m* s[1]\n\n* Starred\n\n[1] One\n\n"


def test_formulas_stand_where_they_are_in_the_line(tmp_path: Path) -> None:
    rows = (
        "<mfrac><mn>7</mn><mn>8</mn></mfrac><mo>+</mo><msup><mi>x</mi><mn>2</mn></msup>",
        "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><msqrt><mi>i</mi></msqrt>",
        "<mrow><mo>[</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable><mo>]</mo></mrow>",
        "<mover><mi>x</mi><mo>¯</mo></mover><mphantom><mi>y</mi></mphantom>",
    )
    shown = []
    for row in rows:
        inside = f"<semantics><mrow>{row}</mrow><annotation>source</annotation></semantics>"
        frame = f'<draw:frame><draw:object><math xmlns="http://www.w3.org/1998/Math/MathML">{inside}</math></draw:object></draw:frame>'
        shown.append(read(tmp_path, f"<text:p>so {frame}.</text:p>").text.strip())
    assert shown == ["so 7/8 + x^2.", "so ∑_(i = 1)^n √i.", "so [1, 2].", "so x̄."]


def test_controls_and_fields_of_forms_show_what_was_chosen(tmp_path: Path) -> None:
    forms = (
        '<office:forms xmlns:form="urn:form"><form:form><form:checkbox form:id="c" form:current-state="checked" form:label="Agreed"/>'
        '<form:listbox form:id="l"><form:option form:label="No"/><form:option form:label="Yes" form:current-selected="true"/>'
        "</form:listbox></form:form></office:forms>"
    )
    mark = (
        '<f:fieldmark xmlns:f="urn:f" f:type="x.FORMDROPDOWN"><f:param f:name="Dropdown_Selected" f:value="1"/>'
        '<f:param f:name="Dropdown_ListEntry" f:value="Draft"/><f:param f:name="Dropdown_ListEntry" f:value="Final"/></f:fieldmark>'
    )
    body = forms + f'<text:p><draw:control draw:control="c"/>, <draw:control draw:control="l"/>, {mark}</text:p>'
    assert read(tmp_path, body).text == "☒ Agreed, Yes, Final\n\n"


def test_hidden_rows_columns_and_sheets_are_left_out_and_counted(tmp_path: Path) -> None:
    def row(number: int, look: str = "") -> str:
        return (
            f"<table:table-row {look}>"
            + "".join(f"<table:table-cell><text:p>{c}{number}</text:p></table:table-cell>" for c in "abc")
            + "</table:table-row>"
        )

    hidden = 'table:visibility="collapse"'
    columns = f"<table:table-column/><table:table-column {hidden}/><table:table-column/>"
    rows = row(1) + row(2, hidden) + row(3) + row(4, 'table:visibility="filter"')
    sheets = (
        f'<table:table table:name="S">{columns}{rows}</table:table><table:table table:name="H" table:style-name="t">{row(9)}</table:table>'
    )
    look = '<style:style style:name="t" style:family="table"><style:table-properties table:display="false"/></style:style>'
    parsed = load(write_odf(tmp_path / "a.ods", "spreadsheet", sheets, look))
    assert parsed.text == "S\n\n| a1 | c1 |\n| --- | --- |\n| a3 | c3 |\n\n"
    assert parsed.notes == ["1 hidden sheet left out", "2 hidden rows left out", "1 hidden column left out"]


def test_a_header_has_the_looks_of_its_own_styles(tmp_path: Path) -> None:
    page = f"<style:master-page><style:header><text:p>Trust {span('seen', 'Hidden')}</text:p></style:header></style:master-page>"
    own = f"<office:automatic-styles>{style('Hidden', 'text', '')}</office:automatic-styles>"
    own += f"<office:master-styles>{page}</office:master-styles>"
    body = f"<text:p>x {span('s', 'Hidden')}</text:p>"
    assert load(write_odf(tmp_path / "a.odt", "text", body, STYLES, own)).text == "Trust seen\n\nx\n\n"


def test_lists_of_other_styles_that_stand_further_in_are_nested(tmp_path: Path) -> None:
    place = (
        '<style:list-level-properties><style:list-level-label-alignment xmlns:fo="f" fo:margin-left="{}"/></style:list-level-properties>'
    )
    looks = "".join(
        f'<text:list-style style:name="{name}"><text:list-level-style-bullet text:level="1" text:bullet-char="-">{place.format(margin)}'
        "</text:list-level-style-bullet></text:list-style>"
        for name, margin in (("A", "0.25in"), ("B", "1.27cm"))
    )
    lists = [listed(item(text), f'text:style-name="{name}"') for name, text in (("A", "a"), ("B", "b"), ("A", "c"))]
    body = "".join(lists) + "<text:p>End.</text:p>" + lists[1]
    assert load(write_odf(tmp_path / "a.odt", "text", body, looks)).text == "- a\n  - b\n- c\n\nEnd.\n\n- b\n"


def test_a_table_on_a_slide_is_no_picture_for_the_one_kept_beside_it(tmp_path: Path) -> None:
    table = "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row></table:table>"
    page = f'<draw:page><draw:frame>{table}<draw:image xlink:href="p.png"/></draw:frame></draw:page>'
    parsed = load(write_odf(tmp_path / "a.odp", "presentation", page))
    assert parsed.text == "a\n\n" and not parsed.notes
