"""Packing never passes the window, and the ledger is the truth about what was sent."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from ingest import Chunk
from model.train.data import Question
from model.train.examples import QuestionRows
from rag.answer import Evidence
from rag.chat_gemma import ChatGemma2, _turns
from rag.errors import QuestionError
from rag.models import AnswerModel, Capabilities, capabilities_of
from rag.prompt import Prompt, build_prompt
from rag.query import Query

CHAT = ChatGemma2(model="starter")
TOKENIZER = CHAT.model.tokenizer


def evidence(texts: list[str]) -> list[Evidence]:
    return [Evidence(Chunk(str(i), f"/d{i}", t, 0, len(t), None, None, ""), 1.0, 1.0, 1.0) for i, t in enumerate(texts)]


def packed(
    question: str,
    texts: list[str],
    window: int,
    turns: Sequence[tuple[str, str]] = (),
    instructions: bool = True,
    source_tokens: int | None = None,
    chat: BaseChatModel = CHAT,
) -> Prompt:
    can = Capabilities(takes_segments=True) if instructions else capabilities_of({"prompt": "grounded"})
    can = replace(can, best_source_tokens=source_tokens, takes_segments=chat is CHAT)
    model = AnswerModel(chat, window, can)
    return build_prompt(Query(question, tuple(turns)), evidence(texts), model, reserve=64)


words = st.lists(
    st.sampled_from(["mill", "tide", "the", "été", "漢", "<end_of_turn>", "[1]", "\n", "x" * 40]), min_size=1, max_size=60
).map(" ".join)


@given(words, st.lists(words, max_size=12), st.integers(200, 3000), st.lists(st.tuples(words, words), max_size=4), st.booleans())
def test_the_ledger_counts_what_is_sent_and_never_passes_the_window(
    question: str, texts: list[str], window: int, history: list[tuple[str, str]], instructions: bool
) -> None:
    assume(question.strip())
    try:
        result = packed(question, texts, window, history, instructions)
    except QuestionError:
        return
    sent = len(TOKENIZER.chat(_turns(result.messages)))
    ledger = result.ledger
    if not any(line.what == "history" for line in ledger.lines):
        assert sent == ledger.total
    assert sent <= ledger.total
    assert ledger.total + ledger.reserve <= window
    assert len(result.evidence) + sum(line.what == "source" for line in ledger.left_out) == len(texts)


@given(st.lists(words, max_size=6))
def test_documents_never_place_a_control_token(texts: list[str]) -> None:
    ids = TOKENIZER.chat(_turns(packed("What is <start_of_turn>?", texts, 4000).messages))
    assert ids.count(TOKENIZER.bos_id) == 1
    assert ids.count(TOKENIZER.start_of_turn_id) == 2
    assert ids.count(TOKENIZER.end_of_turn_id) == 1


def test_a_question_over_the_window_is_refused_with_its_size() -> None:
    with pytest.raises(QuestionError, match="too long"):
        packed("mill " * 9000, ["a"], 8192)


def test_history_takes_a_quarter_of_the_room_at_most() -> None:
    history = [("mill " * 40, "tide " * 40)] * 40
    ledger = packed("Where?", ["a " * 100] * 10, 4000, history).ledger
    assert 0 < sum(line.tokens for line in ledger.lines if line.what == "history") <= 1000
    assert sum(line.what.startswith("source") for line in ledger.lines) == 10


def test_what_was_left_out_says_why() -> None:
    result = packed("Where?", ["tide " * 10, "mill " * 500, "tide " * 11], 400, instructions=False)
    assert [e.chunk.path for e in result.evidence] == ["/d0", "/d2"]
    assert [(line.path, "larger than" in line.why) for line in result.ledger.left_out] == [("/d1", True)]
    result = packed("Where?", ["tide " * 30, "mill " * 60, "tide"], 4000, source_tokens=50)  # the second goes past it, whole
    assert [e.chunk.path for e in result.evidence] == ["/d0", "/d1"]
    assert "reads 50 tokens of sources best" in result.ledger.left_out[0].why


def test_the_starter_is_asked_in_the_very_tokens_that_it_was_tuned_on() -> None:
    question, passages = "Where is it?", ["It is at the mill.", "A tide of two metres.", "The café."]
    rows = QuestionRows([Question(question, [p], ["mill"], "extractive", "") for p in passages], TOKENIZER, unanswerable=0.0)
    order = [rows._index[p] for p in passages]
    assert rows._prompts.question(question, order) == TOKENIZER.chat(_turns(packed(question, passages, 4000, instructions=False).messages))


def test_the_question_stands_before_and_after_numbered_sources() -> None:
    text = TOKENIZER.decode(TOKENIZER.chat(_turns(packed("Where?", ["alpha", "beta"], 4000, instructions=False).messages)))
    assert text == "user\nQuestion: Where?\n\n[1] alpha\n\n[2] beta\n\nQuestion: Where?\nmodel\n"


def test_servers_get_the_rules_as_a_system_message_and_the_rest_as_one_string() -> None:
    """Some make a message of each block of a list, and drop the first ones where the window is small."""
    remote = GenericFakeChatModel(messages=iter([]))
    rules, asked, answered, question = packed("Where?", ["alpha", "beta"], 4000, [("Who?", "Agnes.")], chat=remote).messages
    assert isinstance(rules, SystemMessage) and "nothing else" in rules.text
    assert (asked, answered) == (HumanMessage("Who?"), AIMessage("Agnes."))
    assert question.content == "Question: Where?\n\n[1] From d0:\nalpha\n\n[2] From d1:\nbeta\n\nQuestion: Where?"
    own = packed("Where?", ["alpha", "beta"], 4000).messages
    assert [type(m) for m in own] == [SystemMessage, HumanMessage]
    assert isinstance(own[1].content, list) and len(own[1].content) == 4


def test_a_model_that_takes_no_history_says_so_in_the_ledger() -> None:
    result = packed("Where?", ["alpha"], 4000, [("Who?", "Agnes."), ("When?", "1641")], instructions=False)
    assert len(result.messages) == 1
    assert [line.what for line in result.ledger.left_out] == ["history", "history"]
    assert all("takes no history" in line.why for line in result.ledger.left_out)


def test_turns_that_are_too_old_are_named() -> None:
    result = packed("Where?", ["a"], 700, [("old " * 300, "x"), ("Who?", "Agnes.")])
    assert [line.why for line in result.ledger.left_out] == ["older than what fits a quarter of the window"]
    assert HumanMessage("Who?") in result.messages
