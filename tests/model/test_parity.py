"""Our network against transformers' Gemma2ForCausalLM (eager), on random weights."""

from pathlib import Path
from typing import Any

import pytest
import torch

from model import load_model
from model.attention import attention
from tests.model.conftest import BASE, oracle

Pair = tuple[Any, Path]


@pytest.fixture
def pair(pair: Pair, device: str) -> Pair:
    """The same, transformers' network on the device."""
    return pair[0].to(device), pair[1]


def ours(pair: Pair, dtype: torch.dtype = torch.float32) -> Any:
    return load_model(pair[1], device=pair[0].device.type, dtype=dtype)


@torch.no_grad()
def test_logits_are_those_of_transformers(pair: Pair) -> None:
    ids = torch.randint(0, BASE["vocab_size"], (3, 80), device=pair[0].device)  # three times the window and more
    ref = pair[0](ids).logits
    out = ours(pair).forward(ids)
    assert out.dtype == torch.float32
    assert (out - ref).abs().max() <= 1e-4


@torch.no_grad()
def test_the_oracle_bends_under_both_soft_caps_and_the_window(pair: Pair) -> None:
    """Else parity would prove nothing about them."""
    ids = torch.randint(0, BASE["vocab_size"], (1, 80), device=pair[0].device)
    network, config = pair[0], pair[0].config
    ref = network(ids).logits
    assert 5 < ref.abs().max() < 29.9
    for key, value in (("attn_logit_softcapping", 1e6), ("sliding_window", 1000), ("final_logit_softcapping", 1e6)):
        changed = oracle(**{k: getattr(config, k) for k in BASE} | {key: value})
        changed.load_state_dict(network.state_dict())
        changed.to(network.device)
        assert (changed(ids).logits - ref).abs().max() > 0.1, key


@torch.no_grad()
def test_stepwise_decoding_equals_one_forward(pair: Pair) -> None:
    model = ours(pair)
    ids = torch.randint(0, BASE["vocab_size"], (1, 60), device=pair[0].device)
    whole = model.forward(ids)[0]
    state = model.read(ids[0, :13].tolist(), room=47)
    assert state is not None
    steps = [state.logits]
    for length in range(14, 61):
        state = model.read(ids[0, :length].tolist(), state)
        steps.append(state.logits)
    assert (torch.stack(steps) - whole[12:]).abs().max() <= 1e-4


def test_a_truncated_cache_goes_on_as_if_nothing_had_followed(pair: Pair) -> None:
    model = ours(pair)
    ids = torch.randint(0, BASE["vocab_size"] - 1, (40,)).tolist()
    wrong = ids[:20] + [token + 1 for token in ids[20:35]]
    state = model.read(wrong, room=5)
    again = model.read(ids, state)
    assert again is not None and again.cache is state.cache
    assert (again.logits - model.forward(torch.tensor([ids]))[0, -1]).abs().max() <= 1e-4


@torch.no_grad()
def test_greedy_text_is_the_same_over_64_tokens_past_the_window(pair: Pair) -> None:
    model = ours(pair)
    ids = torch.randint(8, BASE["vocab_size"], (1, 24), device=pair[0].device)
    ref = pair[0].generate(ids, max_new_tokens=64, do_sample=False, eos_token_id=None, pad_token_id=0)[0, 24:].tolist()
    assert [t.id for t in model.generate(ids[0].tolist(), 64, stop_ids=())] == ref


def test_only_the_logits_asked_for_are_computed(pair: Pair) -> None:
    model = ours(pair)
    ids = torch.randint(0, BASE["vocab_size"], (2, 30), device=pair[0].device)
    last = model.forward(ids, logits_to_keep=4)
    assert last.shape[1] == 4 and (last - model.forward(ids)[:, -4:]).abs().max() <= 1e-4


@torch.no_grad()
def test_bf16_is_no_further_from_fp32_than_transformers_bf16(pair: Pair) -> None:
    ids = torch.randint(0, BASE["vocab_size"], (4, 64), device=pair[0].device)
    exact = pair[0](ids).logits.log_softmax(-1)
    theirs = oracle(**{k: getattr(pair[0].config, k) for k in BASE})
    theirs.load_state_dict(pair[0].state_dict())
    theirs = theirs.to(pair[0].device, torch.bfloat16)(ids).logits.float().log_softmax(-1)
    mine = ours(pair, torch.bfloat16).forward(ids).log_softmax(-1)

    def divergence(other: torch.Tensor) -> float:
        return (exact.exp() * (exact - other)).sum(-1).mean().item()

    assert divergence(mine) <= divergence(theirs) * 1.05


@pytest.mark.parametrize("window", [None, 1, 7, 64])
@pytest.mark.parametrize("queries", [1, 5, 64])
def test_attention_backends_agree(window: int | None, queries: int, device: str) -> None:
    torch.manual_seed(1)
    shapes = ((2, 4, queries, 16), (2, 2, 64, 16), (2, 2, 64, 16))
    q, k, v = (torch.randn(shape, device=device) * size for shape, size in zip(shapes, (4, 4, 1), strict=True))
    outs = [attention(q, k, v, scale=0.25, softcap=5.0, window=window, backend=b) for b in ("blocked", "flex")]
    assert (outs[0] - outs[1]).abs().max() <= 1e-5


def test_blocks_of_queries_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    q, k, v = (torch.randn(shape, device=device) for shape in ((1, 4, 50, 16), (1, 1, 70, 16), (1, 1, 70, 16)))

    def out() -> torch.Tensor:
        return attention(q, k, v, scale=0.25, softcap=50.0, window=9)

    whole = out()
    monkeypatch.setattr("model.attention._SCORES_AT_ONCE", 4 * 70 * 3)
    assert (out() - whole).abs().max() <= 1e-6
