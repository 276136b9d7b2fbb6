"""Questions that go on from the one before: what is looked up for them, and that it is found."""

import json
from pathlib import Path

import pytest

from ingest import Library
from rag.chain import AnswerChain
from rag.follow_up import is_follow_up, search_text
from rag.query import read_query
from rag.read import default_reader, read
from rag.retriever import LibraryRetriever

DIALOGUES = [json.loads(line) for line in Path(__file__).with_name("dialogues.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("question", "needs"),
    [
        ("and in 2023?", True),
        ("who is she?", True),
        ("why?", True),
        ("What about children?", True),
        ("How much does a family ticket cost?", False),
        ("When did the first mill burn down?", False),
        ("what does it cost?", True),
        ("Is there a law that governs leases of mills?", False),
        ("How much does it cost to rent the granary for an evening party?", False),
    ],
)
def test_a_question_that_needs_the_one_before_is_told_from_one_that_stands_alone(question: str, needs: bool) -> None:
    assert is_follow_up(question) is needs


def test_the_last_turns_telling_words_are_looked_up_too() -> None:
    history = [("When was the mill built?", "In 1765 [1]."), ("Who ran the appeal?", "It was run by Noor Halloran [2].")]
    query = read_query({"question": "who is she?", "history": history})
    assert search_text(query) == "who is she? ran appeal It Noor Halloran"
    assert search_text(read_query({"question": "What does a family ticket cost?", "history": history})) == "What does a family ticket cost?"
    assert search_text(read_query("who is she?")) == "who is she?"


def places(library: Library, with_history: bool) -> list[int]:
    """Of each dialogue, how many passages stand before the right one."""
    retriever, found = LibraryRetriever(library=library), []
    for turn in DIALOGUES:
        history = [(turn["first"], turn["answer"])] if with_history else []
        searched = search_text(read_query({"question": turn["follow_up"], "history": history}))
        evidence = read(searched, retriever.evidence(searched, k=24), default_reader())
        texts = [" ".join(item.chunk.whole.split()).casefold() for item in evidence]
        wanted = " ".join(turn["passage"].split()).casefold()
        found.append(next((place for place, text in enumerate(texts) if wanted in text), len(texts)))
    return found


@pytest.mark.slow
def test_follow_ups_find_the_right_passage(library: Library) -> None:
    """At least 80 of 100 first; asked bare, fewer than half."""
    fused, bare = places(library, True), places(library, False)
    print(sum(p == 0 for p in fused), sum(p < 3 for p in fused), sum(p == 0 for p in bare), sum(p < 3 for p in bare))
    assert sum(place == 0 for place in fused) >= 32
    assert sum(place < 3 for place in fused) >= 38
    assert sum(place == 0 for place in bare) < 20


def test_what_was_looked_up_is_told(chain: AnswerChain) -> None:
    history = [("How much is a concession ticket?", "£5.50 [1]")]
    assert chain.invoke({"question": "and for a family?", "history": history}).searched == "and for a family? concession ticket"
    assert chain.invoke("How much is a concession ticket?").searched == ""
