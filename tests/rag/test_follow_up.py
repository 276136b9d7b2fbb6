"""Questions that go on from the one before: what is looked up for them, and that it is found."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from ingest import Library
from rag import build_chain
from rag.chain import AnswerChain
from rag.coverage import content_words
from rag.errors import ServerError
from rag.follow_up import is_follow_up, rewritten, search_text
from rag.models import AnswerModel, Capabilities
from rag.query import read_query

DIALOGUES = [json.loads(line) for line in Path(__file__).with_name("dialogues.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("question", "needs"),
    [
        ("and in 2023?", True),
        ("who is she?", True),
        ("why?", True),
        ("What about children?", True),
        ("How much does a family ticket cost?", False),
        ("Is parking free?", False),
        ("thank you", False),
        ("who put new ones on?", True),
        ("When did the first mill burn down?", False),
        ("what does it cost?", True),
        ("Is there a law that governs leases of mills?", False),
        ("How much does it cost to rent the granary for an evening party?", False),
    ],
)
def test_a_question_that_needs_the_one_before_is_told_from_one_that_stands_alone(question: str, needs: bool) -> None:
    history = [("When was the mill built?", "In 1765 [1].")]
    assert is_follow_up(read_query({"question": question, "history": history})) is needs
    assert not is_follow_up(read_query(question))


def test_the_last_turns_telling_words_are_looked_up_too() -> None:
    history = [("When was the mill built?", "In 1765 [1]."), ("Who ran the appeal?", "It was run by Noor Halloran [2].")]
    query = read_query({"question": "who is she?", "history": history})
    assert search_text(query) == "who is she? ran appeal Noor Halloran"


@pytest.mark.parametrize(
    ("first", "then", "searched"),
    [
        ("How many eels were caught in 2021?", "and in 2022?", "and in 2022? eels caught"),
        ("Who checked boat 7 in April?", "and boat 12?", "and boat 12? checked april"),
        ("When does the ferry go on Monday in June?", "and on Sundays?", "and on Sundays? ferry go june"),
    ],
)
def test_what_a_follow_up_asks_anew_is_not_looked_up_as_it_was(first: str, then: str, searched: str) -> None:
    assert search_text(read_query({"question": then, "history": [(first, "a dozen [1]")]})) == searched


def test_a_long_answer_s_names_are_not_looked_up_and_few_of_a_short_one_s() -> None:
    names = "Ada, Ben, Cleo, Dan, Eve, Finn, Gus"
    for answer, searched in ((names, "why? row Ada Ben Cleo Dan Eve"), (f"{names}: {'they row and row. ' * 30}", "why? row")):
        assert search_text(read_query({"question": "why?", "history": [("Who does row?", answer)]})) == searched


def first_passage(chain: AnswerChain, question: str, history: list[tuple[str, str]]) -> str:
    _, evidence, _ = chain._found(read_query({"question": question, "history": history}), {})
    return evidence[0].chunk.id


@pytest.mark.slow
def test_a_short_question_that_stands_alone_finds_in_a_conversation_what_it_finds_alone(chain: AnswerChain) -> None:
    rows = [json.loads(line) for name in ("natural", "kinds") for line in Path(__file__).with_name(f"{name}.jsonl").open(encoding="utf-8")]
    asked = [row["question"] for row in rows if row.get("answerable", True) and row.get("documents") != "good"]
    short = [question for question in asked if len(content_words(question)) <= 3][:40]
    before = [("Who signed the contract for the sea gates?", "Agnes Dent signed it for the Society, Harold Pike for Wherry and Sons.")]
    same = [first_passage(chain, question, before) == first_passage(chain, question, []) for question in short]
    assert len(same) == 40 and sum(same) >= 38


def places(chain: AnswerChain, with_history: bool) -> list[int]:
    """Of each dialogue, how many passages stand before the right one."""
    found = []
    for turn in DIALOGUES:
        history = [(turn["first"], turn["answer"])] if with_history else []
        _, evidence, _ = chain._found(read_query({"question": turn["follow_up"], "history": history}), {})
        texts = [" ".join(item.chunk.whole.split()).casefold() for item in evidence]
        wanted = " ".join(turn["passage"].split()).casefold()
        found.append(next((place for place, text in enumerate(texts) if wanted in text), len(texts)))
    return found


@pytest.mark.slow
def test_follow_ups_find_the_right_passage(chain: AnswerChain) -> None:
    """At least 80 of 100 first; asked bare, fewer than half."""
    fused, bare = places(chain, True), places(chain, False)
    print(sum(p == 0 for p in fused), sum(p < 3 for p in fused), sum(p == 0 for p in bare), sum(p < 3 for p in bare))
    assert sum(place == 0 for place in fused) >= 32
    assert sum(place < 3 for place in fused) >= 38
    assert sum(place == 0 for place in bare) < 20


def test_what_was_looked_up_is_told(chain: AnswerChain) -> None:
    history = [("How much is a concession ticket?", "£5.50 [1]")]
    assert chain.invoke({"question": "and for a family?", "history": history}).searched == "and for a family? concession ticket"
    assert chain.invoke("How much is a concession ticket?").searched == ""


HISTORY = [("Who ran the 2011 appeal?", "It was run by Noor Halloran [2]."), ("How much did it raise?", "It raised £4,200 [1].")]


class Scripted(GenericFakeChatModel):
    """Replies from a list, in small pieces, and notes what it was asked; an error in the list is raised."""

    asked: list[str] = []

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        self.asked.append(messages[-1].text)
        reply = next(self.messages)
        if isinstance(reply, Exception):
            raise reply
        yield from (ChatGenerationChunk(message=AIMessageChunk(piece)) for piece in re.findall(r"\S*\s*", str(reply)))


def rewrites(reply: str | Exception, question: str = "and who ran it in 2011?", window: int = 4096, **can: Any) -> str | None:
    scripted = Scripted(messages=iter([reply]), asked=[])  # type: ignore[list-item]
    model = AnswerModel(scripted, window, Capabilities(**can))
    return rewritten(read_query({"question": question, "history": HISTORY}), model)


@pytest.mark.parametrize(
    "reply",
    [
        "Who ran the appeal in 2011?",
        '  "Who ran the appeal in 2011?"\n',
        "Rewritten question: Who ran the appeal in 2011?",
        "<think>They mean the appeal of 2011 that Agnes ...</think>\nWho ran the appeal in 2011?",
    ],
)
def test_a_follow_up_is_written_anew_by_a_model_that_is_able(reply: str) -> None:
    assert rewrites(reply) == "Who ran the appeal in 2011?"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "   \n",
        "?",
        "It was run by Noor Halloran.",
        "The sources do not say.",
        "and who ran it in 2011?",
        "Who ran the appeal?",
        "Who ran the appeal in 2011 and 2012?",
        "Did Agnes Dent run the appeal in 2011?",
        "Who ran the appeal in 2011?\nAnd who paid for it?",
        "Sure! Here it is:\nWho ran the appeal in 2011?",
        "Were penguins or walruses swimming faster in 2011?",
        "Who ran the appeal " + "that was run " * 40 + "in 2011?",
        "<think>" + "hm " * 2000 + "</think>Who ran the appeal in 2011?",
        "<think>Who ran the appeal in 2011?",
        RuntimeError("no such host"),
        ServerError("the model's server did not answer"),
        KeyError("choices"),
    ],
)
def test_what_a_model_writes_that_can_not_be_trusted_is_not_looked_up(reply: str | Exception) -> None:
    assert rewrites(reply) is None


def test_a_follow_up_is_rewritten_only_by_a_model_that_follows_instructions_and_has_room() -> None:
    good = "Who ran the appeal in 2011?"
    assert rewrites(good, follows_instructions=False) is None
    assert rewrites(good, window=250) is None


def test_a_model_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.follow_up._SECONDS", -1.0)
    assert rewrites("Who ran the appeal in 2011?") is None


def test_what_the_model_is_shown_to_rewrite_from_is_bounded() -> None:
    scripted = Scripted(messages=iter(["no"]), asked=[])  # type: ignore[list-item]
    long = [(f"What is number {n}?", "word " * 3000) for n in range(40)]
    rewritten(read_query({"question": "and then?", "history": long}), AnswerModel(scripted, 4096))
    assert len(scripted.asked[0]) < 2000 and "number 39" in scripted.asked[0] and "number 36" not in scripted.asked[0]


def test_the_answer_says_what_was_looked_up_whoever_wrote_it(library: Library) -> None:
    history = [("How much is a concession ticket?", "£5.50 [1]")]
    asked = {"question": "and for a family?", "history": history}
    for reply, searched in (
        ("How much is a ticket for a family?", "How much is a ticket for a family?"),
        ("I can't.", "and for a family? concession ticket"),
        (ValueError("broken"), "and for a family? concession ticket"),
    ):
        model = Scripted(messages=iter([reply, "£18 [1]"]), asked=[])  # type: ignore[list-item]
        answer = build_chain(library, model).invoke(asked)
        assert (answer.searched, answer.text) == (searched, "£18 [1]")
        assert "Question: and for a family?" in model.asked[1] and len(model.asked) == 2
