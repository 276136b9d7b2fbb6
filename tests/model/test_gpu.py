"""The kernels for a GPU against the network in plain torch: the same weights, the same ids. All of it needs a GPU."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from model import config as published
from model.cache import KVCache
from model.config import Gemma2Config
from model.gemma2 import Gemma2
from model.linear import Int4, Int8
from model.load.checkpoint import build_network

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
if torch.cuda.is_available():
    import triton

    from model.gpu import ahead, attention, compiling, matrix, norms, products, runner

    KERNELS = [k for module in (attention, norms, products) for k in vars(module).values() if isinstance(k, triton.JITFunction)]

ROOM = 400


def config(heads: int, groups: int, head_dim: int) -> Gemma2Config:
    sizes = {"vocab_size": 512, "hidden_size": 384, "intermediate_size": 640, "num_hidden_layers": 3, "sliding_window": 70}
    heads_of = {"num_attention_heads": heads, "num_key_value_heads": groups, "head_dim": head_dim, "query_pre_attn_scalar": head_dim}
    return replace(published.SHAPES["2b"], **sizes, **heads_of, max_position_embeddings=1024)


SHAPES = {"like-2b": config(8, 4, 256), "like-27b": config(4, 2, 128), "mqa": config(4, 1, 256), "narrow": config(6, 2, 64)}
PACKED: dict[str, Any] = {
    "int8": Int8.of,
    "int4": Int4.of,
    "q8_0": lambda w: Int8(
        (w / 0.003).round().clamp(-127, 127).to(torch.int8), torch.full((len(w), w.shape[1] // 32), 0.003).half().cuda()
    ),
}


def network(shape: str, packed: str | None = None) -> Gemma2:
    torch.manual_seed(0)
    network = Gemma2(SHAPES[shape]).cuda()
    for p in network.parameters():
        p.data.normal_(0, 0.3 if p.dim() == 1 else 0.09)
    network = network.bfloat16().eval().requires_grad_(False)
    if packed:
        for name, module in list(network.named_modules()):
            if name.endswith("_proj"):
                network.set_submodule(name, PACKED[packed](module.weight))
        network.set_submodule("embed_tokens", Int8.of(network.embed_tokens.weight))
    return network


class Side:
    """One way to read three texts."""

    def __init__(self, run: Any, of: Gemma2, dtype: torch.dtype) -> None:
        self.run = run
        self.caches = [KVCache(of.config, ROOM + extra, of.device, dtype) for extra in (0, 33, 7)]

    def read(self, ids: Tensor, rows: list[int], kept: int) -> Tensor:
        out: Tensor = self.run(ids, [self.caches[i] for i in rows], kept)
        return out.log_softmax(-1)


def readings(vocab: int) -> Iterator[tuple[Tensor, list[int], int]]:
    """Prompts, tokens and guesses of one text, of two and of three, of lengths around the window and the kernels' tiles."""
    torch.manual_seed(1)
    one, both = [0], [0, 1]
    for rows, tokens, kept in (
        (one, 150, 0),
        ([1], 33, 1),
        (one, 17, 3),
        (one, 1, 1),
        (both, 1, 1),
        (one, 7, 7),
        (both, 8, 8),
        (both, 64, 2),
        ([0, 1, 2], 1, 1),
        ([0, 1, 2], 5, 5),
    ):
        yield torch.randint(0, vocab, (len(rows), tokens), device="cuda"), rows, kept


def divergence(exact: Tensor, other: Tensor) -> float:
    return float((exact.exp() * (exact - other)).sum(-1).mean())


@torch.inference_mode()
@pytest.mark.parametrize("shape", SHAPES)
def test_logits_are_no_further_from_fp32_than_those_of_plain_torch(shape: str) -> None:
    fast, plain, exact = network(shape), network(shape), network(shape).float()
    assert runner.runs(fast)
    ours, theirs = Side(runner.Runner(fast), fast, torch.bfloat16), Side(plain, plain, torch.bfloat16)
    oracle = Side(exact, exact, torch.float32)
    mine = yours = 0.0
    for ids, rows, kept in readings(512):
        right, out = oracle.read(ids, rows, kept), ours.read(ids, rows, kept)
        assert out.shape == right.shape
        assert divergence(right, out) < 2e-3
        mine, yours = mine + divergence(right, out), yours + divergence(right, theirs.read(ids, rows, kept))
    assert mine <= yours * 1.05


