"""The network in C against the torch network, on random weights: each kind of weights, and each way of reading them."""

import copy
import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model import load_model, native
from model.cache import KVCache
from model.config import SHAPES
from model.gemma2 import Gemma2
from model.linear import BLOCK, Dense, Int4, Int8, Packed
from model.native import build
from model.native.runner import Runner

TARGETS = {"this processor": ("-march=native",), "AVX2": ("-mavx2", "-mfma", "-mf16c")}
CONFIG = dataclasses.replace(
    SHAPES["starter"],
    vocab_size=330,
    hidden_size=64,
    intermediate_size=192,
    num_hidden_layers=3,
    num_attention_heads=6,
    num_key_value_heads=2,
    head_dim=32,
    query_pre_attn_scalar=32,
    sliding_window=20,
    attn_logit_softcapping=8.0,
)


def in_blocks(weight: Tensor) -> Int8:
    """8 bits with a scale for each block, as in GGUF's Q8_0."""
    rows = Int8.of(weight.reshape(-1, BLOCK))
    return Int8(rows.codes.view(weight.shape), rows.scales.half().view(len(weight), -1))


def other_values(weight: Tensor) -> Int4:
    """4 bits whose values aren't evenly spaced, as in GGUF's IQ4_NL."""
    even = Int4.of(weight)
    return Int4(even.codes, even.scales, torch.tensor([-127.0, -99, -70, -50, -33, -20, -9, -1, 3, 11, 22, 35, 51, 68, 90, 113]))


KINDS: dict[str, Any] = {"plain": None, "int8": Int8.of, "blocks of 8": in_blocks, "int4": Int4.of, "values": other_values}


@pytest.fixture(scope="module", params=TARGETS)
def library(request: pytest.FixtureRequest) -> Any:
    found = native.library(TARGETS[request.param])
    if found is None:
        pytest.skip("no C compiler, or no processor that it is made for")
    return found


@pytest.fixture(scope="module", params=KINDS)
def networks(request: pytest.FixtureRequest) -> tuple[Gemma2, Gemma2]:
    """A network of one kind of weights, and the same in plain numbers: wide enough for soft-caps and window to bend what comes out."""
    torch.manual_seed(0)
    stored = Gemma2(CONFIG).eval().requires_grad_(False)
    for name, p in stored.named_parameters():
        p.normal_(0, 0.8 if name.endswith(("q_proj.weight", "k_proj.weight")) else 0.3 if "norm" in name else 0.4)
    plain = copy.deepcopy(stored)
    for name, module in [(n, m) for n, m in stored.named_modules() if isinstance(m, Dense) and KINDS[request.param]]:
        packed: Packed = KINDS[request.param](module.weight)
        stored.set_submodule(name, packed)
        plain.get_submodule(name).weight.data = packed.dense()
    return stored, plain


def read_in_pieces(run: Any, ids: Tensor, dtype: torch.dtype) -> Tensor:
    """Logits (B, T, vocab_size) of rows that are read alone, in long and short pieces, and then together, at different lengths."""
    caches = [KVCache(CONFIG, ids.shape[1] + 3 * i, torch.device("cpu"), dtype) for i in range(len(ids))]
    rows = []
    for i, row in enumerate(ids):
        pieces = torch.split(row[: 60 + i], [33, 1, 2, 3, 16, 5 + i])
        rows.append([run(piece[None], caches[i : i + 1], 0)[0] for piece in pieces])
    for at in range(60, 75):
        for i, logits in enumerate(run(torch.stack([row[at + i : at + i + 1] for i, row in enumerate(ids)]), caches, 1)):
            rows[i].append(logits)
    for i, row in enumerate(ids):
        rows[i].append(run(row[None, 75 + i :], caches[i : i + 1], 0)[0])
    return torch.stack([torch.cat(pieces) for pieces in rows])


def rounding(module: torch.nn.Module, args: tuple[Tensor]) -> Tensor:
    """The input of a packed matrix, as C rounds it."""
    blocks = args[0].unflatten(-1, (-1, BLOCK))
    scales = blocks.abs().amax(-1, keepdim=True) / 127
    return (torch.where(scales == 0, blocks, (blocks / scales).round() * scales)).flatten(-2)


def divergence(exact: Tensor, other: Tensor) -> float:
    exact, other = exact.log_softmax(-1), other.log_softmax(-1)
    return (exact.exp() * (exact - other)).sum(-1).mean().item()


@torch.no_grad()
def test_logits_are_those_of_the_torch_network(library: Any, networks: tuple[Gemma2, Gemma2]) -> None:
    stored, plain = networks
    ids = torch.randint(0, CONFIG.vocab_size, (3, 110))
    exact = plain(ids)
    mine = read_in_pieces(Runner(stored, library), ids, torch.float32)
    if isinstance(stored.embed_tokens, Packed):  # vectors are rounded to 8 bits
        assert 0 < divergence(exact, mine) <= 1e-3
    else:
        assert (mine - exact).abs().max() <= 1e-4


