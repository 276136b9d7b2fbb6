"""Damaged and crafted models: whatever a file says, it is read or it is one line."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Q
from gguf import GGUFValueType as V
from gguf.quants import dequantize
from hypothesis import given
from hypothesis import strategies as st

from model import load_model
from model.errors import SourceError
from model.load.gguf_file import _READABLE
from model.tokenizer import Tokenizer
from tests.model.conftest import oracle, tokenizer_json
from tests.model.gguf_bytes import Header


def read_and_run(source: Path) -> None:
    model = load_model(source, device="cpu", dtype=torch.float32)
    model.forward(torch.tensor([model.tokenizer.chat([("user", "the a é")])]))


def one_line(source: Path, match: str) -> str:
    with pytest.raises(SourceError, match=match) as caught:
        read_and_run(source)
    message = str(caught.value)
    assert message.startswith(str(source)) and len(message.splitlines()) == 1 and len(message) < len(str(source)) + 300
    return message


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> Header:
    return Header(tmp_path_factory.mktemp("header"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint in Hugging Face's layout."""
    folder = tmp_path_factory.mktemp("folder")
    oracle(num_hidden_layers=2, hidden_size=32, intermediate_size=32, head_dim=16).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return folder


@pytest.fixture
def config(folder: Path) -> Any:
    """Its config.json, put back afterwards."""
    file = folder / "config.json"
    before = file.read_text()
    yield file
    file.write_text(before)


def test_the_header_that_is_damaged_below_is_whole(header: Header, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(header.bytes())
    read_and_run(tmp_path / "m.gguf")


PIECES = (V.ARRAY, (V.STRING, ["<bos>"]))
CRAFTED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "alignment 0": ({"general.alignment": (V.UINT32, 0)}, {}, "alignment"),
    "alignment a text": ({"general.alignment": (V.STRING, "32")}, {}, "alignment"),
    "alignment below 0": ({"general.alignment": (V.INT32, -8)}, {}, "alignment"),
    "alignment huge": ({"general.alignment": (V.UINT64, 1 << 63)}, {}, "not a readable GGUF"),
    "tokens no list": ({"tokenizer.ggml.tokens": (V.UINT32, 7)}, {}, r"tokenizer\.ggml\.tokens is 7"),
    "tokens numbers": ({"tokenizer.ggml.tokens": (V.ARRAY, (V.UINT32, [1, 2]))}, {}, r"tokenizer\.ggml\.tokens is a list, not"),
    "no tokens": ({"tokenizer.ggml.tokens": (V.ARRAY, (V.STRING, []))}, {}, "0 pieces"),
    "one token": ({"tokenizer.ggml.tokens": PIECES}, {}, "1 pieces"),
    "a token that is a book": (
        {"tokenizer.ggml.tokens": (V.ARRAY, (V.STRING, ["a" * 5000])), "tokenizer.ggml.scores": (V.ARRAY, (V.FLOAT32, [0.0]))},
        {},
        "damaged",
    ),
    "scores shorter": ({"tokenizer.ggml.scores": (V.ARRAY, (V.FLOAT32, [0.0, 1.0]))}, {}, "2 scores"),
    "scores texts": ({"tokenizer.ggml.scores": (V.ARRAY, (V.STRING, ["a"]))}, {}, r"tokenizer\.ggml\.scores is a list"),
    "types shorter": ({"tokenizer.ggml.token_type": (V.ARRAY, (V.INT32, [1]))}, {}, "1 types"),
    "arrays in arrays": ({"x": (V.ARRAY, (V.ARRAY, [(V.ARRAY, [(V.UINT8, [1])])]))}, {}, "array of arrays"),
    "architecture a list": ({"general.architecture": (V.ARRAY, (V.STRING, ["gemma2"]))}, {}, "a list"),
    "offset past 2^63": ({}, {"offset": (1 << 64) - 32}, "not a readable GGUF"),
    "offset past the end": ({}, {"offset": 1 << 40}, "not a readable GGUF"),
    "shape past the end": ({}, {"shape": [1 << 40, 1 << 40]}, "not a readable GGUF"),
    "shape that wraps to 0": ({}, {"shape": [1 << 32, 1 << 32]}, "not a readable GGUF"),
    "shape of nothing": ({}, {"shape": [0, 32]}, "is empty"),
    "no shape": ({}, {"shape": []}, "shape"),
    "many dimensions": ({}, {"shape": [1] * 80}, "not a readable GGUF"),
    "a norm in 4 bits": ({}, {"kind": Q.IQ4_NL, "shape": [32], "name": "output_norm.weight"}, "there twice|shape"),
    "another name": ({}, {"name": "blk.\n.x.weight" * 90}, "not part of a Gemma 2"),
    "a type of tomorrow": ({}, {"kind": 99}, r"'token_embd\.weight' is of type 99, which can't"),
    **{kind.name: ({}, {"kind": kind}, f"of type {kind.name}, which can't") for kind in (Q.Q8_1, Q.Q8_K, Q.F64, Q.I8, Q.I16, Q.I32, Q.I64)},
    "a part": ({"split.count": (V.UINT16, 3), "split.no": (V.UINT16, 1)}, {}, "is part 2 of a model in 3 files"),
    "a first part alone": ({"split.count": (V.UINT16, 3)}, {}, r"is part 1 .* m\.gguf-00002-of-00003\.gguf is not"),
    "parts a text": ({"split.count": (V.STRING, "3")}, {}, "split.count is no number"),
}


