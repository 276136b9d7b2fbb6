"""A page is stored as a person sees it: numbers, nesting, spanned cells, raised figures, form values, and nothing hidden."""

from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.web.html import parse

TEXTS = {
    "an ordered list has its numbers": ("<ol><li>mix<li>bake</ol>", "1. mix\n2. bake"),
    "a list's start, type and values count": (
        "<ol start=5 type=a><li>x<li value=9>y<li>z</ol><ol reversed><li>p<li>q</ol><ol style='list-style-type:upper-roman'><li>r</ol>",
        "e. x\ni. y\nj. z\n\n2. p\n1. q\n\nI. r",
    ),
    "nested lists are indented": ("<ul><li>a<ol type=i><li>b<ul><li>c</ul></ol><li>d</ul>", "- a\n  i. b\n    - c\n- d"),
    "a list right inside a list is nested": ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"),
    "an item keeps its number before paragraphs": ("<ol><li><p>a</p><p>b</p></li><li>c</li></ol>", "1. a\n\n  b\n\n2. c"),
    "a break in an item is a blank": ("<ul><li>a<br>b</ul>", "- a b"),
    "raised figures stay raised": (
        "<p>10<sup>6</sup> km<sup>2</sup>, 2<sup>nd</sup>, H<sub>2</sub>O, x<sub>1</sub><sup>n+1</sup>, ref<sup>[3]</sup></p>",
        "10^6 km^2, 2nd, H2O, x1^(n+1), ref[3]",
    ),
    "a fraction of small figures is one": ("2<sup>1</sup>&frasl;<sub>3</sub> cups", "2 1/3 cups"),
    "figures after figures in a subscript are set off": ("1010<sub>2</sub> and H<sub>2</sub>O", "1010_2 and H2O"),
    "letters of a symbol font are what they show": (
        "<span style='font-family:Wingdings'>J <b style='font:12pt Arial, sans-serif'>J</b></span> <font face='Wingdings, serif'>ü</font>",
        "☺ J ✓",
    ),
    "Word's lists have their marks and depth": (
        "<p>List:</p><p style='mso-list:l0 level1 lfo1'><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span"
        " style='font:7pt \"Times New Roman\"'>&nbsp; </span></span></span>a</p><p style='margin-left:72pt;mso-list:l0 level2 lfo1'>"
        "<span style='mso-list:Ignore'>o </span>b</p><p style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>1. </span>c</p>",
        "List:\n\n- a\n  - b\n1. c",
    ),
    "Google's lists have their numbers and depth": (
        '<style>ol.lst-kix_q-0{list-style-type:none}ol.lst-kix_q-1{list-style-type:none}.lst-kix_q-0>li:before{content:"" counter(a,'
        'decimal) ". "}.lst-kix_q-1>li:before{content:counter(b,lower-latin) ") "}</style><ol class=\'c lst-kix_q-0 start\'><li>x</ol>'
        "<ol class='lst-kix_q-1 start' start=1><li>y<li>z</ol><ol class=lst-kix_q-0 start=2><li>w</ol>",
        "1. x\n\n  a) y\n  b) z\n\n2. w",
    ),
    "numbers that a style sheet counts are shown": (
        "<style>ol{list-style:none}li::before{content:counters(item, '.') ' '}</style><ol><li>a<ol><li>b<li>c</ol><li>d</ol>",
        "1 a\n  1.1 b\n  1.2 c\n2 d",
    ),
    "a raised span is raised": ("10<span style='vertical-align: super'>6</span>", "10^6"),
    "fields show their values": (
        "<label>Name</label><input value='Ann Lee'><input type=hidden value=tok><input type=password value=pw><textarea>a\n b</textarea>",
        "Name Ann Lee\n\na\n b",
    ),
    "boxes and choices show what is chosen": (
        "<input type=checkbox checked>Yes <input type=radio>No <select><option>p<option selected>q</select>"
        "<select><option>first<option>second</select><select multiple><option>s<option selected>t</select>",
        "☒ Yes ☐ No q first ☐ s ☒ t",
    ),
    "quotations have their marks": ("He said <q>go <q>now</q></q>", "He said “go ‘now’”"),
    "a reading follows its characters": ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>字", "漢(かん)字"),
    "what was struck out runs into no other word": ("<del>ten</del><ins>twelve</ins> un<b>believ</b>able", "ten twelve unbelievable"),
    "marks and links leave plain words": ("<b>a_b</b> <i>*c*</i> <a href='x'>d</a> <code>e\\f</code><img alt='g'>", "a_b *c* d e\\f"),
    "breaks and styled lines are lines": (
        "a<br>b<br><br>c<span style='display:block'>d</span><div style='white-space:pre-wrap'>e\nf</div><pre>  g\n\n\n   h</pre>",
        "a\nb\n\nc\nd\n\ne\nf\n\n  g\n\n\n   h",
    ),
    "closed details can be opened": (
        "<details><summary>More</summary><p>inside</p></details><dialog open>asked</dialog>",
        "More\n\ninside\n\nasked",
    ),
    "a drawing's labels are read": ("<svg><title>no</title><text>Axis</text><text>20<tspan>24</tspan></text></svg>", "Axis; 2024"),
    "characters that we mark with don't come from a page": ("<p>a\x05b\x06\x07 c\x08d</p><pre>e\x01f</pre>", "a b c d\n\nef"),
}
TABLES = {
    "cells stand under their header after a row span": (
        "<tr><th>Region<th>Year<th>Sum<tr><td rowspan=2>North<td>2023<td>11<tr><td>2024<td>12<tr><td>South<td>2023<td>9",
        "| Region | Year | Sum |\n| --- | --- | --- |\n| North | 2023 | 11 |\n|  | 2024 | 12 |\n| South | 2023 | 9 |",
    ),
    "cells stand under their header after a column span": (
        "<tr><th colspan=2>Site<th>Staff<tr><td>Oslo<td>North<td>12",
        "| Site |  | Staff |\n| --- | --- | --- |\n| Oslo | North | 12 |",
    ),
    "a span ends with its section": (
        "<tbody><tr><td rowspan=9>a<td>b<tbody><tr><td>c<td>d",
        "| a | b |\n| --- | --- |\n| c | d |",
    ),
    "a foot written first stands last": (
        "<thead><tr><th>Part<th>Qty<tfoot><tr><td>Total<td>9<tbody><tr><td>Nut<td>9",
        "| Part | Qty |\n| --- | --- |\n| Nut | 9 |\n| Total | 9 |",
    ),
    "a row over all columns is a title": (
        "<tr><th colspan=2>Prices<tr><th>A<th>B<tr><td>1<td>2",
        "Prices\n\n| A | B |\n| --- | --- |\n| 1 | 2 |",
    ),
    "lists and headings in a cell are one line": (
        "<tr><th>Pump<th>Checks<tr><td><h4>P-1</h4>standby<td>Do:<ul><li>oil<li>seal</ul><ol><li>stop</ol><tr><td>x<td><dl><dt>Rate<dd>4</dl>",
        "| Pump | Checks |\n| --- | --- |\n| P-1 standby | Do: oil; seal; 1. stop |\n| x | Rate 4 |",
    ),
    "a table in a cell is one line": (
        "<tr><th>A<th>B<tr><td>x<td><table><tr><td>1<td>2<tr><td>3<td>4</table>",
        "| A | B |\n| --- | --- |\n| x | 1, 2; 3, 4 |",
    ),
    "a table that lays out a page is read cell by cell": (
        "<tr><td><table><tr><td><p>Menu</p></table><td><h2>News</h2><p>One.</p><p>Two.</p><tr><td>2 pumps<td>40 EUR",
        "Menu\n\nNews\n\nOne.\n\nTwo.\n\n2 pumps 40 EUR",
    ),
    "one column is no table": ("<tr><td><h1>Hi</h1><p>a</p><tr><td>b", "Hi\n\na\n\nb"),
    "hidden rows and cells take no place": (
        "<tr><th>A<th>B<tr style='display:none'><td>x<td>y<tr><td hidden>z<td>1<td>2",
        "| A | B |\n| --- | --- |\n| 1 | 2 |",
    ),
    "senseless spans are none": ("<tr><td colspan=-1>a<td rowspan=x>b<tr><td colspan=999999999999>c", "| a | b |\n| --- | --- |\n| c |  |"),
}
HIDDEN = [
    "<p style='display: NONE !important'>{}</p>",
    "<p style='visibility:hidden'>{}</p>",
    "<p style='opacity:0'>{}</p>",
    "<p hidden>{}</p>",
    "<div style='max-height:0;overflow:hidden'>{}</div>",
    "<div style='font-size:0px'><i>{}</i></div>",
    "<div style='height:0;overflow:hidden'>{}</div>",
    "<p style='position:absolute;left:-9999px'>{}</p>",
    "<p style='text-indent:-9999px'>{}</p>",
    "<p style='color:#fff;background:#fff'>{}</p>",
    "<template>{}</template>",
    "<dialog>{}</dialog>",
    "<noscript>{}</noscript>",
    "<style>.x, i {{ DISPLAY:none }}</style><p class='y x'>{}</p>",
    "<style>@media print{{}} p#n{{visibility:hidden}}</style><p id=n>{}</p>",
    "<style>@media screen {{.x{{display:none}}}}</style><p class=x>{}</p>",
    "<style>.a .b{{display:none}}</style><div class=a><div><p class=b>{}</p></div></div>",
    "<style>div > p{{display:none}}</style><div><p>{}</p></div>",
]
SEEN = [
    "<style>@media print{{.x{{display:none}}}}</style><p class=x>{}</p>",
    "<style media=print>p{{display:none}}</style><p>{}</p>",
    "<style>/*p{{display:none}}*/ p:hover, .a .b{{display:none}}</style><p>{}</p>",
    "<style>.a .b, .a > .c{{display:none}}</style><p class=b><b class=c>{}</b></p>",
    "<style>@media screen and (max-width:600px){{.x{{display:none}}}}</style><p class=x>{}</p>",
    "<style>.x{{display:none}}.x.y{{display:block}}</style><p class='x y'>{}</p>",
    "<div style='font-size:0'><p style='font-size:14px'>{}</p></div>",
    "<div style='visibility:hidden'><b style='visibility:visible'>{}</b></div>",
    "<a style='mso-hide:all'>{}</a>",
    "<body style='opacity:0'>{}</body>",
    "<p style='opacity:.5;max-height:none;height:1em;overflow:hidden'>{}</p>",
    "<p aria-hidden=true>{}</p>",
    "<style>.in{{opacity:0;transition:opacity 1s}}</style><p class=in>{}</p>",
    "<p style='font-size:.9vw'>{}</p>",
    "<p style='display:none;display:block'>{}</p>",
]


