"""Mathematics on one line, and text without what hides words."""

import pytest

from ingest.loaders.linear import fraction, raised, root
from ingest.loaders.parsed import clean


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
        ("Octavo", "™", "™"),
        ("", "", ""),
    ],
)
def test_a_raised_figure_keeps_its_place(before: str, figure: str, line: str) -> None:
    assert raised(figure, before) == line


def test_fractions_and_roots_are_read_as_one_would_type_them() -> None:
    assert fraction("7", "8") == "7/8"
    assert fraction("a + b", "c") == "(a + b)/c"
    assert fraction("(a + b)", "x^2") == "(a + b)/x^2"
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
