"""What the terminal says of an answer whose claims are not all held."""

import pytest

from app.answers import show
from rag.answer import Answer, Citation, Claim, Support


def citation(marker: int, support: Support) -> Citation:
    return Citation(marker, "/d/mill.md", None, None, 0, 4, "Mill", support != "unsupported", support=support)


def test_markers_without_a_source_and_sentences_without_a_marker_are_said_in_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    claims = (Claim("Built [9]", (9,)), Claim("It burnt."), Claim("It rained."))
    show([Answer("Built [9]. It burnt. It rained."), Answer(claims=claims, unresolved=(9, 9))])
    assert capsys.readouterr().err.splitlines() == [
        "No source has the number [9].",
        "2 of 3 statements name no source: It burnt. ...",
    ]


def test_only_a_passage_that_does_not_say_it_is_to_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    show([Answer("It says so.", citations=(citation(1, "verbatim"), citation(2, "supported"), citation(3, "unsupported")))])
    shown = capsys.readouterr()
    assert [line[:5] for line in shown.out.splitlines() if "check it" in line] == ["  [3]"]
    assert not shown.err