@torch.inference_mode()
@pytest.mark.parametrize("packed", PACKED)
def test_packed_weights_give_the_logits_of_plain_torch(packed: str) -> None:
    fast, plain = network("like-2b", packed), network("like-2b", packed)
    ours, theirs = Side(runner.Runner(fast), fast, torch.bfloat16), Side(plain, plain, torch.bfloat16)
    for ids, rows, kept in readings(512):
        assert divergence(theirs.read(ids, rows, kept), ours.read(ids, rows, kept)) < 4e-3


@torch.inference_mode()
def test_packed_weights_are_made_plain_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    fast, plain = network("narrow", "int4"), network("narrow", "int4")
    monkeypatch.setattr(matrix, "_PLAIN", 64_000)  # 64 rows of 640 columns, 128 of 384
    ours, theirs = Side(runner.Runner(fast), fast, torch.bfloat16), Side(plain, plain, torch.bfloat16)
    ids = torch.randint(0, 512, (1, 20), device="cuda")
    assert divergence(theirs.read(ids, [0], 0), ours.read(ids, [0], 0)) < 4e-3


@torch.inference_mode()
def test_a_text_cut_back_goes_on_as_if_nothing_had_followed() -> None:
    net = network("like-2b")
    ours = Side(runner.Runner(net), net, torch.bfloat16)
    ids = torch.randint(0, 512, (1, 90), device="cuda")
    ours.read(ids, [0], 1)
    first = ours.read(ids[:, :1], [0], 1)
    ours.read(ids[:, :9], [0], 1)
    ours.caches[0].truncate(90)
    assert torch.equal(ours.read(ids[:, :1], [0], 1), first)


@torch.inference_mode()
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernels_fit_cards_with_99_kb_of_shared_memory(shape: str) -> None:
    net, plain = network(shape), network(shape)
    small = runner.Runner(net)
    small.tile = runner._SMALL_ATTENTION[net.config.head_dim]
    attention.attend_many.device_caches.clear()
    ours, theirs = Side(small, net, torch.bfloat16), Side(plain, plain, torch.bfloat16)
    for ids, rows, kept in readings(512):
        assert divergence(theirs.read(ids, rows, kept), ours.read(ids, rows, kept)) < 4e-3
    compiled = [one for kernel in KERNELS for cache in kernel.device_caches.values() for one in cache[0].values()]
    assert len(compiled) > 8
    assert max(one.metadata.shared for one in compiled) <= 99 * 1024


def test_what_the_kernels_are_not_made_for_is_left_to_plain_torch() -> None:
    net = network("mqa")
    assert runner.runs(net)
    assert not runner.runs(network("mqa").float())
    codes = Int4.of(net.layers[0].self_attn.k_proj.weight)
    codes.codebook[0] = -127
    net.layers[0].self_attn.k_proj = codes
    assert not runner.runs(net)


@torch.inference_mode()
def test_matrices_that_are_read_together_may_be_stored_in_different_ways() -> None:
    fast, plain = network("like-2b", "int4"), network("like-2b", "int4")
    for net in (fast, plain):
        attention, mlp = net.layers[1].self_attn, net.layers[1].mlp
        attention.v_proj = Int8.of(attention.v_proj.dense())
        mlp.down_proj = Int8.of(mlp.down_proj.dense())
    ours, theirs = Side(runner.Runner(fast), fast, torch.bfloat16), Side(plain, plain, torch.bfloat16)
    for ids, rows, kept in readings(512):
        assert divergence(theirs.read(ids, rows, kept), ours.read(ids, rows, kept)) < 4e-3


def test_kernels_are_found_without_torchs_compiler() -> None:
    """Importing it takes longer than compiling them."""
    code = (
        "import sys, torch; from model.config import SHAPES; from model.gpu import ahead; before = set(sys.modules);"
        "assert len(ahead.first_launches(SHAPES['2b'], 'int4', torch.device('cuda'))) > 15;"
        "print({'sympy', 'torch._dynamo'} & (set(sys.modules) - before))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_nothing_is_left_to_compile_for_the_first_answer() -> None:
    def known() -> int:
        return sum(len(cache[0]) for kernel in KERNELS for cache in kernel.device_caches.values())

    for kernel in KERNELS:
        kernel.device_caches.clear()
    config = SHAPES["like-2b"]
    ahead.start(config, "int8", torch.device("cuda"))
    compiling.wait()
    before = known()
    assert before > 8
    net = build_network(config, network("like-2b").state_dict().items(), "", torch.device("cuda"), torch.bfloat16, "int8")
    ours = Side(runner.Runner(net), net, torch.bfloat16)
    ours.read(torch.randint(0, 512, (1, 90), device="cuda"), [0], 1)
    ours.read(torch.randint(0, 512, (1, 1), device="cuda"), [0], 1)
    assert known() == before
