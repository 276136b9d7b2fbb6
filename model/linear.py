"""The matrices of a network, in plain numbers, 8 bits or 4: each multiplies its inputs, and gives the rows of tokens where it is the
embedding.

What is here is plain torch and runs anywhere: packed weights are made plain a block of rows at a time. A runner of one kind of device
(see engine.py) reads the packed ones themselves.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCK = 32
"""Neighbouring weights of a row that share a scale in 4 bits."""
_AT_ONCE = 1 << 24
"""Packed weights that are made plain at a time."""


class Dense(nn.Linear):
    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows, bias=False)

    @property
    def shape(self) -> torch.Size:
        """(rows, columns)."""
        return self.weight.shape

    def dense(self) -> Tensor:
        """(rows, columns)."""
        return self.weight.detach()

    def rows(self, ids: Tensor) -> Tensor:
        """ids (...) -> rows (..., columns)."""
        return F.embedding(ids, self.weight)


class Packed(nn.Module):
    """A matrix of `codes`, a row each, and their `scales`."""

    codes: Tensor
    scales: Tensor

    def __init__(self, codes: Tensor, scales: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)

    @property
    def shape(self) -> torch.Size:
        """(rows, columns)."""
        return self.codes.shape

    def rows(self, ids: Tensor) -> Tensor:
        """ids (...) -> rows (..., columns), in fp32."""
        return self.plain(self.codes[ids], self.scales[ids])

    def dense(self) -> Tensor:
        """(rows, columns), in fp32."""
        return self.plain(self.codes, self.scales)

    def forward(self, x: Tensor) -> Tensor:
        """(..., columns) -> (..., rows), in x's dtype."""
        return torch.cat([F.linear(x, self.plain(codes, scales).to(x.dtype)) for codes, scales in self._blocks()], dim=-1)

    def _blocks(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = max(1, _AT_ONCE // self.codes.shape[1])
        return zip(torch.split(self.codes, count), torch.split(self.scales, count), strict=True)

    def plain(self, codes: Tensor, scales: Tensor) -> Tensor:
        raise NotImplementedError


class Int8(Packed):
    """codes int8 (rows, columns), scales fp32 (rows,), or fp16 (rows, columns / 32) as in GGUF's Q8_0."""

    @classmethod
    def empty(cls, rows: int, columns: int, device: torch.device) -> "Int8":
        return cls(torch.empty(rows, columns, device=device, dtype=torch.int8), torch.empty(rows, device=device))

    @classmethod
    def of(cls, weight: Tensor) -> "Int8":
        weight = weight.float()
        scales = weight.abs().amax(1).clamp(min=1e-12) / 127
        return cls((weight / scales[:, None]).round().to(torch.int8), scales)

    def plain(self, codes: Tensor, scales: Tensor) -> Tensor:
        if scales.dim() < codes.dim():
            return codes.float() * scales[..., None]
        return (codes.view(*codes.shape[:-1], -1, BLOCK) * scales.float()[..., None]).flatten(-2)


class Int4(Packed):
    """codes uint8 (rows, columns / 2), scales fp16 (rows, columns / 32), and the 16 values that a code may stand for.

    A block of 32 columns is 16 bytes: column i lies in the lower half of byte i, column i + 16 in the upper one, as in GGUF files.
    """

    codebook: Tensor

    def __init__(self, codes: Tensor, scales: Tensor, codebook: Tensor | None = None) -> None:
        super().__init__(codes, scales)
        self.register_buffer("codebook", torch.arange(-8.0, 8.0).to(codes.device) if codebook is None else codebook)

    @property
    def shape(self) -> torch.Size:
        return torch.Size((self.codes.shape[0], 2 * self.codes.shape[1]))

    @classmethod
    def empty(cls, rows: int, columns: int, device: torch.device) -> "Int4":
        codes = torch.empty(rows, columns // 2, device=device, dtype=torch.uint8)
        return cls(codes, torch.empty(rows, columns // BLOCK, device=device, dtype=torch.float16))

    @classmethod
    def of(cls, weight: Tensor) -> "Int4":
        """Rounds to -8 ... 7 times a scale of each block, whose largest weight becomes -8."""
        rows, columns = weight.shape
        blocks = weight.float().view(rows, columns // BLOCK, BLOCK)
        largest = blocks.gather(2, blocks.abs().argmax(2, keepdim=True))
        scales = (largest / -8).half()
        plain = scales.float()
        codes = (blocks / torch.where(plain == 0, 1.0, plain)).round().clamp(-8, 7).to(torch.int8) + 8
        low, high = codes.to(torch.uint8).chunk(2, dim=2)
        return cls((low | high << 4).view(rows, columns // 2), scales.view(rows, -1))

    def plain(self, codes: Tensor, scales: Tensor) -> Tensor:
        blocks = codes.view(*codes.shape[:-1], -1, BLOCK // 2)
        values = self.codebook[torch.cat((blocks & 15, blocks >> 4), dim=-1).int()]  # (..., blocks, 32)
        return (values * scales.float()[..., None]).flatten(-2)
