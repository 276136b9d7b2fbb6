"""Quantised kinds become the numbers that the gguf package makes of them."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

from model import load_model
from model.load import dequantize as ours
from tests.model.gguf_bytes import Header, some_blocks


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")  # among random bytes are scales that are no numbers
@pytest.mark.parametrize("kind", [*ours._FAST, GGMLQuantizationType.Q3_K], ids=lambda kind: kind.name)
def test_blocks_become_the_numbers_that_gguf_makes_of_them(kind: GGMLQuantizationType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_AT_ONCE", 4 * 256)  # so that these few rows take several steps, the last one a short one
    data = np.random.default_rng(0).integers(0, 256, (3, 7, 5 * GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    values = ours.dequantized(data, kind)
    assert values.dtype == torch.float32
    assert np.array_equal(values.numpy(), dequantize(data, kind), equal_nan=True)


def test_a_file_of_k_kinds_is_the_network_of_its_numbers(tmp_path: Path) -> None:
    header = Header(tmp_path, hidden_size=256, intermediate_size=256, num_attention_heads=8, head_dim=32)
    kinds = itertools.cycle((GGMLQuantizationType.Q6_K, GGMLQuantizationType.Q4_K, GGMLQuantizationType.Q5_K))
    packed, plain = list(header.tensors), list(header.tensors)
    for i, (name, shape, _, _) in enumerate(header.tensors):
        if len(shape) == 2:
            kind, (columns, rows) = next(kinds), shape
            data = some_blocks(kind, rows, columns, seed=i)
            packed[i] = name, shape, int(kind), data
            plain[i] = name, shape, int(GGMLQuantizationType.F32), dequantize(data, kind)
    logits = []
    for name, tensors in (("packed", packed), ("plain", plain)):
        header.tensors = tensors
        (tmp_path / f"{name}.gguf").write_bytes(header.bytes())
        logits.append(load_model(tmp_path / f"{name}.gguf", device="cpu", dtype=torch.float32).forward(torch.arange(40)[None]))
    assert torch.equal(*logits) and logits[0].std() > 0.1


def test_packed_blocks_are_whole_rows_of_their_own() -> None:
    """A row of a single block is no view into the file, which is read-only and has scales between the codes."""
    for kind in (GGMLQuantizationType.Q4_0, GGMLQuantizationType.Q8_0):
        matrix = ours.packed(np.zeros((5, GGML_QUANT_SIZES[kind][1]), dtype=np.uint8), kind)
        assert matrix is not None and matrix.codes.is_contiguous()
