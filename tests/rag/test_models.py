"""Which model answers, how large its context is, and how its tokens are counted."""

import random
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel

from ingest import Library
from model.errors import SourceError
from rag import build_chain
from rag.chat_gemma import ChatGemma2
from rag.models import AnswerModel, Capabilities, answer_model, capabilities_of
from rag.settings import Settings
from tests.conftest import ROOT


def test_an_unknown_model_is_named(library: Library) -> None:
    with pytest.raises(SourceError, match="no model called 'gtp'"):
        build_chain(library, "gtp")


def test_the_card_says_how_much_a_model_reads_best_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    def source_tokens() -> int | None:
        return answer_model(chat, Settings()).can.best_source_tokens

    chat = ChatGemma2(model="starter")
    card = chat.model.card
    for said, meant in (("320", 320), ("0", None), ("many", None)):
        monkeypatch.setitem(card, "recommended_context", said)
        assert source_tokens() == meant
    monkeypatch.setenv("OCTAVO_CONTEXT_TOKENS", "900")
    assert source_tokens() == 900


def fake(**fields: Any) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([]), **fields)


def test_the_window_is_the_setting_or_what_langchain_knows_or_ollamas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCTAVO_SERVER_WINDOW", raising=False)
    assert answer_model(fake(), Settings()).context_length == 4096
    assert answer_model(fake(profile={"max_input_tokens": 128_000}), Settings()).context_length == 128_000
    assert answer_model("openai:gpt-4o@https://api.openai.com/v1", Settings()).context_length == 128_000
    assert answer_model("openai:gemma2@http://localhost:11434/v1", Settings()).context_length == 4096
    monkeypatch.setenv("OCTAVO_SERVER_WINDOW", "2048")
    assert answer_model(fake(profile={"max_input_tokens": 128_000}), Settings()).context_length == 2048
    assert answer_model(ChatGemma2(model="starter"), Settings()).context_length == 8192


def samples_of_text() -> dict[str, str]:
    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    cells = ("Agnes", "1,200.50", "", "-", "**yes**", "Tollenhythe")
    return {
        "prose": (ROOT / "README.md").read_text(encoding="utf-8"),
        "code": (ROOT / "rag" / "chain.py").read_text(encoding="utf-8"),
        "table": "\n".join("| " + " | ".join(rng.choices(cells, k=6)) + " |" for _ in range(40)),
        "hex": " ".join(f"{rng.getrandbits(128):032x}" for _ in range(40)),
        "letters": " ".join(rng.choices(letters, k=400)),
        "words of nobody": " ".join("".join(rng.choices(letters, k=rng.randint(2, 12))) for _ in range(200)),
        "cjk": "潮汐磨坊建于一六四一年。日本語のテキストです。한국어 문장입니다. " * 10,
        "emoji": "😀🎉👩‍👩‍👧‍👦🇩🇪 ok " * 20,
        "spaces": " " * 300 + "\n\t" * 100,
        "nothing": "",
    }


@pytest.mark.parametrize("kind", list(samples_of_text()))
def test_tokens_of_a_model_whose_tokenizer_is_elsewhere_are_counted_high(kind: str) -> None:
    text = samples_of_text()[kind]
    count = AnswerModel(fake(), 4096).count(text)
    own = AnswerModel(ChatGemma2(model="starter"), 8192).count(text)
    assert own <= count <= 2 * own


def test_a_card_says_what_a_model_can_do() -> None:
    starter = answer_model("starter", Settings()).can
    assert starter.quotes and starter.takes_segments and starter.best_source_tokens == 1000
    assert not (starter.follows_instructions or starter.takes_history)
    assert capabilities_of({"name": "gemma-2-2b-it"}) == Capabilities(takes_segments=True)
    assert answer_model(fake(), Settings()).can == Capabilities()