@pytest.mark.parametrize("name", list(CRAFTED))
def test_a_crafted_gguf_file_is_one_line(name: str, header: Header, tmp_path: Path) -> None:
    values, first, match = CRAFTED[name]
    (tmp_path / "m.gguf").write_bytes(header.bytes(values, **first))
    one_line(tmp_path / "m.gguf", match)


def in_parts(header: Header, folder: Path, parts: int) -> list[Path]:
    """The model as `llama-gguf-split` leaves it: the tensors shared out, all other values in the first part."""
    files = []
    for part in range(parts):
        piece = Header.__new__(Header)
        split = {"split.count": (V.UINT16, parts), "split.no": (V.UINT16, part), "split.tensors.count": (V.INT32, len(header.tensors))}
        piece.values = {**(header.values if part == 0 else {}), **split}
        piece.tensors = header.tensors[part::parts]
        files.append(folder / f"m-{part + 1:05}-of-{parts:05}.gguf")
        files[-1].write_bytes(piece.bytes())
    return files


def test_a_model_in_several_files_is_read_by_the_first(header: Header, tmp_path: Path) -> None:
    first, second, third = in_parts(header, tmp_path, 3)
    (tmp_path / "m.gguf").write_bytes(header.bytes())
    ids = torch.arange(20)[None]
    whole, parts = (load_model(file, device="cpu", dtype=torch.float32).forward(ids) for file in (tmp_path / "m.gguf", first))
    assert torch.equal(whole, parts)
    one_line(second, "is part 2 of a model in 3 files")
    third.write_bytes(second.read_bytes())
    with pytest.raises(SourceError, match=r"m-00003-of-00003\.gguf: is part 2 of"):
        read_and_run(first)
    third.unlink()
    one_line(first, r"is part 1 of a model in 3 files, and m-00003-of-00003\.gguf is not beside it")


def test_the_types_that_we_refuse_are_those_that_gguf_cannot_turn_into_numbers() -> None:
    for kind in [kind for kind in Q if kind not in _READABLE]:
        with pytest.raises(NotImplementedError):
            dequantize(np.zeros((1, 0), dtype=np.uint8), kind)
    for kind in _READABLE:
        numbers, size = GGML_QUANT_SIZES[Q(kind)]
        assert dequantize(np.zeros((1, size), dtype=np.uint8), Q(kind)).shape == (1, numbers)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"a": ' * 100_000, "not valid JSON"),
        ("[" * 100_000 + "]" * 100_000, "not valid JSON"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "not valid JSON"),
        ("[]", "not a JSON object"),
        ("", "not valid JSON"),
        ("\x00", "not valid JSON"),
        ('{"hidden_size": ' + "9" * 5000 + "}", "not valid JSON"),
    ],
    ids=["deep objects", "deep lists", "deep in an object", "a list", "empty", "no text", "a long number"],
)
def test_a_crafted_config_is_one_line(text: str, match: str, folder: Path, config: Path) -> None:
    config.write_text(text)
    one_line(folder, match)


