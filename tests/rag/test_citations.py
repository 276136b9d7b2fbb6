"""Markers: real, doubled, grouped, invented, quoted; what each stands for; and that what was shown is never taken back."""

import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Chunk
from rag.answer import Citation, Claim, Evidence
from rag.citations import CitationStream, find_markers
from rag.markers import strip_markers


def sources(*texts: str) -> list[Evidence]:
    return [Evidence(Chunk(f"c{i}", f"/d{i}", t, 10, 10 + len(t), i, i, ""), 1.0, 1.0, 1.0) for i, t in enumerate(texts, 1)]


TEXTS = ["The mill was built in 1641 by Agnes.", "It closed in 1938; the sea-gates failed.", "Flour keeps for three months."]
SOURCES = sources(*TEXTS)


def resolve(pieces: Sequence[str], evidence: list[Evidence], quotes: bool = False, cut: bool = False) -> tuple[str, tuple[Citation, ...]]:
    stream = CitationStream(evidence, quotes=quotes)
    shown = "".join(map(stream.push, pieces)) + stream.flush(cut)
    return shown, stream.citations


def cited(text: str, evidence: list[Evidence] = SOURCES) -> list[tuple[int, bool]]:
    return [(c.marker, c.verified) for c in resolve([text], evidence)[1]]


TABLE = [
    ("1641 [1]", [(1, True)]),
    ("in 1641 [1], and it closed in 1938 [2].", [(1, True), (2, True)]),
    ("in 1641 [1], and it closed in 1939 [2].", [(1, True), (2, False)]),
    ("the Sea-Gates failed [2]", [(2, True)]),
    ("three months [3][3]", [(3, True)]),
    ("1641 [2][1]", [(2, False), (1, True)]),
    ("1641 [2] [1]", [(2, False), (1, True)]),
    ("1641 [7][1]", [(1, True)]),
    ("1641 [1, 2]", [(1, True), (2, False)]),
    ("1641 [1], [2]", [(1, True), (2, False)]),
    ("1641 [2]", [(2, False)]),
    ("1641 [7]", []),
    ("1641 [0]", []),
    ("[1] 1641", [(1, False)]),
    ("1641", []),
    ("164 [1]", [(1, False)]),  # half a word is not the word
    ("x [2] 1641 [1]", [(2, False), (1, True)]),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_each_source_is_cited_once_and_verified_if_it_holds_the_words(text: str, expected: list[tuple[int, bool]]) -> None:
    assert cited(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The mill was built in 1641 [1]. It was burnt by pirates in 1700 and nobody survived [1].",
        "It was burnt by pirates in 1700 and nobody survived [1]. The mill was built in 1641 [1].",
        "1641 [1] or 1642 [1] or Agnes [1]",
    ],
)
def test_all_that_a_marker_stands_for_must_stand(text: str) -> None:
    assert cited(text) == [(1, False)]


WRONG = [
    ("5 [1]", "Section 5: the trustees. There are seven trustees."),
    ("15 [1]", "The loss was **1.5** % in May."),
    ("The balance is 100 [1]", "the balance is **-1,00** pounds"),
    ("open on Sundays [1]", "The mill is **not** open on Sundays."),
    ("No [1]", "There is no parking at the mill."),
]


@pytest.mark.parametrize(("answer", "source"), WRONG)
def test_a_false_answer_in_the_letters_of_its_source_is_not_verified(answer: str, source: str) -> None:
    assert cited(answer, sources(source)) == [(1, False)]


def test_the_check_reads_what_the_model_was_shown() -> None:
    chunk = Chunk("c", "/d", "| Agnes | 1641 |", 10, 26, None, None, "", header="| Miller | Since |")
    assert cited("Miller, Since [1]", [Evidence(chunk, 1.0, 1.0, 1.0)]) == [(1, True)]


def test_a_citation_is_the_chunks_own_span() -> None:
    citation = resolve(["1938 [2]"], SOURCES)[1][0]
    assert (citation.path, citation.char_start, citation.char_end, citation.text, citation.page_start) == (
        "/d2",
        10,
        10 + len(TEXTS[1]),
        TEXTS[1],
        2,
    )


