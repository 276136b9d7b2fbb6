"""The whole chain on the samples, with the real starter: answers, refusals, streams, events, other models."""

import asyncio
import json
import re
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate

from ingest import Library
from model.grounded import normalize_answer
from rag import build_chain
from rag.answer import NOT_FOUND, Answer
from rag.answering import CUT_OFF, answer_from
from rag.chain import AnswerChain
from rag.errors import QuestionError
from rag.prompt import build_prompt
from rag.query import read_query
from tests.conftest import ROOT

QUESTIONS = [json.loads(line) for line in (ROOT / "tests" / "samples_questions.jsonl").read_text(encoding="utf-8").splitlines()]
AGE = "Up to what age does the Society's insurance cover volunteers on duty?"


def timeless(answer: Answer) -> dict[str, Any]:
    return answer.to_dict() | {"timings": None}


def test_an_answer_stands_in_the_page_that_it_cites(chain: AnswerChain, library: Library) -> None:
    answer = chain.invoke(AGE)
    assert "85" in answer.text
    first = answer.citations[0]
    assert first.verified
    assert (Path(first.path).name, first.page_start) == ("volunteer-handbook.pdf", 7)
    assert library.text(first.path)[first.char_start : first.char_end] == first.text


def test_most_questions_that_the_samples_answer_are_answered(chain: AnswerChain) -> None:
    """A floor under the small starter, so that a broken prompt, tokenizer or retrieval shows."""
    asked = [q for q in QUESTIONS if q["answers"]][::3]
    right = 0
    for q in asked:
        answer = chain.invoke(q["question"])
        right += not answer.refused and any(f" {normalize_answer(a)} " in f" {normalize_answer(answer.text)} " for a in q["answers"])
    assert len(asked) == 14
    assert right >= 7


def test_questions_that_the_samples_do_not_answer_are_refused(chain: AnswerChain) -> None:
    asked = [q for q in QUESTIONS if not q["answers"]][::2]
    answers = [chain.invoke(q["question"]) for q in asked]
    assert len(asked) == 10
    assert sum(a.refused for a in answers) >= 6
    for a in answers:
        assert a.refused == (a.text == NOT_FOUND)
        assert not (a.refused and a.citations)


def test_streamed_parts_add_up_to_what_invoke_gives(chain: AnswerChain) -> None:
    for question in (AGE, "What is the capital of Peru?"):
        parts = list(chain.stream(question))
        whole = reduce(add, parts)
        assert timeless(whole) == timeless(chain.invoke(question))
        assert "".join(p.text for p in parts) == whole.text
        assert parts[0].ledger is not None and not parts[0].text


def test_it_runs_async_in_batches_and_with_a_dict(chain: AnswerChain) -> None:
    async def all_of_them() -> tuple[Answer, list[Answer]]:
        return await chain.ainvoke({"question": AGE, "history": []}), [p async for p in chain.astream(AGE)]

    one, parts = asyncio.run(all_of_them())
    two = chain.batch([AGE, {"question": AGE}])
    assert timeless(one) == timeless(two[0]) == timeless(two[1]) == timeless(reduce(add, parts))


def test_callbacks_see_retriever_and_model_as_children_of_one_run(library: Library) -> None:
    seen: list[tuple[str, bool]] = []

    class Watch(BaseCallbackHandler):
        def on_chain_start(self, *args: Any, parent_run_id: Any = None, **kwargs: Any) -> None:
            seen.append(("chain", parent_run_id is None))

        def on_retriever_start(self, *args: Any, parent_run_id: Any = None, **kwargs: Any) -> None:
            seen.append(("retriever", parent_run_id is None))

        def on_chat_model_start(self, *args: Any, parent_run_id: Any = None, **kwargs: Any) -> None:
            seen.append(("model", parent_run_id is None))

    model = GenericFakeChatModel(messages=iter([AIMessage("Yes [1].")]))
    build_chain(library, model).invoke("Does the insurance cover volunteers on duty?", {"callbacks": [Watch()]})
    assert seen == [("chain", True), ("retriever", False), ("model", False)]


@pytest.mark.parametrize("question", ["", "  \n ", {"question": ""}, {}])
def test_an_empty_question_is_refused(chain: AnswerChain, question: Any) -> None:
    with pytest.raises(QuestionError, match="empty"):
        chain.invoke(question)


def test_a_question_over_the_window_is_refused(chain: AnswerChain) -> None:
    with pytest.raises(QuestionError, match="too long"):
        chain.invoke("mill " * 9000)


def fake(text: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(text)]))


