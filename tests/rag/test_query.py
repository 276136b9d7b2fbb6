"""What may be asked, in which shapes, and which mistakes in it are named."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate

from rag.answer import NOT_FOUND
from rag.errors import QuestionError
from rag.query import read_query

TURNS = (("Who?", "Agnes."), ("When?", "In 1641."))


@pytest.mark.parametrize(
    "history",
    [
        [("Who?", "Agnes."), ("When?", "In 1641.")],
        [["Who?", "Agnes."], ["When?", "In 1641."]],
        [HumanMessage("Who?"), AIMessage("Agnes."), HumanMessage("When?"), AIMessage("In 1641.")],
        [
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": "Agnes."},
            {"role": "human", "content": [{"type": "text", "text": "When?"}]},
            {"type": "ai", "content": "In 1641."},
        ],
        [("human", "Who?"), ("ai", "Agnes."), ("user", "When?"), ("assistant", "In 1641.")],
        (turn for turn in TURNS),
    ],
)
def test_a_conversation_may_be_pairs_or_langchains_messages(history: Any) -> None:
    assert read_query({"question": "Where?", "history": history}).turns == TURNS


def test_messages_alone_are_a_conversation_whose_last_human_message_is_the_question() -> None:
    spoken = [HumanMessage("Who?"), AIMessage("Agnes."), HumanMessage("When?"), AIMessage("In 1641."), HumanMessage("Where?")]
    template = ChatPromptTemplate([("human", "Who?"), ("ai", "Agnes."), ("human", "When?"), ("ai", "In 1641."), ("human", "{x}?")])
    for value in (spoken, [*spoken, AIMessage("later")], template.invoke({"x": "Where"}), [("human", "Where?")], HumanMessage("Where?")):
        assert read_query(value).question == "Where?"
    assert read_query(spoken).turns == read_query(template.invoke({"x": "Where"})).turns == TURNS


def test_markers_and_refusals_of_past_answers_are_not_sent_again() -> None:
    history = [("Who?", "Agnes [1]. She built it [2, 3]."), ("Why?", NOT_FOUND), ("How?", "The sources do not say."), ("When?", "1641 [1]")]
    query = read_query({"question": "Where?", "history": history})
    assert query.turns == (("Who?", "Agnes. She built it."), ("When?", "1641"))
    assert query.unused == (("Why?", "it was not answered"), ("How?", "it was not answered"))


def test_what_else_is_in_a_conversation_is_told_not_sent() -> None:
    spoken = [SystemMessage("Be kind."), HumanMessage("Who?"), HumanMessage("When?"), ToolMessage("x", tool_call_id="1"), AIMessage("1641")]
    query = read_query({"question": "Where?", "history": [*spoken, ChatMessage(role="critic", content="no"), HumanMessage("Why?")]})
    assert query.turns == (("When?", "1641"),)
    assert [text for text, _ in query.unused] == ["Be kind.", "Who?", "x", "no", "Why?"]


MISTAKES = [
    ({"question": "Where?", "witin": "a"}, "no 'witin'"),
    ({"messages": []}, "no 'messages'"),
    ({"question": ["Where?"]}, "must be a text, not list"),
    ({"question": None}, "empty"),
    ({"question": "Where?", "history": "Who? Agnes."}, "must be a list, not str"),
    ({"question": "Where?", "history": {"role": "user"}}, "must be a list, not dict"),
    ({"question": "Where?", "history": [1]}, "1 is no message"),
    ({"question": "Where?", "history": [("a", "b", "c")]}, "is no message"),
    ({"question": "Where?", "history": [("Who?", None)]}, "is no message"),
    ({"question": "Where?", "history": [{"role": "user"}]}, "is no message"),
    ({"question": "Where?", "history": [{"role": "emperor", "content": "x"}]}, "is no message"),
    ([], "none of the messages is a question"),
    ([AIMessage("hello")], "none of the messages is a question"),
    ([HumanMessage([{"type": "image_url", "image_url": "x"}, {"type": "text", "text": "What is this?"}])], "'image_url' in it"),
    (17, "must be a list, not int"),
    (None, "must be a list, not NoneType"),
    ({"question": "Where?", "within": []}, "names no document"),
    ({"question": "Where?", "within": ""}, "names no document"),
    ({"question": "Where?", "within": ["a", " "]}, "names no document"),
    ({"question": "Where?", "within": 3}, "must be paths, not int"),
    ({"question": "Where?", "within": [3]}, "must be paths, not int"),
    ({"question": "Where?", "within": b"a"}, "must be paths, not bytes"),
]


@pytest.mark.parametrize(("value", "message"), MISTAKES)
def test_what_is_not_understood_is_named_in_a_line(value: Any, message: str) -> None:
    with pytest.raises(QuestionError, match=message) as caught:
        read_query(value)
    assert "\n" not in str(caught.value)


def test_within_is_one_path_or_some() -> None:
    assert read_query("Where?").within is None
    for within in ("a/b.pdf", ["a/b.pdf"], ("a/b.pdf",)):
        assert read_query({"question": "Where?", "within": within}).within == ("a/b.pdf",)
    assert read_query({"question": "Where?", "within": Path("a")}).within == (Path("a"),)


def test_bytes_that_are_no_character_are_replaced() -> None:
    broken = b"Caf\xe9?".decode(errors="surrogateescape")
    query = read_query({"question": broken, "history": [(broken, "x \ud800")]})
    assert query.question == "Caf\ufffd?"
    assert query.turns == (("Caf\ufffd?", "x \ufffd"),)
