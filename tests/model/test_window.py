"""At Gemma 2's real window and length: the edges at 4096 and 8192."""

import dataclasses
from pathlib import Path

import torch

from model.cache import KVCache
from model.config import SHAPES
from model.gemma2 import Gemma2
from tests.model.conftest import oracle

SMALL = dataclasses.replace(
    SHAPES["2b"],
    vocab_size=320,
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=16,
    query_pre_attn_scalar=16,
)


@torch.inference_mode()
def test_a_step_equals_the_whole_at_the_edges_of_window_and_context() -> None:
    torch.manual_seed(0)
    network = Gemma2(SMALL).eval()
    for p in network.parameters():
        p.normal_(0, 0.4)
    ids = torch.randint(0, 320, (1, 8192))
    whole = network(ids)
    cache = KVCache(SMALL, 8192, torch.device("cpu"), torch.float32)
    done = 0
    for edge in (4094, 4095, 4096, 4097, 8190, 8191, 8192):
        step = network(ids[:, done:edge], [cache], logits_to_keep=1)
        assert (step - whole[:, edge - 1]).abs().max() <= 1e-4, edge
        done = edge


@torch.inference_mode()
def test_the_window_at_4096_is_where_transformers_has_it(tmp_path: Path) -> None:
    config = {k: v for k, v in dataclasses.asdict(SMALL).items() if k != "rope_theta"}
    theirs = oracle(**config)
    ours = Gemma2(SMALL)
    ours.load_state_dict({k.removeprefix("model."): v for k, v in theirs.state_dict().items() if k != "lm_head.weight"})
    ids = torch.randint(0, 320, (1, 4100))
    last = theirs(ids, logits_to_keep=8).logits
    assert (ours(ids, logits_to_keep=8) - last).abs().max() <= 1e-4
