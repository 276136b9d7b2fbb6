"""From a stream to an answer: thoughts, refusals, replies that are cut or empty, and tokens that nobody counted."""

from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessageChunk

from ingest import Chunk
from model import grounded
from rag.answer import NOT_FOUND, Answer, Evidence
from rag.answering import BROKEN_OFF, CUT_OFF, ThoughtFilter, answer_from
from rag.errors import ReplyError
from rag.models import AnswerModel
from rag.prompt import build_prompt
from rag.query import read_query
from rag.refusal import is_refusal, may_become_refusal

TEXTS = ["The mill was built in 1641 by Agnes.", "It closed in 1938."]
EVIDENCE = [Evidence(Chunk(f"c{i}", f"/d{i}", t, 0, len(t), None, None, ""), 1.0) for i, t in enumerate(TEXTS)]
OTHER = AnswerModel(GenericFakeChatModel(messages=iter([])), 4096)
SERVED = AnswerModel(OTHER.chat, 4096, url="http://localhost:11434")


class Named(GenericFakeChatModel):
    model_name: str


def parts(pieces: list[str], model: AnswerModel = OTHER, **last: Any) -> Iterator[Answer]:
    chunks = [*map(AIMessageChunk, pieces), AIMessageChunk("", **last)]
    return answer_from(chunks, build_prompt(read_query("When was it built?"), EVIDENCE, model, 256), model, 0.0, 0.0)


def answer(pieces: list[str], model: AnswerModel = OTHER, **last: Any) -> Answer:
    return reduce(add, parts(pieces, model, **last))


THOUGHTS = [
    ("<think>Source [2] says 1938.</think>In 1641 [1].", "In 1641 [1]."),
    ("\n<think>\nhm\n</think>\n\nIn 1641 [1].", "In 1641 [1]."),
    ("In 1641 <think>or [2]?</think>[1].", "In 1641 [1]."),
    ("<THINKING>[2]</THINKING>In 1641 [1]. <thought>[2]</thought>", "In 1641 [1]."),
    ("Where a < b and <thin [1].", "Where a < b and <thin [1]."),
    ("In 1641 [1]. <think>but [2]", "In 1641 [1]."),
]


@pytest.mark.parametrize(("written", "shown"), THOUGHTS)
def test_thoughts_are_neither_shown_nor_cited(written: str, shown: str) -> None:
    for pieces in ([written], list(written)):
        whole = answer(pieces)
        assert whole.text == shown
        assert {c.marker for c in whole.citations} == {1}


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "think>", "a", " [1]", "</", "<thinking>"]), max_size=8), st.data())
def test_thoughts_are_left_out_however_the_text_arrives(words: list[str], data: st.DataObject) -> None:
    text = "".join(words)
    cut = data.draw(st.integers(0, len(text)))
    shown = []
    for pieces in ([text], list(text), [text[:cut], text[cut:]]):
        thoughts = ThoughtFilter()
        shown.append("".join(map(thoughts.push, pieces)) + thoughts.flush())
    assert shown[0] == shown[1] == shown[2]


@pytest.mark.parametrize(
    "said",
    ["The sources do not say.", "**The sources do not say**", "<think>[1]?</think>The sources do not say.", "The sources don't say. [1]"],
)
def test_a_refusal_is_one_however_it_arrives(said: str) -> None:
    for pieces in ([said], list(said)):
        shown = list(parts(pieces))
        assert [p.text for p in shown] == [NOT_FOUND]
        assert shown[0].refused and not shown[0].citations


@pytest.mark.parametrize(
    "said",
    [
        "<seed:think>[2]?</seed:think>In 1641 [1]",
        "[THINK]Or [2]?[/THINK]In 1641 [1]",
        "\u25c1think\u25b7[2]\u25c1/think\u25b7In 1641 [1]",
        "<|channel|>analysis<|message|>[2]?<|end|><|start|>assistant<|channel|>final<|message|>In 1641 [1]",
    ],
)
def test_thoughts_of_every_family_are_left_out(said: str) -> None:
    for pieces in ([said], list(said)):
        given = answer(pieces)
        assert given.text == "In 1641 [1]" and [c.marker for c in given.citations] == [1]


