"""Text never becomes a control token, whatever the tokenizer file says of it; everything else comes back as it was."""

import json
from pathlib import Path

import pytest
from gguf import TokenType
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Encoder

from model.errors import SourceError
from model.load.gguf import build_tokenizer
from model.load.sources import read_checkpoint
from model.tokenizer import TextStream, Tokenizer
from tests.model.conftest import tokenizer_json

CONTROL = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<unused0>", "<start_of_turn>", "<end_of_turn>"]


def from_json() -> Tokenizer:
    return Tokenizer.from_json(tokenizer_json())


def from_gguf(mark: int) -> Tokenizer:
    """The same pieces as a GGUF file has them, <start_of_turn> marked as control or as plain user-defined text."""
    vocab: dict[str, int] = json.loads(tokenizer_json())["model"]["vocab"]
    pieces = sorted(vocab, key=lambda p: vocab[p])
    kinds = []
    for p in pieces:
        if p in CONTROL:
            kinds.append(mark if p.startswith(("<start", "<end", "<unused")) else TokenType.CONTROL)
        elif p in ("\n", "\n\n", "\u2581\u2581", "<table>", "</s>"):
            kinds.append(TokenType.USER_DEFINED)
        else:
            kinds.append(TokenType.BYTE if p.startswith("<0x") else TokenType.NORMAL)
    pieces = [p.replace("\u2581\u2581", "  ") for p in pieces]
    return build_tokenizer(pieces, [-float(i) for i in range(len(pieces))], kinds, "test.gguf")


def starter() -> Tokenizer:
    return read_checkpoint("starter").tokenizer


KINDS = {
    "json": from_json,
    "gguf": lambda: from_gguf(TokenType.CONTROL),
    "gguf-user": lambda: from_gguf(TokenType.USER_DEFINED),
    "starter": starter,
}


@pytest.fixture(scope="module", params=list(KINDS))
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return KINDS[request.param]()


def test_control_pieces_in_a_text_stay_text(tokenizer: Tokenizer) -> None:
    text = "a" + " the ".join(CONTROL) + "<start_of_turn>user\n"
    ids = tokenizer.encode(text)
    placed = {tokenizer.bos_id, tokenizer.start_of_turn_id, tokenizer.end_of_turn_id, *tokenizer.stop_ids}
    assert not placed & set(ids)
    assert tokenizer.decode(ids) == text


def test_hugging_face_would_have_made_them_control_tokens() -> None:
    """What the test above guards against is real."""
    ids = Encoder.from_str(tokenizer_json()).encode("<end_of_turn>").ids
    assert from_json().end_of_turn_id in ids


@given(st.text().map(lambda s: s.replace("\u2581", "")))
def test_any_text_comes_back_whole(text: str) -> None:
    for tokenizer in BUILT.values():
        assert tokenizer.decode(tokenizer.encode(text)) == text.encode("utf-8", "replace").decode()


BUILT = {name: make() for name, make in KINDS.items() if name != "starter"}


@given(st.text(alphabet="the qué漢🙂\n", max_size=30))
def test_streamed_pieces_add_up_to_the_text(text: str) -> None:
    tokenizer = BUILT["json"]
    ids = tokenizer.encode(text)
    stream = TextStream(tokenizer)
    assert "".join([*(stream.push(i) for i in ids), stream.flush()]) == tokenizer.decode(ids)


def test_a_character_of_several_bytes_is_streamed_whole() -> None:
    tokenizer = BUILT["json"]
    ids = tokenizer.encode("漢")
    assert len(ids) == 3
    stream = TextStream(tokenizer)
    assert [stream.push(i) for i in ids] == ["", "", "漢"]


def test_the_chat_template_is_gemmas(tokenizer: Tokenizer) -> None:
    t = tokenizer
    ids = t.chat([("system", "be a the"), ("user", " the "), ("assistant", "a"), ("user", "the?")])
    user, model, end = t.encode("user\n"), t.encode("model\n"), [t.end_of_turn_id, *t.encode("\n")]
    expected = [t.bos_id, t.start_of_turn_id, *user, *t.encode("be a the"), *t.encode("\n\n"), *t.encode("the"), *end]
    expected += [t.start_of_turn_id, *model, *t.encode("a"), *end]
    expected += [t.start_of_turn_id, *user, *t.encode("the?"), *end, t.start_of_turn_id, *model]
    assert ids == expected
    assert ids.count(t.bos_id) == 1


@given(st.lists(st.text(alphabet="the \nabus?", min_size=1, max_size=8), min_size=1, max_size=5))
def test_the_tokens_of_a_chat_are_the_sum_of_its_pieces(pieces: list[str]) -> None:
    t = BUILT["json"]
    pieces = ["a", *pieces, "a"]
    frame = len(t.chat([("user", [])]))
    assert len(t.chat([("user", pieces)])) == frame + sum(len(t.encode(p)) for p in pieces)


def test_a_chat_that_begins_with_the_assistant_still_begins_with_the_user(tokenizer: Tokenizer) -> None:
    ids = tokenizer.chat([("assistant", "the"), ("user", "a")])
    assert ids[1 : 2 + len(tokenizer.encode("user\n"))] == tokenizer.open_turn("user")


def test_a_tokenizer_that_is_not_gemmas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="start_of_turn"):
        Tokenizer.from_json(tokenizer_json().replace("start_of_turn", "begin_turn"))
    with pytest.raises(SourceError, match=r"tokenizer\.json"):
        Tokenizer.from_json("{}")
