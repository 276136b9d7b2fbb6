"""ChatGemma2 as LangChain's own standard tests see it, on the real starter, with sockets off."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, FunctionMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import ValidationError

from rag import ChatGemma2
from rag.chat_gemma import StopText
from rag.errors import UnsupportedError


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
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "starter", "max_tokens": 24}

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


def test_a_seed_gives_the_same_text_again(chat: ChatGemma2) -> None:
    texts = [chat.invoke("Once upon a time", seed=seed, temperature=1.5).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_its_profile_says_what_it_can_and_cannot(chat: ChatGemma2) -> None:
    """Known before it is loaded, so that an agent can choose."""
    for profile in (ChatGemma2(model="/not/there").profile, chat.profile):
        assert profile is not None
        assert (profile["max_input_tokens"], profile["max_output_tokens"]) == (8192, 8192)
        assert not any(profile[name] for name in ("tool_calling", "structured_output", "image_inputs", "reasoning_output"))  # type: ignore[literal-required]
    assert ChatGemma2(model="starter", profile={"max_input_tokens": 1000}).profile == {"max_input_tokens": 1000}


UNREADABLE = [
    HumanMessage([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]),
    HumanMessage([{"type": "image", "base64": "", "mime_type": "image/png"}]),
    HumanMessage([{"type": "text"}]),
    AIMessage([{"type": "reasoning", "reasoning": "hm"}]),
    AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}]),
    ToolMessage("42", tool_call_id="1"),
    FunctionMessage("42", name="f"),
    ChatMessage("hello", role="emperor"),
]


@pytest.mark.parametrize("message", UNREADABLE, ids=lambda m: f"{m.type} {m.content!s:.20}")
def test_what_it_cannot_read_is_refused_not_dropped(chat: ChatGemma2, message: BaseMessage) -> None:
    with pytest.raises(UnsupportedError):
        chat.invoke([HumanMessage("Where is the mill?"), message])


def test_chat_messages_of_its_roles_are_read(chat: ChatGemma2) -> None:
    plain = chat.get_num_tokens_from_messages([HumanMessage("Hello")])
    for message in (ChatMessage("Hello", role="user"), HumanMessage(["Hello"]), HumanMessage([{"type": "text", "text": "Hello"}])):
        assert chat.get_num_tokens_from_messages([message]) == plain


@pytest.mark.parametrize(
    "kwargs",
    [{"tools": [{}]}, {"logprobs": True}, {"response_format": {"type": "json_object"}}, {"n": 2}, {"max_token": 3}, {"tool_choice": "any"}],
)
def test_what_a_call_or_the_constructor_cannot_set_is_named(chat: ChatGemma2, kwargs: dict[str, Any]) -> None:
    name = next(iter(kwargs))
    with pytest.raises(UnsupportedError, match=name):
        chat.invoke("Where?", **kwargs)
    with pytest.raises(UnsupportedError, match=name):
        ChatGemma2(model="starter", **kwargs)


def test_tools_and_structured_output_are_refused_with_the_reason(chat: ChatGemma2) -> None:
    for asked in (lambda: chat.bind_tools([{}]), lambda: chat.with_structured_output({"title": "x", "type": "object", "properties": {}})):
        with pytest.raises(UnsupportedError, match="can't call tools"):
            asked()
    with pytest.raises(UnsupportedError, match="can't call tools"):
        chat.get_num_tokens_from_messages([HumanMessage("x")], tools=[{}])


BAD = {"max_tokens": [0, -1, "many"], "temperature": [-0.1, float("nan")], "top_p": [0, 1.1], "top_k": [-5], "seed": ["x"]}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_settings_that_make_no_sense_are_refused_in_a_line(chat: ChatGemma2, name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        ChatGemma2(model="starter", **{name: value})
    with pytest.raises(UnsupportedError, match=name) as caught:
        chat.invoke("Where?", **{name: value})
    assert "\n" not in str(caught.value)


def test_none_means_the_default(chat: ChatGemma2) -> None:
    nothing = dict.fromkeys(("max_tokens", "temperature", "top_p", "top_k", "seed", "stop"))
    assert ChatGemma2(model="starter", **nothing)._identifying_params == ChatGemma2(model="starter")._identifying_params
    assert chat.invoke("Where is the mill?", **nothing).text == chat.invoke("Where is the mill?").text
    message = chat.invoke("Where is the mill?", **nothing)
    assert message.usage_metadata is not None and message.usage_metadata["output_tokens"] <= 12


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