@given(st.text(alphabet="a1[], 23mill", max_size=40))
def test_any_text_cites_only_sources_that_are_there_and_each_once(text: str) -> None:
    markers = [number for number, _ in cited(text)]
    assert set(markers) <= {1, 2, 3}
    assert len(markers) == len(set(markers))


def test_a_model_that_was_not_trained_to_quote_keeps_its_markers_and_is_given_none() -> None:
    for text in ("1641 [2]", "1641 [7]", "three months", "No [2]."):
        assert resolve([text], SOURCES)[0] == text


PARKING = sources("There is no parking at the mill.", "Dogs may not enter the engine house.", "Agnes Reed is in the chair.")
QUOTED = [
    ("1641 [1]", "1641 [1]", SOURCES),
    ("1641 [2]", "1641 [1]", SOURCES),
    ("1641 [7]", "1641 [1]", SOURCES),
    ("in 1641 [2] and it closed in 1938 [1]", "in 1641 [1] and it closed in 1938 [1]", SOURCES),
    ("never [2]", "never [2]", SOURCES),
    ("1641 [1, 2]", "1641 [1, 2]", SOURCES),
    ("three months [2][1]", "three months [2][1]", SOURCES),  # of several, none is put in another's place
    ("No [2].", "No [2].", PARKING),
    ("Yes", "Yes", PARKING),
    ("No", "No", PARKING),
    ("parking [2]", "parking [2]", PARKING),
    ("enter the engine house [1]", "enter the engine house [1]", PARKING),  # nobody may: no source says this
    ("Agnes [3]", "Agnes [3]", [*SOURCES[:1], *PARKING[1:]]),  # its own source holds it, though it isn't the first
    ("Agnes [2]", "Agnes [2]", [*SOURCES[:1], *PARKING[1:]]),  # two sources hold it
    ("5 [1]", "5 [1]", sources("Bread is baked at six.", "There are 5 trustees.")),
    ("five", "five", sources("Bread is baked at six.", "There are five trustees.")),
    ("three months", "three months [3]", SOURCES),
    ("four months", "four months", SOURCES),
    ("  ", "", SOURCES),
]


@pytest.mark.parametrize(("written", "shown", "evidence"), QUOTED)
def test_a_quoting_models_marker_goes_to_the_only_source_that_holds_its_words(written: str, shown: str, evidence: list[Evidence]) -> None:
    assert resolve([written], evidence, quotes=True)[0] == shown
    assert resolve(list(written), evidence, quotes=True)[0] == shown


CODE = sources("The colour of a pixel is image[3], an integer.", "x = [1, 2] is a list. See table [3].", "Unrelated.")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("image[3] [1]", [1]),
        ("image[3][1]", [1]),
        ("`image[3]` [1]", [1]),
        ("the list x = [1, 2] [2]", [2]),
        ("See table [3]. [2]", [2]),
        ("image [3] [1]", [3, 1]),
        ("the picture[3]", [3]),
    ],
)
def test_a_bracketed_number_that_stands_so_in_a_source_is_text(text: str, numbers: list[int]) -> None:
    assert [number for number, _ in cited(text, CODE)] == numbers
    assert [n for marker in find_markers(text, CODE) for n in marker.numbers] == numbers
    assert resolve(list(text), CODE)[0] == text


def test_a_right_marker_is_one_though_its_source_has_the_same_footnote() -> None:
    assert cited("built in 1641 [1]", sources("The mill was built in 1641 [1] by Agnes.")) == [(1, True)]


def test_what_is_left_without_its_markers_reads_as_before() -> None:
    assert strip_markers("in 1641 [1] by Agnes [2].") == "in 1641 by Agnes."


def written(text: str, evidence: list[Evidence] = SOURCES) -> CitationStream:
    stream = CitationStream(evidence)
    assert "".join(map(stream.push, text)) + stream.flush() == text
    return stream


def test_each_claim_says_what_it_names_and_how_that_supports_it() -> None:
    stream = written("The mill was built by Agnes in 1641 [1]. It closed in 1938 [2]; the gates were stolen [2]. It rained [9].")
    assert stream.claims == (
        Claim("The mill was built by Agnes in 1641", (1,), "supported"),
        Claim("It closed in 1938", (2,), "verbatim"),
        Claim("the gates were stolen", (2,), "unsupported"),
        Claim("It rained", (9,), "unsupported"),
    )
    assert [(c.marker, c.support, c.verified) for c in stream.citations] == [(1, "supported", True), (2, "unsupported", False)]


