"""Passages: each text once, neighbours under one marker, and citations that still lie within one chunk."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from ingest import Chunk, Library
from rag import build_chain
from rag.answer import Evidence
from rag.citations import CitationStream
from rag.models import AnswerModel, capabilities_of
from rag.passages import distinct, join, neighbours
from rag.prompt import build_prompt
from rag.query import Query
from rag.retriever import LibraryRetriever

LEASE = "The lessee of the granary keeps the roof in repair, paints the doors every third year and lets the trustees in by daylight."
MODEL = AnswerModel(GenericFakeChatModel(messages=iter([])), 4096)


def item(text: str, start: int = 0, path: str = "/d", heading: str = "") -> Evidence:
    return Evidence(Chunk(f"{path}{start}{text[:30]}", path, text, start, start + len(text), None, None, heading), 1.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (LEASE, LEASE),
        (LEASE, LEASE.replace(" ", "  ").upper()),
        (f"Date: 3 May 2023\n\n{LEASE}", f"Date: 12 June 2024\n\n{LEASE}"),
        (f"{LEASE}\nLast updated on 2024-05-03 10:15", f"{LEASE}\nLast updated on 2025-01-09 08:00"),
        (f"{LEASE}\n_Printed: May 3rd, 2024_", LEASE),
    ],
)
def test_the_same_text_is_kept_once_and_names_its_copies(first: str, second: str) -> None:
    kept = distinct([item(first, path="/new"), item("Another text.", path="/x"), item(second, path="/old")])
    assert [(e.chunk.path, e.copies) for e in kept] == [("/new", ("/old",)), ("/x", ())]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (LEASE, LEASE.replace("third", "fourth")),
        (f"{LEASE}\nThe lease ends on 3 May 2023.", f"{LEASE}\nThe lease ends on 3 May 2024."),
        (f"{LEASE}\n| rent | 120 |", f"{LEASE}\n| rent | 140 |"),
        ("3 May 2023", "3 May 2024"),
        ("Opened\n3 May 2023", "Opened\n3 May 2024"),
    ],
)
def test_texts_that_say_something_else_are_both_kept(first: str, second: str) -> None:
    assert len(distinct([item(first), item(second, path="/e")])) == 2


def test_the_same_words_under_another_heading_are_another_text() -> None:
    assert len(distinct([item(LEASE, heading="Granary"), item(LEASE, path="/e", heading="Kiln")])) == 2


def test_neighbours_stand_under_one_marker_in_the_order_of_the_document() -> None:
    before, hit, behind = item("Agnes built it.", 0), item("It burnt down. She left.", 17), item("She left. It was sold.", 32)
    prompt = build_prompt(Query("Who?"), [hit, item("Far away.", 400), behind, before], MODEL, 256)
    assert [e.text for e in prompt.evidence] == ["Agnes built it.\n\nIt burnt down. She left. It was sold.", "Far away."]
    assert [line.what for line in prompt.ledger.lines if line.what.startswith("source")] == ["source 1", "source 2"]
    assert "[1] From d:\nAgnes built it.\n\nIt burnt down. She left. It was sold.\n\n[2] From d:\nFar away.\n\n" in prompt.messages[-1].text


def test_a_marker_stands_for_a_hit_and_two_neighbours_at_the_most() -> None:
    chunks = [item(f"Sentence number {n}.", 20 * n) for n in range(6)]
    prompt = build_prompt(Query("Who?"), chunks, MODEL, 256)
    assert [len(e.parts) for e in prompt.evidence] == [3, 3]


def test_chunks_of_two_documents_or_apart_are_not_joined() -> None:
    assert join(item("a", 0), item("b", 1, path="/e")) is None
    assert join(item("a", 0), item("b", 9)) is None
    joined = join(item("b", 4), item("a", 2))
    assert joined is not None and joined.text == "a\nb"


def test_a_table_cut_in_two_is_one_table_with_its_header_once() -> None:
    rows = "| Agnes | 1641 |\n| Tom | 1702 |", "| Noor | 1811 |"
    first = Evidence(Chunk("a", "/d", rows[0], 40, 72, None, None, "", "| miller | year |"), 1.0)
    second = Evidence(Chunk("b", "/d", rows[1], 73, 88, None, None, "", "| miller | year |"), 1.0)
    joined = join(second, first)
    assert joined is not None and joined.text == "| miller | year |\n| Agnes | 1641 |\n| Tom | 1702 |\n| Noor | 1811 |"


def test_copies_are_left_out_with_the_reason() -> None:
    prompt = build_prompt(Query("Who?"), distinct([item(LEASE), item(LEASE, path="/old")]), MODEL, 256)
    assert [(line.path, line.why) for line in prompt.ledger.left_out] == [("/old", "the same text as /d")]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(0, 3))
def test_what_is_joined_is_the_span_of_the_document(lengths: list[int], overlap: int) -> None:
    text = "".join(chr(97 + n % 26) for n in range(sum(lengths)))
    parts, start = [], 0
    for length in lengths:
        first = max(0, start - overlap)
        parts.append(item(text[first : start + length], first))
        start += length
    whole = parts[0]
    for part in parts[1:]:
        whole = join(whole, part) or whole
    assert whole.text == text[: max(part.chunk.char_end for part in whole.parts)]


KEPT = {"Agnes": "kiln", "Tom": "granary", "Noor": "smithy", "Ida": "byre", "Per": "dairy"}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("farm")
    sections = [
        f"# The {place}\n\n{name} kept the {place}. " + f"It has a door, a window and a lock at {place}. " * 13
        for name, place in KEPT.items()
    ]
    (folder / "farm.md").write_text("\n\n".join(sections))
    for year in (2023, 2024):
        (folder / f"lease {year}.md").write_text(f"# Lease\n\nPrinted on 3 May {year}\n\n{LEASE} The rent is forty pounds.\n")
    with Library.open(folder / "library", create=True) as library:
        assert library.add(sorted(folder.glob("*.md"))).ok
    return folder / "library"


def test_the_neighbours_of_a_hit_are_those_before_and_behind_it(farm: Path) -> None:
    with Library.open(farm) as library:
        hit = LibraryRetriever(library=library).evidence("Who kept the smithy?", k=1)
        beside = neighbours(hit, library)
        assert [e.chunk.heading for e in beside] == ["The granary", "The byre"]
        assert all(e.chunk.path == hit[0].chunk.path and e.score is None for e in beside)
        assert [e.chunk.heading for e in neighbours([*hit, *beside], library)] == ["The kiln", "The dairy"]


def test_a_citation_of_joined_chunks_lies_within_the_one_that_says_it(farm: Path) -> None:
    with Library.open(farm) as library:
        answer = build_chain(library, GenericFakeChatModel(messages=iter([AIMessage("Ida kept the byre [1].")]))).invoke(
            "Who kept the byre?"
        )
        cited = answer.citations[0]
        assert len(answer.evidence[0].parts) == 3
        assert cited.text.startswith("# The byre\n\nIda kept the byre.") and cited.verified
        assert library.text(cited.path)[cited.char_start : cited.char_end] == cited.text
        assert "Per" not in cited.text and "Noor" not in cited.text


def test_two_states_of_a_file_take_one_place_in_a_prompt(farm: Path) -> None:
    with Library.open(farm) as library:
        answer = build_chain(library, GenericFakeChatModel(messages=iter([AIMessage("Forty pounds [1].")]))).invoke("What is the rent?")
        assert answer.ledger is not None
        shown = [Path(e.chunk.path).name for e in answer.evidence if "forty" in e.chunk.text]
        copies = [Path(line.path).name for line in answer.ledger.left_out if "the same text as" in line.why]
        assert sorted(shown + copies) == ["lease 2023.md", "lease 2024.md"] and len(copies) == 1


def test_each_claim_is_cited_from_the_chunk_that_holds_most_of_it() -> None:
    passage = join(item("Agnes built the mill.", 0), item("Tom sold the kiln.", 22))
    assert passage is not None
    said = CitationStream([passage])
    said.push("Tom sold it [1], once Agnes had built the mill [1]. Nothing of it [1].")
    said.flush()
    assert [(c.marker, c.text) for c in said.citations] == [(1, "Tom sold the kiln."), (1, "Agnes built the mill.")]


def test_a_model_in_whose_place_the_reader_points_gets_chunks_one_by_one() -> None:
    quoting = AnswerModel(MODEL.chat, 4096, capabilities_of({"prompt": "grounded"}))
    prompt = build_prompt(Query("Who?"), [item("Agnes built it.", 0), item("It burnt down.", 17)], quoting, 256)
    assert [len(e.parts) for e in prompt.evidence] == [1, 1]
