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


def from_gguf(mark: int, space: str = " ") -> Tokenizer:
    """The same pieces as a GGUF file has them, <start_of_turn> marked as control or as plain user-defined text.

    Args:
        space: how the piece of two spaces is written.
    """
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
    pieces = [p.replace("\u2581\u2581", 2 * space) for p in pieces]
    return build_tokenizer(pieces, [-float(i) for i in range(len(pieces))], kinds, "test.gguf")


def starter() -> Tokenizer:
    return read_checkpoint("starter").tokenizer


KINDS = {
    "json": from_json,
    "gguf": lambda: from_gguf(TokenType.CONTROL),
    "gguf-user": lambda: from_gguf(TokenType.USER_DEFINED),
    "gguf-2581": lambda: from_gguf(TokenType.CONTROL, "\u2581"),
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


PIECES = {i: piece for piece, i in json.loads(tokenizer_json())["model"]["vocab"].items()}
BYTES = [i for i, piece in PIECES.items() if piece.startswith("<0x")]


@given(st.lists(st.one_of(st.sampled_from(BYTES), st.sampled_from(["é", "漢", "🙂"]), st.sampled_from(list(PIECES))), max_size=12))
def test_any_tokens_are_streamed_as_the_text_that_they_are_decoded_to(drawn: list[int | str]) -> None:
    """Bytes of no character among them, and control tokens, which show as nothing, within one."""
    tokenizer = BUILT["json"]
    ids = [i for one in drawn for i in (tokenizer.encode(one) if isinstance(one, str) else [one])]
    shown = [PIECES[i] for i in ids if PIECES[i] not in CONTROL]
    text = b"".join(bytes.fromhex(p[3:5]) if p.startswith("<0x") else p.replace("\u2581", " ").encode() for p in shown)
    stream = TextStream(tokenizer)
    assert tokenizer.decode(ids) == text.decode("utf-8", "replace")
    assert "".join([*(stream.push(i) for i in ids), stream.flush()]) == tokenizer.decode(ids)


def test_a_byte_of_no_character_spoils_none_beside_it() -> None:
    tokenizer = BUILT["json"]
    assert tokenizer.decode([*tokenizer.encode("漢"), BYTES[0xFF], *tokenizer.encode("é")]) == "漢\ufffdé"


def test_a_character_of_several_bytes_is_streamed_whole() -> None:
    tokenizer = BUILT["json"]
    ids = tokenizer.encode("漢")
    assert len(ids) == 3
    stream = TextStream(tokenizer)
    assert [stream.push(i) for i in ids] == ["", "", "漢"]


@pytest.mark.parametrize("text", ["a  the", "    the", "a   a", "<table>  <table>"])
def test_a_run_of_spaces_is_one_token_however_the_file_writes_its_piece(text: str) -> None:
    assert BUILT["gguf-2581"].encode(text) == BUILT["gguf"].encode(text)
    assert 10 in BUILT["gguf"].encode(text)


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