@pytest.mark.parametrize(("page", "text"), TEXTS.values(), ids=TEXTS)
def test_a_page_reads_as_it_is_seen(page: str, text: str) -> None:
    assert parse(page).text.rstrip("\n") == text


@pytest.mark.parametrize(("rows", "text"), TABLES.values(), ids=TABLES)
def test_a_table_reads_as_it_is_seen(rows: str, text: str) -> None:
    assert parse(f"<table>{rows}</table>").text.rstrip("\n") == text


@pytest.mark.parametrize("page", HIDDEN)
def test_what_is_hidden_is_left_out_with_a_note(page: str) -> None:
    parsed = parse("<p>shown</p>" + page.format("secret"))
    assert parsed.text == "shown\n\n" and parsed.notes == ["1 hidden part left out"]


@pytest.mark.parametrize("page", SEEN)
def test_what_only_looks_hidden_is_read(page: str) -> None:
    parsed = parse(page.format("shown"))
    assert parsed.text == "shown\n\n" and not parsed.notes


def test_a_table_with_borders_is_data() -> None:
    rows = "<tr><td>Part<td>Qty<tr><td colspan=2><p>merged</p><p>two</p><tr><td>Nut<td>4"
    assert "| Part | Qty |" in parse(f"<table border=1>{rows}</table>").text
    assert "merged\n\ntwo" in parse(f"<table>{rows}</table>").text


