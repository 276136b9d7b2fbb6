"""Weights in 8 and 4 bits: what they stand for, and that they multiply as that would."""

from pathlib import Path
from typing import Any

import pytest
import torch

from model import load_model
from model.linear import Int4, Int8, Packed


@pytest.mark.parametrize(("kind", "error"), [(Int8, 0.008), (Int4, 0.1)])
def test_a_packed_matrix_is_near_its_weights_and_multiplies_as_what_it_stands_for(kind: type[Int8 | Int4], error: float) -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(48, 96), torch.randn(5, 96)
    packed = kind.of(weight)
    assert isinstance(packed, Packed)
    plain = packed.dense()
    assert (plain - weight).norm() / weight.norm() <= error
    assert torch.allclose(packed(x), x @ plain.T, atol=1e-4)
    assert torch.equal(packed.rows(torch.tensor([[3, 7]])), plain[[3, 7]][None])


def test_rows_of_zeros_stay_zeros() -> None:
    for kind in (Int8, Int4):
        assert not kind.of(torch.zeros(2, 32)).dense().any()


def test_a_matrix_of_many_blocks_is_multiplied_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    packed, x = Int4.of(torch.randn(50, 64)), torch.randn(3, 64)
    whole = packed(x)
    monkeypatch.setattr("model.linear._AT_ONCE", 32 * 7)
    assert torch.allclose(packed(x), whole, atol=1e-5)


def test_a_four_bit_code_lies_where_gguf_files_have_it() -> None:
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    weight = torch.randn(4, 64)
    stored = torch.from_numpy(quantize(weight.numpy(), GGMLQuantizationType.Q4_0)).view(4, 2, 18)
    scales = stored[..., :2].contiguous().view(torch.float16)[..., 0]
    packed = Int4(stored[..., 2:].reshape(4, 32), scales)
    expected = dequantize(stored.view(4, -1).numpy(), GGMLQuantizationType.Q4_0)
    assert torch.allclose(packed.dense(), torch.from_numpy(expected))
    assert torch.allclose(Int4.of(weight).dense(), packed.dense(), atol=2e-2)


@pytest.mark.parametrize(("quantize", "bound"), [("int8", 0.02), ("int4", 1.5)])
def test_a_packed_model_answers_nearly_alike(pair: tuple[Any, Path], quantize: Any, bound: float) -> None:
    ids = torch.randint(0, 320, (2, 40))
    exact = load_model(pair[1], device="cpu", dtype=torch.float32).forward(ids).log_softmax(-1)
    packed = load_model(pair[1], device="cpu", dtype=torch.float32, quantize=quantize)
    assert {type(m) for m in packed.network.modules() if isinstance(m, Packed)} == ({Int8} if quantize == "int8" else {Int8, Int4})
    divergence = (exact.exp() * (exact - packed.forward(ids).log_softmax(-1))).sum(-1).mean().item()
    assert 0 < divergence <= bound
    assert len(list(packed.generate([2, 40, 50], 5, stop_ids=()))) == 5