@pytest.mark.parametrize("name", ["deepseek-r1:8b", "QwQ-32B", "qwen3-4b-thinking"])
def test_a_thought_that_was_opened_in_the_prompt_is_left_out(name: str) -> None:
    thinker = AnswerModel(Named(messages=iter([]), model_name=name), 4096)
    for said in ("Or [2]?\n</think>\n\nIn 1641 [1]", "<think>Or [2]?</think>In 1641 [1]", "In 1641 [1]"):
        for pieces in ([said], list(said)):
            assert answer(pieces, thinker).text.strip() == "In 1641 [1]"


@pytest.mark.parametrize(
    "said",
    [
        "I'm sorry, but the sources don't say that.",
        "Unfortunately, the provided documents do not mention a price.",
        "None of the sources mention it.",
        "<think>[1]?</think>The context does not provide enough information to answer.",
    ],
)
def test_a_refusal_in_a_model_s_own_words_is_one(said: str) -> None:
    given = answer([said])
    assert given.refused and not given.citations and given.text == said.rpartition(">")[2]


@pytest.mark.parametrize(
    "said", ["The sources do not say who, but it was Ann.", "The text does not give a day [1].", "The documents state that."]
)
def test_what_answers_in_part_is_no_refusal(said: str) -> None:
    assert not answer([said]).refused


def test_the_refusal_that_models_are_told_is_known() -> None:
    assert is_refusal(grounded.REFUSAL)
    assert all(may_become_refusal(grounded.REFUSAL[:n]) for n in range(len(grounded.REFUSAL) + 1))
    assert not may_become_refusal("The sources do not say, but")


@pytest.mark.parametrize("pieces", [[], [" \n"], ["<think>Well, [1] says"], ["<think>x</think>"]])
def test_an_empty_reply_is_the_models_failure_not_the_documents(pieces: list[str]) -> None:
    with pytest.raises(ReplyError, match="reply is empty"):
        answer(pieces)


def test_an_empty_reply_says_what_may_be_the_matter() -> None:
    with pytest.raises(ReplyError) as caught:
        answer(["<think>so"], response_metadata={"finish_reason": "length"})
    assert "OCTAVO_MAX_ANSWER_TOKENS" in caught.value.hint
    with pytest.raises(ReplyError) as caught:
        answer([], SERVED, response_metadata={"finish_reason": "stop"})
    assert "openai:NAME@http://localhost:11434/v1" in caught.value.hint


@pytest.mark.parametrize("meta", [{"finish_reason": "length"}, {"stop_reason": "max_tokens"}, {"done_reason": "length"}])
def test_a_reply_that_was_cut_says_so_and_shows_no_half_marker(meta: dict[str, str]) -> None:
    whole = answer(["In 1641 [1] by Ag", "nes [", "1"], response_metadata=meta)
    assert whole.text == "In 1641 [1] by Agnes"
    assert whole.note == CUT_OFF
    assert [(c.marker, c.verified) for c in whole.citations] == [(1, True)]


def test_a_server_that_never_says_that_it_is_done_may_have_broken_off() -> None:
    assert answer(["In 1641 [1]"], SERVED).note == BROKEN_OFF
    assert answer(["In 1641 [1]"], SERVED, response_metadata={"finish_reason": "stop"}).note == ""
    assert answer(["In 1641 [1]"], OTHER).note == ""


def test_notes_add_up() -> None:
    assert (
        Answer(note="The library is being filled.") + Answer("x") + Answer(note=CUT_OFF)
    ).note == f"The library is being filled. {CUT_OFF}"


def test_tokens_that_nobody_counted_are_unknown_not_none_at_all() -> None:
    timings = answer(["In 1641 [1]"]).to_dict()["timings"]
    assert timings["prompt_tokens"] is None and timings["completion_tokens"] is None
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    timings = answer(["In 1641 [1]"], usage_metadata=usage).to_dict()["timings"]
    assert (timings["prompt_tokens"], timings["completion_tokens"]) == (7, 3)