def test_blank_hidden_parts_are_not_worth_a_note() -> None:
    assert not parse("<p>a</p><div style='display:none'>&nbsp;&zwnj;&nbsp;</div>").notes


def test_menus_pictures_and_embedded_pages_are_noted() -> None:
    parsed = parse("<nav>Home</nav><img src=a><img src=b alt=''><img src=c width=1><iframe src=d></iframe><p>a</p>")
    assert parsed.text == "a\n\n"
    assert parsed.notes == ["1 menu left out", "1 picture not read", "1 embedded page or recording not read"]


def test_headings_are_found_in_lists_and_layout_but_not_in_cells() -> None:
    page = "<table><tr><td><h1>A <b>b</b><br>c</h1></table><ol><li><h3>Step</h3>do</ol><h2></h2>"
    page += "<table><tr><th>x<th>y<tr><td><h2>no</h2><td>1</table>"
    parsed = parse(page)
    assert parsed.headings == [(0, 1, "A b c"), (7, 3, "1. Step")]
    assert all(parsed.text[start:].startswith(title) for start, _, title in parsed.headings)


FORMULAS = [
    ("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>", "(a + b)/2"),
    ("<msup><mn>10</mn><mrow><mo>-</mo><mn>3</mn></mrow></msup><mo>=</mo><mo>-</mo><msub><mi>x</mi><mn>1</mn></msub>", "10^-3 = -x1"),
    ("<msqrt><mi>x</mi><mo>-</mo><mn>1</mn></msqrt><mo>&#x2062;</mo><mroot><mi>y</mi><mn>3</mn></mroot>", "√(x - 1)^3√y"),
    ("<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>", "∑_(i = 1)^n i"),
    ("<semantics><mi>a</mi><annotation encoding='application/x-tex'>\\alpha</annotation></semantics>", "a"),
    ("<mfenced><mi>a</mi><mi>b</mi></mfenced><mover><mi>v</mi><mo>¯</mo></mover>", "(a, b)v̄"),
]


