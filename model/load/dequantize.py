"""GGUF's quantised kinds back as plain numbers.

The gguf package turns every kind into numbers, 10 to 40 million a second. Those that people's Gemma 2 files are made of are done here,
some five times faster: a file's blocks are taken so few at a time that what lies between two steps stays in the cache.
"""

from collections.abc import Callable

import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import IQ4_NL, dequantize
from numpy.typing import NDArray
from torch import Tensor

from model.linear import Int4, Int8, Packed

_CODE_BYTES = {GGMLQuantizationType.IQ4_NL: 16, GGMLQuantizationType.Q4_0: 16, GGMLQuantizationType.Q8_0: 32}
_AT_ONCE = 1 << 15
"""Numbers that one thread of torch's takes alone: where other programs work, threads that wait for one another at each step took 30
times as long."""
_CODEBOOK = torch.tensor(IQ4_NL.kvalues, dtype=torch.float32)


def _half(blocks: Tensor, start: int) -> Tensor:
    """The fp16 number at byte `start` of each block, as fp32 (N, 1)."""
    return blocks[:, start : start + 2].contiguous().view(torch.float16).float()


def _nibbles(packed: Tensor) -> Tensor:
    """(N, groups, bytes) -> (N, groups, 2 * bytes): the lower four bits of a group's bytes, then the upper four."""
    return torch.cat((packed & 15, packed >> 4), dim=-1)


def _bf16(blocks: Tensor) -> Tensor:
    return blocks.view(torch.bfloat16).float()


def _q4_0(blocks: Tensor) -> Tensor:
    return (_nibbles(blocks[:, 2:]).float() - 8) * _half(blocks, 0)


def _iq4_nl(blocks: Tensor) -> Tensor:
    return _CODEBOOK.index_select(0, _nibbles(blocks[:, 2:]).view(-1).int()).view(-1, 32) * _half(blocks, 0)


def _q8_0(blocks: Tensor) -> Tensor:
    return blocks[:, 2:].view(torch.int8).float() * _half(blocks, 0)


def _scaled(codes: Tensor, blocks: Tensor) -> Tensor:
    """Codes (N, 8, 32) of Q4_K or Q5_K as numbers: each 32 have a scale and a minimum of 6 bits, packed into 12 bytes."""
    low, middle, high = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = torch.cat((low & 63, high & 15 | low >> 6 << 4), dim=1).float() * _half(blocks, 0)  # (N, 8)
    minima = torch.cat((middle & 63, high >> 4 | middle >> 6 << 4), dim=1).float() * _half(blocks, 2)
    return codes.float().mul_(scales[:, :, None]).sub_(minima[:, :, None])


def _q4_k(blocks: Tensor) -> Tensor:
    return _scaled(_nibbles(blocks[:, 16:].view(-1, 4, 32)).view(-1, 8, 32), blocks)


def _q5_k(blocks: Tensor) -> Tensor:
    fifth = blocks[:, None, 16:48] >> torch.arange(8, dtype=torch.uint8)[:, None] & 1  # (N, 8, 32)
    return _scaled(_nibbles(blocks[:, 48:].view(-1, 4, 32)).view(-1, 8, 32) | fifth << 4, blocks)


def _q6_k(blocks: Tensor) -> Tensor:
    low = _nibbles(blocks[:, :128].view(-1, 2, 64)).view(-1, 2, 4, 32)
    high = blocks[:, 128:192].view(-1, 2, 1, 32) >> torch.arange(0, 8, 2, dtype=torch.uint8)[:, None] & 3  # (N, 2, 4, 32)
    scales = blocks[:, 192:208].view(torch.int8).float() * _half(blocks, 208)  # (N, 16)
    return ((low | high << 4).view(-1, 16, 16).float() - 32).mul_(scales[:, :, None])


_FAST: dict[GGMLQuantizationType, Callable[[Tensor], Tensor]] = {
    GGMLQuantizationType.BF16: _bf16,
    GGMLQuantizationType.Q4_0: _q4_0,
    GGMLQuantizationType.IQ4_NL: _iq4_nl,
    GGMLQuantizationType.Q8_0: _q8_0,
    GGMLQuantizationType.Q4_K: _q4_k,
    GGMLQuantizationType.Q5_K: _q5_k,
    GGMLQuantizationType.Q6_K: _q6_k,
}


def dequantized(data: NDArray[np.generic], kind: GGMLQuantizationType) -> Tensor:
    """Blocks of a kind, (..., bytes a row), as fp32, (..., columns)."""
    if kind not in _FAST:
        return torch.from_numpy(np.require(dequantize(data, kind), np.float32, "W"))
    numbers, size = GGML_QUANT_SIZES[kind]
    blocks, step = data.reshape(-1, size), _AT_ONCE // numbers
    out = torch.empty(len(blocks), numbers)
    for start in range(0, len(blocks), step):
        some = torch.from_numpy(blocks[start : start + step].copy())  # a file is mapped read-only, which torch warns of
        out[start : start + step] = _FAST[kind](some).view(len(some), numbers)
    return out.view(*data.shape[:-1], -1)


def stays_packed(data: NDArray[np.generic], kind: GGMLQuantizationType) -> bool:
    """Whether it is a matrix of a kind that linear.py has."""
    return kind in _CODE_BYTES and data.ndim == 2


def packed(data: NDArray[np.uint8], kind: GGMLQuantizationType) -> Packed | None:
    """A matrix's blocks, (rows, bytes), as they are stored, where linear.py has their kind: a scale in fp16, then the codes."""
    if not stays_packed(data, kind):
        return None
    blocks = data.reshape(len(data), -1, 2 + _CODE_BYTES[kind])
    scales = torch.from_numpy(blocks[..., :2].copy().view(np.float16)[..., 0])
    codes = torch.from_numpy(np.ascontiguousarray(blocks[..., 2:].reshape(len(data), -1)))
    if kind == GGMLQuantizationType.Q8_0:
        return Int8(codes.view(torch.int8), scales)
    return Int4(codes, scales, _CODEBOOK if kind == GGMLQuantizationType.IQ4_NL else None)
