"""What a checkpoint says of its network: Gemma 2 and nothing else, each size a size."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from model import Gemma2Config, load_model
from model.config import SHAPES
from model.errors import SourceError
from model.load.sources import read_checkpoint
from tests.model.conftest import BASE, oracle, tokenizer_json
from tests.model.tiny import a_gemma_2


@pytest.mark.parametrize(("name", "billions"), [("2b", 2.6), ("9b", 9.2), ("27b", 27.2), ("starter", 0.0874)])
def test_the_published_shapes_have_the_published_sizes(name: str, billions: float) -> None:
    assert SHAPES[name].num_parameters / 1e9 == pytest.approx(billions, rel=0.02)


def test_27b_has_its_own_query_scale() -> None:
    assert (SHAPES["27b"].query_pre_attn_scalar, SHAPES["27b"].head_dim) == (144, 128)
    assert SHAPES["9b"].query_pre_attn_scalar == SHAPES["2b"].query_pre_attn_scalar == 256


def test_the_starter_has_its_shape_and_sees_its_whole_context_on_every_layer() -> None:
    config = read_checkpoint("starter").config
    assert asdict(config) == pytest.approx(asdict(SHAPES["starter"]), rel=1e-6)
    assert config.sliding_window == config.max_position_embeddings


def test_sliding_layers_are_the_even_ones() -> None:
    assert [SHAPES["2b"].is_sliding(i) for i in range(4)] == [True, False, True, False]


def test_a_missing_key_is_named_not_guessed() -> None:
    values = SHAPES["2b"].to_dict()
    del values["sliding_window"]
    with pytest.raises(SourceError, match="sliding_window"):
        Gemma2Config.from_dict(values)


def test_transformers_opens_the_config_that_we_write() -> None:
    from transformers import Gemma2Config as Theirs

    config = Theirs(**SHAPES["27b"].to_dict())
    assert Gemma2Config.from_dict(config.to_dict()) == SHAPES["27b"]


OTHERS: list[tuple[str, Any]] = [
    ("model_type", "gemma3_text"),
    ("model_type", ["gemma2"]),
    ("tie_word_embeddings", False),
    ("hidden_activation", "silu"),
    ("hidden_act", "relu"),
    ("attention_bias", True),
    ("use_bidirectional_attention", True),
    ("partial_rotary_factor", 0.5),
    ("quantization_config", {"quant_method": "gptq"}),
    ("layer_types", ["full_attention"] * 26),
    ("layer_types", ["sliding_attention", "full_attention"]),
    ("layer_types", "full_attention"),
    ("rope_parameters", {"rope_type": "linear", "factor": 2.0}),
    ("rope_parameters", {"sliding_attention": {"rope_theta": 1e4}, "full_attention": {"rope_theta": 1e6}}),
    ("rope_parameters", {"partial_rotary_factor": 0.5}),
    ("rope_parameters", {"rope_theta": "10000"}),
    ("rope_parameters", [1]),
    ("rope_parameters", "default"),
    ("rope_scaling", {"type": "dynamic", "factor": 2.0}),
    ("rope_scaling", 2.0),
]
SIZES = [key for key in SHAPES["2b"].to_dict() if key in BASE and key not in ("rms_norm_eps", "rope_theta") and "softcapping" not in key]
NO_SIZES = ["8", 8.0, True, [8], {"a": 8}, None, -8, 0, 1 << 40, math.nan]
NO_NUMBERS = ["8", True, [8], None, -8.0, 0.0, math.nan, math.inf, 10**400]


@pytest.mark.parametrize(("key", "value"), OTHERS)
def test_a_network_that_gemma_2_is_not_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(SourceError, match=rf"^here/config\.json: .*({key}|rope_theta|model; )") as caught:
        Gemma2Config.from_dict({**SHAPES["2b"].to_dict(), key: value}, "here/config.json")
    assert "\n" not in str(caught.value) and "Ollama" in caught.value.hint


@pytest.mark.parametrize("value", NO_SIZES, ids=str)
@pytest.mark.parametrize("key", SIZES)
def test_a_size_that_is_none_is_named(key: str, value: Any) -> None:
    with pytest.raises(SourceError, match=rf"^here: {key} is .* a whole number") as caught:
        Gemma2Config.from_dict({**SHAPES["2b"].to_dict(), key: value}, "here")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: f"{value!r:.10}")
@pytest.mark.parametrize("key", ["attn_logit_softcapping", "final_logit_softcapping", "rms_norm_eps", "rope_theta"])
def test_a_number_that_is_none_is_named(key: str, value: Any) -> None:
    with pytest.raises(SourceError, match=rf"^here: {key} is .* a positive number"):
        Gemma2Config.from_dict({**SHAPES["2b"].to_dict(), key: value}, "here")


@pytest.mark.parametrize(("key", "value"), [("num_key_value_heads", 3), ("head_dim", 255)])
def test_sizes_that_do_not_go_together_are_named(key: str, value: int) -> None:
    with pytest.raises(SourceError, match=f"^here: {key} is {value}"):
        Gemma2Config.from_dict({**SHAPES["2b"].to_dict(), key: value}, "here")


def test_what_transformers_may_leave_out_or_write_otherwise_is_read() -> None:
    values = SHAPES["2b"].to_dict()
    bare = {key: value for key, value in values.items() if key not in ("hidden_activation", "tie_word_embeddings", "rope_theta")}
    kinds = ["sliding_attention", "full_attention"] * 13
    for more in (
        {},
        {"rope_parameters": None, "rope_scaling": None, "layer_types": None, "attention_bias": False, "quantization_config": None},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 10000}, "layer_types": kinds, "hidden_act": "gelu_pytorch_tanh"},
        {"rope_theta": 1e6, "rope_parameters": {"rope_theta": 10000.0}},
    ):
        assert Gemma2Config.from_dict({**bare, **more}) == SHAPES["2b"]
    assert Gemma2Config.from_dict({**bare, "rope_theta": 5e4}).rope_theta == 5e4


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("block_count", value) for value in ("4", 4.0, True, [4, 4], -1, 0, 1 << 40)),
        ("attention.head_count_kv", [2, 2, 2, 2]),
        ("attention.head_count_kv", 3),
        ("attn_logit_softcapping", math.nan),
        ("attention.layer_norm_rms_epsilon", 0.0),
        ("rope.freq_base", math.inf),
        ("rope.scaling.type", "linear"),
        ("rope.dimension_count", 16),
        ("attention.value_length", 16),
        ("attention.sliding_window_pattern", 6),
        ("rope.freq_base_swa", 1e6),
        ("attention.key_length", 31),
    ],
    ids=str,
)
def test_a_gguf_file_is_held_to_the_same(key: str, value: Any, tmp_path: Path) -> None:
    a_gemma_2(tmp_path / "m.gguf", oracle(), **{key: value})
    with pytest.raises(SourceError, match=rf"m\.gguf: gemma2\.{key} is ") as caught:
        load_model(tmp_path / "m.gguf", device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("kind", ["safetensors", "gguf"])
@pytest.mark.parametrize("name", ["layers.1.input_layernorm.weight", "layers.0.mlp.down_proj.weight", "embed_tokens.weight"])
def test_weights_that_are_no_numbers_are_named(name: str, kind: str, value: float, tmp_path: Path) -> None:
    network = oracle()
    network.model.get_parameter(name).data.view(-1)[3] = value
    network.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    a_gemma_2(tmp_path / "m.gguf", network)
    source = {"safetensors": tmp_path, "gguf": tmp_path / "m.gguf"}[kind]
    with pytest.raises(SourceError, match=rf"'{name}' holds values that are no numbers"):
        load_model(source, device="cpu")


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int32, torch.bool, torch.float8_e4m3fn])
def test_tensors_that_are_no_plain_numbers_are_named(dtype: torch.dtype, tmp_path: Path) -> None:
    oracle().save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["model.norm.weight"] = tensors["model.norm.weight"].to(dtype)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(SourceError, match=r"'norm\.weight' is of type \w+, not plain numbers"):
        load_model(tmp_path, device="cpu")


def test_a_tensor_in_two_shards_is_named(tmp_path: Path) -> None:
    oracle().save_pretrained(tmp_path, max_shard_size="200KB")
    (tmp_path / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())["weight_map"]
    other = next(file for file in index.values() if file != index["model.norm.weight"])
    save_file({**load_file(tmp_path / other), "model.norm.weight": torch.zeros(64)}, tmp_path / other)
    with pytest.raises(SourceError, match=r"'norm\.weight' is there twice"):
        load_model(tmp_path, device="cpu")
