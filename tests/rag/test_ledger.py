"""The ledger on every path: for whatever model, question, history and evidence it is the bill, and says why anything isn't on it."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import GenericFakeChatModel

from ingest import Chunk
from rag.answer import Evidence, LedgerLine
from rag.chat_gemma import ChatGemma2, _turns
from rag.errors import QuestionError
from rag.models import AnswerModel, Capabilities, capabilities_of
from rag.passages import distinct
from rag.prompt import Prompt, build_prompt
from rag.query import Query

CHAT = ChatGemma2(model="starter")
MODELS = {
    "quotes": AnswerModel(CHAT, 8192, capabilities_of({"prompt": "grounded", "recommended_context": "256"})),
    "instructed": AnswerModel(CHAT, 8192, capabilities_of({})),
    "instructed, reads little": AnswerModel(CHAT, 8192, replace(capabilities_of({}), best_source_tokens=100)),
    "no history": AnswerModel(CHAT, 8192, replace(capabilities_of({}), takes_history=False)),
    "served": AnswerModel(GenericFakeChatModel(messages=iter([])), 8192),
}
LETTERS = ["mill", "x" * 40, "the tide", "été", "漢字", "🧑‍🌾", "\u202eabc", "a\u0301", "<bos>", "[1]", "| 1 |\n", "\n\n", "100.5 %"]
texts = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=80).map(" ".join)


@st.composite
def documents(draw: st.DrawFn) -> list[Evidence]:
    """Chunks of some documents, neighbours overlapping or apart, in any order, some of them the same text."""
    found = []
    for number, text in enumerate(draw(st.lists(texts, max_size=4))):
        cuts = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=5)) | {0, len(text)})
        for start, end in pairwise(cuts):
            first = max(0, start - draw(st.sampled_from([0, 0, 3])))
            path = f"/{number}"
            header = draw(st.sampled_from(["", "", "| a | b |"]))
            found.append(Evidence(Chunk(f"{path}:{start}", path, text[first:end], first, end, None, None, "", header), 1.0))
    return distinct(draw(st.permutations(found)))


def is_source(line: LedgerLine) -> bool:
    return line.what.startswith("source")


def checked(model: AnswerModel, prompt: Prompt, evidence: list[Evidence], query: Query) -> None:
    ledger = prompt.ledger
    left = ledger.window - ledger.reserve - ledger.total
    assert left >= 0 and ledger.window == model.context_length
    assert all(line.why for line in ledger.left_out)
    packed = [part.chunk.id for passage in prompt.evidence for part in passage.parts]
    copies = [path for item in evidence for path in item.copies]
    not_copies = [line for line in ledger.left_out if line.what == "source" and "the same text" not in line.why]
    assert len(set(packed)) == len(packed) and len(packed) + len(not_copies) == len(evidence)
    assert sorted(line.path for line in ledger.left_out if "the same text" in line.why) == sorted(copies)
    assert [line.what for line in ledger.lines if is_source(line)] == [f"source {n + 1}" for n in range(len(prompt.evidence))]
    for line in not_copies:
        if said := re.match(r"larger than the (\d+) tokens left", line.why):
            joined = any(len(passage.parts) > 1 for passage in prompt.evidence)  # neighbours that join later may give tokens back
            assert line.tokens > (int(said[1]) if joined else left)
    read = sum(line.tokens for line in ledger.lines if is_source(line))
    assert all(read >= (model.can.best_source_tokens or 0) for line in not_copies if "best" in line.why)
    assert all("larger than" in line.why or "best" in line.why for line in not_copies)
    history = [line for line in (*ledger.lines, *ledger.left_out) if line.what == "history"]
    assert len(history) == len(query.turns) + len(query.unused)


@pytest.mark.parametrize("kind", list(MODELS))
@given(
    texts,
    documents(),
    st.integers(300, 3000),
    st.integers(8, 600),
    st.lists(st.tuples(texts, texts), max_size=4),
    st.lists(st.tuples(texts, st.just("no")), max_size=1),
)
def test_prompt_and_reserve_fit_the_window_and_what_is_left_out_would_not_fit_or_says_why(
    kind: str,
    question: str,
    evidence: list[Evidence],
    window: int,
    reserve: int,
    history: list[tuple[str, str]],
    unused: list[tuple[str, str]],
) -> None:
    model = replace(MODELS[kind], context_length=window)
    query = Query(question, tuple(history), tuple(unused))
    try:
        prompt = build_prompt(query, evidence, model, reserve)
    except QuestionError as error:
        assert error.hint
        return
    checked(model, prompt, evidence, query)
    sent = len(CHAT.model.tokenizer.chat(_turns(prompt.messages)))
    assert sent <= prompt.ledger.total
    assert prompt.ledger.estimated is (kind == "served")


@given(texts, documents(), st.integers(1, 400))
def test_a_question_of_any_length_is_answered_within_the_window_or_refused_in_a_line(
    question: str, evidence: list[Evidence], times: int
) -> None:
    for model in MODELS.values():
        small = replace(model, context_length=2048)
        query = Query((question + " ") * times)
        try:
            checked(small, build_prompt(query, evidence, small, 256), evidence, query)
        except QuestionError as error:
            assert "too long" in str(error) and "\n" not in str(error)


def test_what_the_window_has_no_room_for_is_said_of_the_window_not_of_the_question() -> None:
    served = replace(MODELS["served"], context_length=4096)
    with pytest.raises(QuestionError, match="a window of 4096 tokens, of which 4000 are kept for the answer") as caught:
        build_prompt(Query("Where?"), [], served, 4000)
    assert "OCTAVO_MAX_ANSWER_TOKENS" in caught.value.hint


def test_a_model_without_history_is_told_none_and_the_ledger_says_so() -> None:
    prompt = build_prompt(Query("Where?", (("Who?", "Agnes."),)), [], MODELS["no history"], 256)
    assert [type(m).__name__ for m in prompt.messages] == ["SystemMessage", "HumanMessage"]
    assert ["takes no history" in line.why for line in prompt.ledger.left_out] == [True]
    assert Capabilities().takes_history
