"""Markers: real, doubled, grouped, invented; and whether the words before them stand in the source."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Chunk
from rag.answer import Evidence
from rag.citations import cite, holder, settle

TEXTS = ["The mill was built in 1641 by Agnes.", "It closed in 1938; the sea-gates failed.", "Flour keeps for three months."]
SOURCES = [Evidence(Chunk(f"c{i}", f"/d{i}", t, 10, 10 + len(t), i, i, ""), 1.0, 1.0, 1.0) for i, t in enumerate(TEXTS, 1)]

TABLE = [
    ("1641 [1]", [(1, True)]),
    ("in 1641 [1], and it closed in 1938 [2].", [(1, True), (2, False)]),  # "and it closed" are not the source's words
    ("the Sea-Gates failed [2]", [(2, True)]),
    ("three months [3][3]", [(3, True)]),
    ("1641 [2][1]", [(2, False), (1, True)]),
    ("1641 [7][1]", [(1, True)]),
    ("1641 [1, 2]", [(1, True), (2, False)]),
    ("1641 [2]", [(2, False)]),
    ("1641 [7]", []),
    ("1641 [0]", []),
    ("[1] 1641", [(1, False)]),
    ("1641", []),
    ("164 [1]", [(1, False)]),  # half a word is not the word
    ("x [2] 1641 [1]", [(2, False), (1, True)]),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_markers(text: str, expected: list[tuple[int, bool]]) -> None:
    assert [(c.marker, c.verified) for c in cite(text, SOURCES)] == expected


def test_a_citation_is_the_chunks_own_span() -> None:
    citation = cite("1938 [2]", SOURCES)[0]
    assert (citation.path, citation.char_start, citation.char_end, citation.text, citation.page_start) == (
        "/d2",
        10,
        10 + len(TEXTS[1]),
        TEXTS[1],
        2,
    )


@given(st.text(alphabet="a1[], 23mill", max_size=40))
def test_any_text_cites_only_sources_that_are_there_and_each_once(text: str) -> None:
    markers = [c.marker for c in cite(text, SOURCES)]
    assert set(markers) <= {1, 2, 3}
    assert len(markers) == len(set(markers))


def test_the_holder_of_words_is_found() -> None:
    assert holder("three months", SOURCES) == 3
    assert holder("four months", SOURCES) is None
    assert holder("  ", SOURCES) is None


SETTLED = [
    ("1641 [1]", "1641 [1]"),
    ("1641 [2]", "1641 [1]"),
    ("1641 [7]", "1641 [1]"),
    ("in 1641 [2] and it closed in 1938 [1]", "in 1641 [1] and it closed in 1938 [1]"),
    ("never [2]", "never [2]"),
    ("three months [2][1]", "three months [3][3]"),
    ("1641 [1, 2]", "1641 [1, 2]"),
]


@pytest.mark.parametrize(("written", "shown"), SETTLED)
def test_a_marker_is_given_to_the_source_that_holds_its_words(written: str, shown: str) -> None:
    assert settle(written, SOURCES, ended=True) == shown
    pieces = [settle(written[:n].strip(), SOURCES, ended=False) for n in range(len(written) + 1)]
    assert all(later.startswith(earlier) for earlier, later in zip(pieces, [*pieces[1:], shown], strict=True)), pieces


@given(st.text(alphabet="16 4[],23mil", max_size=30))
def test_what_was_shown_is_never_taken_back(written: str) -> None:
    pieces = [settle(written[:n].strip(), SOURCES, ended=False) for n in range(len(written) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(pieces)), pieces
    assert settle(written.strip(), SOURCES, ended=True).startswith(pieces[-1])