def test_the_words_of_a_paraphrase_s_source_are_its_span() -> None:
    [citation] = written("Agnes built the mill [1].").citations
    assert citation.span == (10 + TEXTS[0].index("mill"), 10 + TEXTS[0].index("."))
    assert citation.quote == (10, 10 + len(TEXTS[0]))


@pytest.mark.parametrize(
    ("text", "uncited"),
    [
        ("The mill was built in 1641 [1]. Pirates burnt it in 1700.", ["Pirates burnt it in 1700."]),
        ("Pirates burnt it in 1700. The mill was built in 1641 [1].", ["Pirates burnt it in 1700."]),
        ("The mill was built in 1641. [1] Pirates burnt it.", ["Pirates burnt it."]),
        ("The mill was built in 1641 [1] by Agnes. It closed in 1938 [2]", []),
        ("Here is what they say:\n- built in 1641 [1]\n- closed in 1938 [2]", []),
        ("Yes. It was built in 1641 [1].", []),
        ("# The mill\n\nIt was built in 1641 [1].", []),
        ("It burnt on 3 Feb. 1700 they say [1].", []),
    ],
)
def test_sentences_that_cite_nothing_are_known(text: str, uncited: list[str]) -> None:
    assert [claim.text for claim in written(text).claims if not claim.markers] == uncited


def test_markers_that_no_source_has_stay_and_are_counted() -> None:
    assert written("It was built in 1641 [7][1] and burnt [0], then [7].").unresolved == (7, 0, 7)
    assert written("It was built in 1641 [1].").unresolved == ()


@pytest.mark.parametrize("half", ["1641 [1", "1641 [", "1641 [1, 2", "1641 [1,", "1641  [12"])
def test_half_a_marker_is_not_shown_where_the_answer_was_cut(half: str) -> None:
    assert resolve([half], SOURCES, cut=True)[0] == "1641"
    assert resolve([half], SOURCES)[0] == half


TEXT = st.text(alphabet="16 4[],23mil\n.", max_size=30)


@given(TEXT, st.lists(st.integers(0, 30), max_size=8), st.booleans(), st.booleans())
def test_what_is_shown_is_never_taken_back_however_the_text_arrives(text: str, cuts: list[int], quotes: bool, cut: bool) -> None:
    ends = sorted({min(c, len(text)) for c in cuts} | {0, len(text)})
    pieces = [text[a:b] for a, b in pairwise(ends)]
    whole = resolve([text], SOURCES, quotes, cut)
    assert resolve(pieces, SOURCES, quotes, cut) == whole
    assert resolve(list(text), SOURCES, quotes, cut) == whole


@given(TEXT)
def test_only_a_quoting_models_markers_are_changed(text: str) -> None:
    assert resolve(list(text), SOURCES)[0] == text.strip()


@given(TEXT)
def test_a_marker_written_from_its_numbers_is_the_text_s(text: str) -> None:
    found = list(find_markers(text, SOURCES))
    assert [[*map(int, text[m.start + 1 : m.end - 1].split(","))] for m in found] == [list(m.numbers) for m in found]
    assert all(one.end <= two.start for one, two in pairwise(found))


def calls_for(markers: int) -> int:
    """How many functions run while an answer with so many markers, none of them right, is streamed."""
    evidence = sources(*(f"Passage {i}. The mill ground {i} sacks of barley and of wheat that year." for i in range(1, 25)))
    stream = CitationStream(evidence, quotes=True)
    pieces = re.findall(r"\S+\s*", " ".join(f"In the year {1700 + i} it ground more of them [{i % 24 + 1}]." for i in range(markers)))
    count = 0

    def counted(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        for piece in pieces:
            stream.push(piece)
        stream.flush()
    finally:
        sys.setprofile(None)
    return count


def test_four_times_the_markers_cost_four_times_the_work() -> None:
    calls_for(1)  # what is done once
    assert calls_for(96) < 5 * calls_for(24)
