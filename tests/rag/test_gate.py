"""The gate: one probability decides for every model, and what the reader can't judge is left to the model."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from ingest import Chunk, Library
from ingest.store import rows, schema, vectors
from rag import build_chain
from rag.answer import NOT_FOUND, Evidence, Reading
from rag.chain import AnswerChain
from rag.coverage import content_words, coverage
from rag.gate import decide
from rag.retriever import LibraryRetriever

ENGLISH = "The wheel of the mill was built in 1765 by a man who came from the north."
GERMAN = "Das Rad der alten Mühle wurde im Jahr 1765 von einem Mann gebaut, der aus dem Norden kam."


def evidence(*probabilities: float, text: str = ENGLISH) -> list[Evidence]:
    chunk = Chunk("a", "/d", text, 0, len(text), None, None, "")
    return [Evidence(chunk, 1.0, reading=Reading(0, 3, 1.0, p)) for p in probabilities]


def test_the_best_passage_decides() -> None:
    assert decide("Who built it?", evidence(0.1, 0.6), 0.5).probability == 0.6
    assert not decide("Who built it?", evidence(0.1, 0.6), 0.5).refuse
    assert decide("Who built it?", evidence(0.1, 0.4), 0.5).refuse
    assert decide("Who built it?", [], 0.0).refuse


def test_a_yes_or_no_may_be_less_sure() -> None:
    assert decide("Who built it?", evidence(0.3), 0.5).refuse
    assert not decide("Was it built by a man?", evidence(0.3), 0.5).refuse
    assert decide("Was it built by a man?", evidence(0.1), 0.5).refuse


def test_what_is_not_english_is_left_to_the_model() -> None:
    asked = "Wer hat das Rad der alten Mühle im Norden gebaut?"
    assert decide(asked, evidence(0.01, text=GERMAN), 0.5).probability is None
    assert not decide(asked, evidence(0.01), 0.5).refuse
    assert not decide("Who built the wheel of the mill in the north?", evidence(0.01, text=GERMAN), 0.5).refuse
    assert decide("Who built the wheel of the mill in the north?", evidence(0.01), 0.5).refuse


def test_no_model_is_asked_what_the_documents_do_not_say(library: Library) -> None:
    chain = build_chain(library, GenericFakeChatModel(messages=iter([AIMessage("Lima [1]")])))
    answer = chain.invoke("What is the capital of Peru?")
    assert answer.refused and answer.text == NOT_FOUND
    assert answer.probability is not None and answer.probability < 0.2
    assert chain.invoke("Up to what age does the insurance cover volunteers on duty?").text == "Lima [1]"


def test_a_library_without_vectors_is_answered_from_by_its_words(library: Library, tmp_path: Path) -> None:
    """As while an ingest is going on: the starter is asked, and answers as it does with vectors."""
    shutil.copytree(library.directory, tmp_path / "library")
    with closing(schema.connect(tmp_path / "library", write=True)) as connection:
        name, fingerprint = rows.fact(connection, "embedder_name"), rows.fact(connection, "embedder")
        assert name and fingerprint
        vectors.forget_all(connection, name, fingerprint)
    questions = ("How much can I claim per mile?", "Up to what age does the Society's insurance cover volunteers on duty?")
    with Library.open(tmp_path / "library") as opened:
        answers = [build_chain(opened, "starter").invoke(question) for question in questions]
    assert [a.refused for a in answers] == [False, False]
    assert all(e.dense is None and e.words is not None for a in answers for e in a.evidence)
    assert all("found by their words only" in a.note for a in answers)


def test_content_words_leave_out_what_every_question_has() -> None:
    assert content_words("What is the password for the Hopper Café?") == ["password", "hopper", "café"]
    assert content_words("Who is it?") == []


def test_coverage_counts_forms_of_a_word_and_weighs_rare_ones_more(library: Library) -> None:
    best = LibraryRetriever(library=library).evidence("insuring volunteers")[0].chunk
    with library.snapshot() as view:
        assert coverage(view, "insured volunteers", [best.id])[best.id] == 1.0
        half = coverage(view, "volunteers zeppelin", [best.id])[best.id]
        assert 0 < half < 0.5
        assert coverage(view, "", [best.id]) == {best.id: 0.0}


@pytest.mark.parametrize("asked", ["hi", "Hello!", "thank you", "ok thanks", "?", "who are you?"])
def test_a_question_that_asks_of_nothing_is_refused(asked: str, chain: AnswerChain) -> None:
    assert decide(asked, evidence(0.99), 0.2).refuse
    assert chain.invoke({"question": asked if asked != "?" else "??", "history": []}).refused


def test_thanks_in_a_conversation_ask_for_nothing(chain: AnswerChain) -> None:
    answer = chain.invoke({"question": "thank you!", "history": [("How much is a concession ticket?", "£5.50 [1]")]})
    assert answer.refused and answer.searched == ""


def test_passages_with_no_word_of_the_question_must_be_surer() -> None:
    assert decide("Which team won the football cup?", evidence(0.5), 0.2).refuse
    assert not decide("Which team won the football cup?", evidence(0.7), 0.2).refuse
    assert not decide("Which team built the wheels?", evidence(0.5), 0.2).refuse
