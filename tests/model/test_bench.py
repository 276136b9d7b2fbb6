"""The measuring of a model: what it counts, and what it says."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from model import load_model
from model.bench import bench, decode_bytes, prefill_flops
from model.config import SHAPES
from model.errors import ModelError
from model.peers import Transformers

RUN: dict[str, Any] = {
    "device": "cpu",
    "dtype": "float32",
    "context": 40,
    "tokens": 5,
    "rounds": 1,
    "together": 0,
    "tell": lambda line: None,
}


def test_operations_and_bytes_are_those_of_the_shape() -> None:
    for name, billions in (("2b", 2.6), ("9b", 9.2), ("27b", 27.2)):  # the paper's table 2 counts, embedding included
        config = SHAPES[name]
        assert config.num_parameters / 1e9 == pytest.approx(billions, rel=0.02)
        one, more = prefill_flops(config, 1), prefill_flops(config, 4097)
        matrices = 2 * (config.num_parameters - config.vocab_size * config.hidden_size)
        seen = 4 * config.num_attention_heads * config.head_dim
        assert one == matrices + seen * config.num_hidden_layers
        whole = 4097 * 4098 // 2
        assert math.isclose(more, 4097 * matrices + seen * config.num_hidden_layers // 2 * (whole + whole - 1))


def test_a_token_reads_packed_weights_as_they_are(pair: tuple[Any, Path]) -> None:
    network = {kind: load_model(pair[1], "cpu", torch.float32, kind).network for kind in (None, "int8")}
    config, matrices = network[None].config, sum(p.numel() for p in network[None].parameters() if p.dim() == 2)
    saved = decode_bytes(network[None], 10) - decode_bytes(network["int8"], 10)
    assert 2.8 * matrices < saved < 3 * matrices
    per_token = 2 * config.num_key_value_heads * config.head_dim * 4
    assert decode_bytes(network[None], 100) - decode_bytes(network[None], 99) == per_token * config.num_hidden_layers // 2


def test_a_peer_is_run_on_the_same_weights(pair: tuple[Any, Path]) -> None:
    found = json.loads(json.dumps(bench(pair[1], quantize="int8", compare="transformers", **RUN)))
    assert found["peer"] == "transformers" and found["quantize"] == "int8" and found["context"] == 40
    figures = {"prefill_tok_s", "prefill_tflop_s", "prefill_share", "decode_tok_s", "decode_gb_s", "decode_share", "first_token_s"}
    assert found["transformers"].keys() == figures and found["ours"].keys() == figures | {"peak_mb", "load_s"}
    assert found["ratios"].keys() == {"prefill", "decode"} and found["ceilings"].keys() == {"gb_s", "tflop_s"}
    assert all(value >= 0 for part in ("ours", "transformers", "ratios", "ceilings") for value in found[part].values())
    model, ids = load_model(pair[1], "cpu", torch.float32, "int8"), torch.randint(0, 320, (1, 40))
    assert (Transformers(model).network(ids).logits - model.forward(ids)).abs().max() <= 1e-3


def test_answers_written_together_are_measured_beside_one(pair: tuple[Any, Path]) -> None:
    found = bench(pair[1], quantize=None, compare=None, **{**RUN, "together": 3})
    assert found["together"]["texts"] == 3 and found["together"]["tok_s"] > 0 and found["together"]["times_one"] > 0


def test_a_prompt_beyond_the_window_is_refused(pair: tuple[Any, Path]) -> None:
    with pytest.raises(ModelError, match="256"):
        bench(pair[1], quantize=None, compare=None, **{**RUN, "context": 255})
