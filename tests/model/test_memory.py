"""What is counted before anything is read is what a loaded network holds."""

from pathlib import Path

import pytest
import torch
from gguf import GGMLQuantizationType
from gguf.quants import quantize

from model.config import SHAPES
from model.load.checkpoint import Quantize, build_network
from model.load.sources import read_checkpoint
from model.memory import needed
from tests.model.gguf_bytes import Header


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF file whose embedding is stored in 8 bits, its first layer in 4, the other one in plain numbers."""
    folder = tmp_path_factory.mktemp("mixed")
    header = Header(folder, hidden_size=256, intermediate_size=1024, head_dim=64)
    for i, (name, shape, _, data) in enumerate(header.tensors):
        if data.ndim == 2 and not name.startswith("blk.1"):
            kind = GGMLQuantizationType.Q8_0 if name.startswith("token_embd") else GGMLQuantizationType.Q4_0
            header.tensors[i] = name, shape, int(kind), quantize(data, kind)
    (folder / "mixed.gguf").write_bytes(header.bytes())
    return folder / "mixed.gguf"


@pytest.mark.parametrize("keep_packed", [True, False])
@pytest.mark.parametrize("quantized", [None, "int8", "int4"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_weights_are_counted_before_they_are_read(mixed: Path, dtype: torch.dtype, quantized: Quantize | None, keep_packed: bool) -> None:
    checkpoint = read_checkpoint(mixed)
    config = checkpoint.config
    network = build_network(config, checkpoint.tensors(), "", torch.device("cpu"), dtype, quantized, lambda _: keep_packed)
    held = sum(tensor.nbytes for tensor in network.state_dict().values())
    beside = (config.cached_per_token * config.max_position_embeddings + 4096 * 3 * config.intermediate_size) * dtype.itemsize
    counted = needed(config, str(dtype).removeprefix("torch."), quantized, checkpoint.packed if keep_packed else None)
    assert counted - beside == pytest.approx(held, rel=0.02)


def test_it_is_the_weights_the_window_and_what_a_prompt_needs() -> None:
    two = SHAPES["2b"]
    assert needed(two, "bfloat16") == 2 * (two.num_parameters + 2 * 26 * 4 * 256 * 8192 + 4096 * 3 * 9216)
    embedding = 256_000 * 2304
    assert needed(two, "bfloat16") - needed(two, "bfloat16", "int4") == embedding + (two.num_parameters - embedding) * 23 // 16
