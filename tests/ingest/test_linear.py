"""Mathematics on one line, and text without what hides words."""

import pytest

from ingest.loaders.linear import fraction, lifted, raised, root, settled
from ingest.loaders.parsed import Block, Builder, clean


@pytest.mark.parametrize(
    ("before", "figure", "line"),
    [
        ("10", "6", "^6"),
        ("10", "-3", "^-3"),
        ("x", "n + 1", "^(n + 1)"),
        ("2", "nd", "nd"),
        ("21", "st", "st"),
        ("le XX", "e", "e"),
        ("here", "a", "^a"),
        ("m", "th", "^th"),
        ("no. 5; M", "me", "me"),
        ("Price", "*", "*"),
        ("Octavo", "™", "™"),
        ("", "", ""),
    ],
)
def test_a_raised_figure_keeps_its_place(before: str, figure: str, line: str) -> None:
    assert raised(figure, before) == line


def test_runs_above_and_below_the_line_are_read_together() -> None:
    figure = "10" + lifted("-", 1) + lifted("3 ", 1) + "m; H" + lifted("2", -1) + "O; 1010" + lifted("2", -1) + lifted(" ", 1) + "end"
    assert settled(figure) == "10^-3 m; H2O; 1010_2 end"


def test_fractions_and_roots_are_read_as_one_would_type_them() -> None:
    assert fraction("7", "8") == "7/8"
    assert fraction("a + b", "c") == "(a + b)/c"
    assert fraction("(a + b)", "x^2") == "(a + b)/x^2"
    assert fraction("1", "2a") == "1/(2a)"
    assert root("16") == "√16"
    assert root("a + b", "3") == "^3√(a + b)"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("steam\u00adship", "steamship"),
        ("zero\u200bwidth\u2060d", "zerowidthd"),
        ("\ufb01nd the \ufb02ow", "find the flow"),
        ("cafe\u0301", "café"),
        ("ab\u200dc", "abc"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_nothing_invisible_hides_a_word(written: str, read: str) -> None:
    assert clean(written) == read


def test_nested_items_are_indented_however_long_they_are() -> None:
    builder = Builder()
    for depth, text in enumerate(["- short", f"a. {'a long clause of a contract ' * 8}", "- short again"]):
        builder.add(Block("item", text, depth))
    lines = [line for line in builder.parsed().text.splitlines() if line]
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 2, 4]
