"""Text as a page would print it: nothing is lost, and what is lit is the span, whatever the text looks like."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.typeset import quoted, typeset, written
from ingest.loaders.parsed import Parsed

PIECES = [
    "word",
    " ",
    "\n",
    "\n\n",
    "# ",
    "- ",
    "1. ",
    "12. ",
    "| a | b |\n|---|---|\n| c | d |\n",
    "```\ncode\n```",
    "**",
    "é",
    "𝔸",
    "\\|",
    "\t",
    ".",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def runs(blocks: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [run for block in blocks for cell in [block.get("runs", []), *(c for row in block.get("rows", []) for c in row)] for run in cell]


def letters(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


def shown(blocks: list[dict[str, Any]]) -> str:
    """All that is read, the numbers of items too."""
    return "".join(block.get("mark", "") + "".join(text for text, _ in runs([block])) for block in blocks)


@given(TEXTS, st.data())
def test_no_letter_is_lost_and_the_lit_ones_are_the_spans(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    blocks = typeset(Parsed(text), start, end)["blocks"]
    assert letters(shown(blocks)) == letters(text)
    lit = letters("".join(piece for piece, mark in runs(blocks) if mark))
    span = letters(text[start:end])
    assert lit == span or lit == letters(re.sub(r"\d+\.", "", text[start:end])) or span.replace(lit, "", 1).isdecimal()


def test_lines_that_a_page_broke_are_joined_and_short_ones_end() -> None:
    text = "The ferry to Oxmoor has been called\nGannet since it was built here in\n1911.\nEnd\nof it all is never quite so near as it was."
    (block,) = typeset(Parsed(text), 0, 0)["blocks"]
    assert "".join(piece for piece, _ in block["runs"]).split("\n") == [
        "The ferry to Oxmoor has been called Gannet since it was built here in 1911.",
        "End",
        "of it all is never quite so near as it was.",
    ]


def test_a_table_is_rows_of_cells_without_its_rule() -> None:
    text = "| Candidate | Votes |\n|---|---|\n| Kit \\| Co | 57 |"
    at = text.index("57")
    (table,) = typeset(Parsed(text), at, at + 2)["blocks"]
    assert [["".join(piece for piece, _ in cell) for cell in row] for row in table["rows"]] == [
        ["Candidate", "Votes"],
        ["Kit \\| Co", "57"],
    ]
    assert [piece for piece, lit in runs([table]) if lit] == ["57"]


def test_of_a_huge_text_only_what_is_around_the_span_is_shown_even_without_a_paragraph() -> None:
    for text in ("word " * 1_000_000, "line of it\n" * 500_000, "| a | b |\n" * 500_000):
        told = typeset(Parsed(text), 2_000_000, 2_000_004)
        assert len(shown(told["blocks"])) < 60_000
        assert 0 < told["before"] < 2_000_000 < told["behind"] < len(text)
        assert len(shown(typeset(Parsed(text), 0, len(text))["blocks"])) < 60_000
        assert len(shown(typeset(Parsed(text), -(10**9), 10**9)["blocks"])) < 60_000


def test_all_of_a_text_can_be_had_by_asking_on() -> None:
    text = "\n\n".join(f"Paragraph {number} of it." for number in range(4000))
    seen, place = set(), 0
    while place is not None:
        told = typeset(Parsed(text), place, place)
        seen |= {int(number) for number in re.findall(r"Paragraph (\d+)", shown(told["blocks"]))}
        place = told["behind"]
    assert seen == set(range(4000))


def test_pages_stand_before_their_text() -> None:
    blocks = typeset(Parsed("One.\n\nTwo.\n\nThree.", pages=[(0, 1), (6, 2), (12, 3)]), 6, 10)["blocks"]
    assert [block.get("number") or block["runs"][0][0] for block in blocks] == [1, "One.", 2, "Two.", 3, "Three."]


def test_a_quote_is_lit_where_it_answers() -> None:
    text = "The fee is 45p a mile. Other."
    assert quoted(text, 0, 22, 11, 14)[0]["runs"] == [("The fee is ", False), ("45p", True), (" a mile.", False)]


def test_of_what_a_model_wrote_bold_words_and_markers_are_told_apart() -> None:
    blocks = written("It is **45p** a mile [1].", [(21, 24, (1,))])
    assert blocks[0]["runs"] == [("It is ", False), ("45p", True), (" a mile ", False), ("[1]", (1,)), (".", False)]


def test_a_table_ends_where_its_rows_end_and_headings_stand_within_running_lines() -> None:
    text = "Votes:\n| a | b |\n| c | d |\nAfter it.\n### Next\nMore."
    assert [block["kind"] for block in typeset(Parsed(text), 0, 0)["blocks"]] == ["text", "table", "text", "heading", "text"]
    many = typeset(Parsed("# comment\n" * 1000), 0, 0)["blocks"]
    assert len(many) == 1000
