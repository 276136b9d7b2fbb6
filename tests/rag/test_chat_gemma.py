"""ChatGemma2 as LangChain's own standard tests see it, on the real starter, with sockets off."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from rag import ChatGemma2
from rag.chat_gemma import StopText


class _Declared:
    """What the model can't do is declared, so that the tests of it are skipped, not passed."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatGemma2

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "starter"}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False

    @property
    def supports_json_mode(self) -> bool:
        return False


class TestUnit(_Declared, ChatModelUnitTests):
    pass


class TestIntegration(_Declared, ChatModelIntegrationTests):
    @pytest.fixture(scope="class")
    def model(self) -> BaseChatModel:  # type: ignore[override]
        return ChatGemma2(model="starter", max_tokens=24)


@pytest.fixture(scope="module")
def chat() -> ChatGemma2:
    return ChatGemma2(model="starter", max_tokens=12)


def test_tokens_are_counted_by_the_models_own_tokenizer(chat: ChatGemma2) -> None:
    """LangChain's default would fetch another model's tokenizer from the hub."""
    text = "The tide mill at Tollenhythe"
    assert chat.get_token_ids(text) == chat.model.tokenizer.encode(text)
    assert chat.get_num_tokens(text) == len(chat.model.tokenizer.encode(text))
    message = chat.invoke([SystemMessage("Be brief."), HumanMessage(text)])
    assert isinstance(message, AIMessage)
    assert message.usage_metadata is not None
    assert chat.get_num_tokens_from_messages([SystemMessage("Be brief."), HumanMessage(text)]) == message.usage_metadata["input_tokens"]


def test_only_the_last_chunk_carries_usage_and_finish_reason(chat: ChatGemma2) -> None:
    chunks = list(chat.stream("Where is the mill?"))
    assert [c for c in chunks if c.usage_metadata] == chunks[-1:]
    assert [c for c in chunks if c.response_metadata.get("finish_reason")] == chunks[-1:]


def test_a_seed_gives_the_same_text_again() -> None:
    chat = ChatGemma2(model="starter", max_tokens=16, temperature=1.5)
    texts = [chat.invoke("Once upon a time", seed=seed).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


@given(st.lists(st.text(alphabet="abc ", max_size=4), max_size=8), st.lists(st.text(alphabet="abc", min_size=1, max_size=3), max_size=3))
def test_text_ends_before_the_first_stop_string_however_it_arrives(pieces: list[str], stops: list[str]) -> None:
    text = "".join(pieces)
    held, shown = StopText(stops), ""
    for piece in pieces:
        shown += held.push(piece)
        if held.stopped:
            break
    shown += held.flush("")
    ends = [text.find(s) for s in stops if s in text]
    assert shown == text[: min(ends)] if ends else shown == text