def test_an_index_that_names_no_shards_is_one_line(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    for shards in ('{"weight_map": [1]}', '{"weight_map": {"a": 1}}', '{"weight_map": {"a": ".."}}', "{}", '{"weight_map": {"a": [[]]}}'):
        index.write_text(shards)
        one_line(folder, "no weight_map in it")
    index.unlink()


def test_a_crafted_tokenizer_is_one_line(tmp_path: Path) -> None:
    def changed(**model: Any) -> str:
        data = json.loads(tokenizer_json())
        return json.dumps({**data, "model": {**data["model"], **model}})

    data = json.loads(tokenizer_json())
    vocab = data["model"]["vocab"]
    for text in (
        changed(vocab=[1]),
        changed(vocab={**vocab, "a": "x"}),
        changed(vocab={**vocab, "a": -1}),
        changed(merges=None),
        changed(merges=[["q", "zz"]]),
        changed(merges=[[1, 2]]),
        changed(type="WordPiece"),
        changed(unk_token="<none>", byte_fallback=False),
        json.dumps({**data, "added_tokens": [{"content": "<bos>"}]}),
        json.dumps({**data, "added_tokens": 7}),
        json.dumps({**data, "normalizer": {"type": "none"}}),
        "[" * 100_000,
        "7",
    ):
        with pytest.raises(SourceError, match=r"^here: ") as caught:
            Tokenizer.from_json(text, "here")
        assert len(str(caught.value).splitlines()) == 1


def test_a_tokenizer_of_a_larger_network_is_one_line(folder: Path) -> None:
    file = folder / "tokenizer.json"
    data = json.loads(tokenizer_json())
    data["model"]["vocab"]["zzz"] = 320
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(SourceError, match=r"tokenizer\.json: has 321 pieces; the network has 320"):
        read_and_run(folder)
    file.write_text(tokenizer_json(), encoding="utf-8")


def accepted_or_one_line(source: Path) -> None:
    try:
        read_and_run(source)
    except SourceError as error:
        assert len(str(error).splitlines()) == 1 and str(source) in str(error)


VALUES = st.one_of(
    *(st.tuples(st.just(kind), st.integers(0, 127)) for kind in (V.UINT8, V.INT8, V.UINT16, V.UINT32, V.UINT64)),
    st.tuples(st.just(V.INT64), st.integers(-(1 << 63), (1 << 63) - 1)),
    st.tuples(st.just(V.FLOAT32), st.floats(width=32)),
    st.tuples(st.just(V.BOOL), st.booleans()),
    st.tuples(st.just(V.STRING), st.text(max_size=8)),
    st.tuples(st.just(V.ARRAY), st.tuples(st.just(V.UINT32), st.lists(st.integers(0, 99), max_size=3))),
    st.tuples(st.just(V.ARRAY), st.tuples(st.just(V.STRING), st.lists(st.text(max_size=3), max_size=3))),
)


@given(st.data())
def test_a_gguf_header_of_any_values_is_read_or_is_one_line(header: Header, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    values = data.draw(
        st.dictionaries(st.sampled_from([*header.values, "general.alignment", "split.count"]), VALUES, min_size=1, max_size=2)
    )
    file = tmp_path_factory.getbasetemp() / "values.gguf"
    file.write_bytes(header.bytes(values))
    accepted_or_one_line(file)


@given(st.integers(0, 1 << 32), st.integers(1, 6))
def test_a_gguf_file_with_any_bytes_changed_is_read_or_is_one_line(
    header: Header, tmp_path_factory: pytest.TempPathFactory, seed: int, changes: int
) -> None:
    rng, whole = random.Random(seed), bytearray(header.bytes())
    length = len(whole) - sum(t[3].nbytes for t in header.tensors)
    for _ in range(changes):
        at = rng.randrange(length)
        whole[at : at + 1] = rng.choice((bytes([rng.randrange(256)]), b"\xff" * 8, b"\x00" * 4, b""))
    file = tmp_path_factory.getbasetemp() / "bytes.gguf"
    file.write_bytes(whole)
    accepted_or_one_line(file)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MORE_KEYS = ["layer_types", "rope_scaling", "rope_theta", "hidden_act", "quantization_config", "octavo", "partial_rotary_factor"]


@given(st.data())
def test_a_config_of_any_values_is_read_or_is_one_line(folder: Path, data: Any) -> None:
    file = folder / "config.json"
    before = file.read_text()
    keys = st.sampled_from([*json.loads(before), *MORE_KEYS])
    try:
        file.write_text(json.dumps(json.loads(before) | data.draw(st.dictionaries(keys, JSON, min_size=1, max_size=2))))
        accepted_or_one_line(folder)
    finally:
        file.write_text(before)