@torch.no_grad()
def test_vectors_are_rounded_to_eight_bits_in_blocks_and_no_more(library: Any, networks: tuple[Gemma2, Gemma2]) -> None:
    stored, plain = copy.deepcopy(networks)
    torch.manual_seed(1)
    ids = torch.randint(0, CONFIG.vocab_size, (7, 16))
    if isinstance(stored.embed_tokens, Packed):
        for module in plain.modules():
            if isinstance(module, Dense):
                module.register_forward_pre_hook(rounding)
    run = Runner(stored, library)
    mine = torch.cat([run(row[None], [KVCache(CONFIG, 16, torch.device("cpu"), torch.float32)], 0) for row in ids])
    # of most tokens: where a number lies between two codes, the last bit of a sum decides
    assert (plain(ids) - mine).abs().amax(-1).median() <= 1e-3


@torch.no_grad()
def test_a_long_text_is_multiplied_almost_exactly(library: Any, networks: tuple[Gemma2, Gemma2]) -> None:
    stored, plain = copy.deepcopy(networks)
    stored.embed_tokens = plain.embed_tokens  # the logits' vectors would be rounded to 8 bits
    stored.layers[1].self_attn.k_proj = plain.layers[1].self_attn.k_proj  # files mix their kinds
    ids = torch.randint(0, CONFIG.vocab_size, (1, 110))
    mine = Runner(stored, library)(ids, [KVCache(CONFIG, 110, torch.device("cpu"), torch.float32)], 0)
    assert (mine - plain(ids)).abs().mean() <= 1e-3


@torch.no_grad()
def test_bf16_is_no_further_from_fp32_than_torchs(library: Any, networks: tuple[Gemma2, Gemma2]) -> None:
    stored, plain = copy.deepcopy(networks)
    ids = torch.randint(0, CONFIG.vocab_size, (3, 110))
    exact = plain(ids)
    for p in stored.parameters():
        p.data = p.data.bfloat16()
    mine = read_in_pieces(Runner(stored, library), ids, torch.bfloat16)
    assert divergence(exact, mine) <= 1.5 * divergence(exact, plain.bfloat16()(ids)) + 2e-3 * isinstance(stored.embed_tokens, Packed)


@torch.no_grad()
def test_only_the_logits_asked_for_are_computed(library: Any) -> None:
    network = Gemma2(CONFIG).eval()
    ids = torch.randint(0, CONFIG.vocab_size, (1, 40))
    for count in (40, 9):  # a long text, and a step
        whole, last = [
            Runner(network, library)(ids[:, :count], [KVCache(CONFIG, 40, torch.device("cpu"), torch.float32)], kept) for kept in (0, 2)
        ]
        assert last.shape == (1, 2, CONFIG.vocab_size)
        assert (last - whole[:, -2:]).abs().max() <= 1e-5


def test_sizes_that_the_c_is_not_made_for_are_known() -> None:
    assert all(native.runs(shape) for shape in SHAPES.values())
    assert not native.runs(dataclasses.replace(CONFIG, head_dim=48))
    assert not native.runs(dataclasses.replace(CONFIG, intermediate_size=160))
    assert not native.runs(dataclasses.replace(CONFIG, attn_logit_softcapping=100.0))  # exp(100) is beyond fp32


@pytest.mark.parametrize("kind", ["Q4_0", "Q8_0"])
def test_a_gguf_file_keeps_its_four_and_eight_bits(kind: str) -> None:
    from gguf import GGMLQuantizationType
    from gguf.quants import quantize

    from model.load.gguf import as_stored, to_torch
    from model.load.gguf_file import StoredTensor

    weight = np.random.default_rng(0).normal(size=(6, 96)).astype(np.float32)
    tensor = StoredTensor("blk.0.attn_q.weight", GGMLQuantizationType[kind], quantize(weight, GGMLQuantizationType[kind]))
    packed = as_stored(tensor)
    assert isinstance(packed, Packed)
    assert packed.shape == (6, 96)
    assert torch.allclose(packed.dense(), to_torch(tensor))


def test_the_starter_is_read_as_it_is_stored() -> None:
    model = load_model("starter", device="cpu")
    library = native.library()
    kept = [m for m in model.network.modules() if isinstance(m, Packed)]
    assert len(kept) == (85 if library else 0)
    plain = load_model("starter", device="cpu", dtype=torch.float32)
    ids = model.tokenizer.chat([("user", "When was the mill built?")])
    read, exact = model.read(ids), plain.forward(torch.tensor([ids]), logits_to_keep=1)[0, 0]
    assert read is not None
    assert divergence(exact, read.logits) <= 5e-3


def test_without_a_compiler_the_torch_network_answers(pair: tuple[Any, Path], tmp_path: Path) -> None:
    code = (
        "import sys; from model import load_model\n"
        "model = load_model(sys.argv[1], device='cpu', dtype='float32')\n"
        "print(type(model._run.run).__name__, [t.id for t in model.generate([2, 40, 50, 60], 12, stop_ids=())])"
    )
    environment = {**os.environ, "PATH": "", "XDG_CACHE_HOME": str(tmp_path)}
    out = subprocess.run([sys.executable, "-c", code, str(pair[1])], env=environment, capture_output=True, text=True, check=True).stdout
    mine = load_model(pair[1], device="cpu", dtype=torch.float32)
    assert out.strip() == f"Gemma2 {[t.id for t in mine.generate([2, 40, 50, 60], 12, stop_ids=())]}"


def test_a_cache_folder_that_others_can_write_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = build._folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert build.library.__wrapped__(TARGETS["this processor"]) is None