def test_any_langchain_chat_model_can_answer(library: Library) -> None:
    answer = build_chain(library, fake("It is 85 years [1].")).invoke(AGE)
    assert answer.text == "It is 85 years [1]."
    assert [c.marker for c in answer.citations] == [1]
    assert answer.ledger is not None and answer.ledger.estimated
    assert any(line.what == "instructions" for line in answer.ledger.lines)


@pytest.mark.parametrize(
    "said", ["The sources do not say.", "The sources do not say..", "**The sources do not say.**", "The sources do not say. [1]"]
)
def test_the_agreed_refusal_of_another_model_is_never_shown_as_an_answer(library: Library, said: str) -> None:
    parts = list(build_chain(library, fake(said)).stream(AGE))
    assert reduce(add, parts).refused
    assert "".join(p.text for p in parts) == NOT_FOUND


def test_an_answer_that_only_begins_like_the_refusal_is_shown_whole(library: Library) -> None:
    answer = build_chain(library, fake("The sources differ: 85 [1].")).invoke(AGE)
    assert answer.text == "The sources differ: 85 [1]."
    assert not answer.refused


def test_the_markers_of_a_model_that_need_not_quote_are_its_own(library: Library) -> None:
    """Where it wrote none, or one whose source says otherwise, that is shown as it is."""
    for said in ("the age of 85", "No [2].", "It is 85 years [9]."):
        assert build_chain(library, fake(said)).invoke(AGE).text == said


def test_the_starters_every_citation_is_checked(chain: AnswerChain) -> None:
    for question in (AGE, "Who is the chair of the trustees?"):
        for citation in chain.invoke(question).citations:
            assert citation.verified


def test_history_is_packed_for_models_that_read_it(library: Library) -> None:
    ledger = build_chain(library, fake("85 [1]")).invoke({"question": AGE, "history": [("Who is the chair?", "Agnes [1]")]}).ledger
    assert ledger is not None
    assert [line.what for line in ledger.lines].count("history") == 1


def test_messages_are_a_question_with_its_history(chain: AnswerChain, library: Library) -> None:
    spoken = [HumanMessage("Who is the chair?"), AIMessage("Agnes [1]"), HumanMessage(AGE)]
    assert timeless(chain.invoke([HumanMessage(AGE)])) == timeless(chain.invoke(AGE))
    answer = chain.invoke(spoken)
    assert "85" in answer.text and answer.ledger is not None
    assert ["takes no history" in line.why for line in answer.ledger.left_out].count(True) == 1
    ledger = build_chain(library, fake("85 [1]")).invoke(spoken).ledger
    assert ledger is not None and [line.what for line in ledger.lines].count("history") == 1


def test_a_prompt_template_can_be_piped_into_it(chain: AnswerChain) -> None:
    piped = ChatPromptTemplate([("human", "{question}")]) | chain
    assert timeless(piped.invoke({"question": AGE})) == timeless(chain.invoke(AGE))


def test_within_is_resolved_and_a_wrong_one_is_a_mistake_not_a_refusal(chain: AnswerChain, samples: Path) -> None:
    handbook = samples / "volunteer-handbook.pdf"
    assert "85" in chain.invoke({"question": AGE, "within": handbook}).text
    assert {e.chunk.path for e in chain.invoke({"question": AGE, "within": [str(handbook)]}).evidence} == {handbook.as_posix()}
    with pytest.raises(QuestionError, match=r"no document at /no/such\.pdf"):
        chain.invoke({"question": AGE, "within": "/no/such.pdf"})


def test_a_question_with_bytes_that_are_no_character_is_answered(chain: AnswerChain) -> None:
    broken = AGE.replace("?", " caf\udce9?")
    answer = chain.invoke({"question": broken, "history": [("\ud800", "\udfff")]})
    json.dumps(answer.to_dict(), ensure_ascii=False).encode()


def test_what_the_starter_writes_is_cut_with_a_note_and_no_half_marker(chain: AnswerChain) -> None:
    answers = []
    for q in [q for q in QUESTIONS if q["answers"]][:3]:
        evidence = chain.retriever.evidence(q["question"])
        prompt = build_prompt(read_query(q["question"]), evidence, chain.model, 4)
        chunks = chain.model.chat.stream(prompt.messages, max_tokens=4)
        answers.append(reduce(add, answer_from(chunks, prompt, chain.model, 0.0, 0.0)))
    cut = [a for a in answers if a.note]
    assert cut and all(a.note == CUT_OFF for a in cut)
    assert not any(re.search(r"\[\d*$", a.text) for a in answers)