@pytest.mark.parametrize(("formula", "text"), FORMULAS)
def test_a_formula_is_one_line(formula: str, text: str) -> None:
    assert parse(f"<p>Let <math>{formula}</math>.</p>").text == f"Let {text}.\n\n"


def test_a_formula_that_is_there_twice_is_read_once() -> None:
    katex = (
        "<span class=katex><span class=katex-mathml><math><mi>c</mi></math></span><span class=katex-html aria-hidden=true>c</span></span>"
    )
    wiki = "<span><span style='display:none'><math><mi>E</mi></math></span><img alt='{\\displaystyle E}'></span>"
    assert parse(f"<p>{katex} and {wiki}</p>").text == "c and E\n\n"


def test_a_page_nested_too_deeply_is_read_without_layout_and_says_so() -> None:
    parsed = parse("<div>" * 2000 + "text")
    assert parsed.text == "text" and "nested too deeply" in parsed.notes[0]


def test_a_saved_page_has_its_frames_and_notes(tmp_path: Path) -> None:
    part = '--b\nContent-Type: text/html; charset="utf-8"\n\n'
    head = 'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n'
    pages = ["<title>Book</title><p hidden>x</p><iframe src='cid:1'></iframe><p>Main</p>", "<p>Sheet</p><p hidden>y</p>", "<p>Sheet</p>"]
    (tmp_path / "a.mht").write_text(head + "".join(f"{part}{page}\n" for page in pages) + "--b--\n")
    parsed = load(tmp_path / "a.mht")
    assert parsed.text == "Book\n\nMain\n\nSheet\n\n" and parsed.notes[0] == "2 hidden parts left out"


def test_a_saved_page_is_read_by_the_style_sheet_saved_with_it(tmp_path: Path) -> None:
    head = 'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n'
    page = "<link rel=stylesheet href='cid:s@x'><p>10<b class=up>6</b></p><p class=no>gone</p>"
    sheet = "Content-Type: text/css\nContent-ID: <s@x>\n\n.up{vertical-align:super} .no{display:none}"
    (tmp_path / "a.mht").write_text(f"{head}--b\nContent-Type: text/html\n\n{page}\n--b\n{sheet}\n--b--\n")
    assert load(tmp_path / "a.mht").text == "10^6\n\n"
