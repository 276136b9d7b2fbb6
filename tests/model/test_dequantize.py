"""Quantised kinds become the numbers that the gguf package makes of them."""

import numpy as np
import pytest
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

from model.load import dequantize as ours


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")  # among random bytes are scales that are no numbers
@pytest.mark.parametrize("kind", [*ours._FAST, GGMLQuantizationType.Q3_K], ids=lambda kind: kind.name)
def test_blocks_become_the_numbers_that_gguf_makes_of_them(kind: GGMLQuantizationType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_AT_ONCE", 4 * 256)  # so that these few rows take several steps, the last one a short one
    data = np.random.default_rng(0).integers(0, 256, (3, 7, 5 * GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    values = ours.dequantized(data, kind)
    assert values.dtype == torch.float32
    assert np.array_equal(values.numpy(), dequantize(data, kind), equal_nan=True)
