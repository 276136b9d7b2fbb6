r"""Rich Text Format as a person sees it: raised figures, signs, both halves of \upr, forms, formulas, nested lists."""

from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.parsed import Parsed

_FONTS = (
    r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset2 Wingdings;}{\f2\fcharset2 Symbol;}{\f3\fcharset204 Cyr;}{\f4\fcharset2 Wingdings 2;}}"
)


def read(folder: Path, body: str) -> Parsed:
    path = folder / "a.rtf"
    path.write_bytes(rf"{{\rtf1\ansi\ansicpg1252\deff0{_FONTS}{body}\par}}".encode("latin-1"))
    return load(path)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (r"10{\super 6} cells, m\super 2\nosupersub  x", "10^6 cells, m^2 x"),
        (r"10{\up6\fs14 -3} y, a{\up6 word}, H{\sub 2}O, 2{\super nd}", "10^-3 y, aword, H2O, 2nd"),
        (r"x{\super n}{\super +1} y", "x^(n+1) y"),
        (r"{\f1\u-3842\'fe} a {\f1\u61692 ?} b {\f1\u252\'fc} {\f1\'a8}", "☑ a ✓ b ✓ ☐"),
        (r"{\f4 P\'a3} {\f2 a\'b3} {\f3\'cf\'f0}", "✓☐ α≥ Пр"),
        (r"Start {\upr{\b Caf?}{\*\ud{\b Caf\u233?}}} end", "Start Café end"),
        (
            r"A mill{\super *}{\footnote{\super *} Starred.} x{\super\chftn}{\*\footnote\chftn  One.}",
            "A mill* x[1]\n\n* Starred.\n\n[1] One.",
        ),
        (r"{\super\u-10179?\u-8704?}", "^(😀)"),
        (
            r"so {\mmath{\*\moMath{\mf{\mfPr{\mctrlPr\i}}{\mnum{\mr 7}}{\mden{\mr 8}}}{\mr +}"
            r"{\mrad{\mradPr{\mdegHide on}}{\mdeg}{\me{\mr 16}}}}}"
            r"{\mmathPict{\pict 00}}",
            "so 7/8 + √16",
        ),
        (
            r"{\field{\*\fldinst EQ \\f(7,8)}{\fldrslt }} {\field{\*\fldinst SYMBOL 252 \\f Wingdings}} "
            r"{\field{\*\fldinst PAGE}{\fldrslt 3}}",
            "7/8 ✓ 3",
        ),
    ],
)
def test_rich_text_reads_as_it_looks(tmp_path: Path, body: str, shown: str) -> None:
    parsed = read(tmp_path, body)
    assert parsed.text.strip() == shown
    assert parsed.notes == []


def test_hidden_passages_are_left_out_and_counted(tmp_path: Path) -> None:
    parsed = read(tmp_path, r"a{\v secret}b {\v two}{\v  more} c\v d\v0 e {\deleted gone}")
    assert parsed.text == "ab  ce\n\n"
    assert parsed.notes == ["3 hidden passages left out"]


def test_forms_show_choices_ticks_and_text(tmp_path: Path) -> None:
    def form(code: str, data: str, result: str = "") -> str:
        return rf"{{\field{{\*\fldinst {{{code} {{\*\formfield{{{data}}}}}}}}}{{\fldrslt {result}}}}}"

    fields = [
        form("FORMDROPDOWN", r"\fftype2\ffres1{\*\ffname D1}\ffdefres0{\*\ffl Draft}{\*\ffl Approved}"),
        form("FORMDROPDOWN", r"\fftype2\ffres25\ffdefres0{\*\ffl Draft}{\*\ffl Approved}"),
        form("FORMCHECKBOX", r"\fftype1\ffres25\ffdefres1"),
        form("FORMCHECKBOX", r"\fftype1\ffres0\ffdefres1"),
        form("FORMTEXT", r"\fftype0{\*\ffdeftext name}"),
        form("FORMTEXT", r"\fftype0{\*\ffdeftext name}", "Smith"),
    ]
    assert read(tmp_path, " ".join(fields)).text == "Approved Draft ☒ ☐ name Smith\n\n"


@pytest.mark.parametrize(
    "items",
    [
        [
            rf"{{\pard\ls1\ilvl{level}\li{720 * level + 720}\fi-360{{\listtext {mark}\tab}}{text}\par}}"
            for level, mark, text in [(0, "1.", "one"), (1, "a.", "sub"), (0, "2.", "two")]
        ],
        [
            rf"\pard{{\pntext {mark}\tab}}\fi-360\li{indent} {text}\par" + "\n"
            for indent, mark, text in [(360, "1.", "one"), (720, "a.", "sub"), (360, "2.", "two")]
        ],
        [
            rf"{{\pard\li{indent}\fi-360 {mark}\tx360\tab {text}\par}}"
            for indent, mark, text in [(360, "1.", "one"), (720, "a.", "sub"), (360, "2.", "two")]
        ],
    ],
    ids=["listtext", "pntext", "typed"],
)
def test_list_items_are_nested(tmp_path: Path, items: list[str]) -> None:
    assert read(tmp_path, "".join(items)).text == "1. one\n  a. sub\n2. two\n"


def test_a_mark_may_be_followed_by_a_blank(tmp_path: Path) -> None:
    assert read(tmp_path, r"{\pard\ls1{\listtext\'b7 }dot\par}{\pard\ls2{\listtext 1. }one\par}").text == "- dot\n1. one\n"


def test_bullets_that_are_boxes_tell_what_is_ticked(tmp_path: Path) -> None:
    items = [
        rf"{{\pard\ls1\fi-360\li360{{\listtext\f1\'{code}\tab}}{text}\par}}"
        for code, text in [("fe", "done"), ("a8", "to do"), ("a7", "dot"), ("d8", "arrow")]
    ]
    assert read(tmp_path, "".join(items)).text == "☑ done\n☐ to do\n- dot\n- arrow\n"


def test_cells_stay_under_their_header_where_a_row_has_fewer(tmp_path: Path) -> None:
    def row(left: int, *cells: tuple[int, str]) -> str:
        ends = "".join(rf"\cellx{end}" for end, _ in cells)
        return rf"\trowd\trleft{left}{ends}\pard\intbl " + "".join(rf"{text}\cell " for _, text in cells) + r"\row "

    rows = row(-108, (2000, "Item"), (4000, "2023"), (6000, "2024")) + row(-108, (2010, "mill"), (6000, "both"))
    rows += row(3990, (6000, "only")) + row(-108, (2000, "a"), (4000, "b"))
    assert read(tmp_path, rows + r"\pard after").text == (
        "| Item | 2023 | 2024 |\n| --- | --- | --- |\n| mill | both |  |\n|  |  | only |\n| a | b |  |\n\nafter\n\n"
    )


def test_a_list_level_that_no_program_has_is_taken_for_the_deepest(tmp_path: Path) -> None:
    items = [rf"{{\pard\ls1\ilvl{level}{{\listtext 1.\tab}}x\par}}" for level in (0, 2_000_000_000)]
    assert read(tmp_path, "".join(items)).text == "1. x\n" + "  " * 8 + "1. x\n"
