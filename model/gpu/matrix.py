"""A layer's matrices as the kernels read them, and the vectors that they are multiplied with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import triton
from torch import Tensor

from model.gpu import products
from model.linear import BLOCK, Dense

ROWS = 64
"""Rows of a matrix that a program multiplies: half of them make one group of GeGLU's results."""
_COLUMNS = 128
"""Columns of plain weights that a program takes at a time."""
_GROUPS = {4: 16, 8: 8}
"""Groups of packed weights that a program takes at a time, by their words."""
_PROGRAMS = {0: 130, 4: 260, 8: 520}
"""Programs that keep an H100's multiprocessors busy, by the words of a group; 0: plain weights."""
_PLAIN = 1 << 26
"""Packed weights that are made plain at a time, for many rows of x."""
_BYTES = 1024
"""Bytes of packed weights that a program makes plain."""


@dataclass(frozen=True)
class Vectors:
    """Rows of x, (R, K): in bfloat16, and where packed weights read them also in 8 bits with a scale for each 32."""

    plain: Tensor
    codes: Tensor | None = None
    scales: Tensor | None = None

    @classmethod
    def empty(cls, R: int, K: int, device: torch.device, packed: bool) -> "Vectors":
        plain = torch.empty(R, K, device=device, dtype=torch.bfloat16)
        if not packed:
            return cls(plain)
        return cls(plain, torch.empty(R, K, device=device, dtype=torch.int8), torch.empty(R, K // BLOCK, device=device))


@dataclass(frozen=True)
class Matrix:
    """The weights of one linear module, or of several, one above the other."""

    weight: Tensor
    """(rows, columns), or packed: (rows, words), of 4 bytes each, as linear.py lays them out."""
    scales: Tensor | None
    """Of packed weights: of each row, (rows,), or of each group, (rows, columns / 32)."""
    rows: int
    columns: int

    @classmethod
    def of(cls, *modules: Any) -> "Matrix":
        """Moves the weights of modules together; the modules keep views of them. Those of several kinds are made plain."""
        rows, columns = sum(m.shape[0] for m in modules), modules[0].shape[1]
        if not _alike(modules):
            return cls(torch.cat([m.dense().to(torch.bfloat16) for m in modules]), None, rows, columns)
        if isinstance(modules[0], Dense):
            return cls(_together(modules, "weight"), None, rows, columns)
        return cls(_together(modules, "codes").view(torch.int32), _together(modules, "scales"), rows, columns)

    @property
    def words(self) -> int:
        """4 or 8 words make a group of 32 packed weights; 0 where they are plain."""
        return 0 if self.scales is None else self.weight.shape[1] * BLOCK // self.columns

    @property
    def step(self) -> int:
        """Columns, or groups of packed ones, that a program takes at a time."""
        if not self.words:
            return _COLUMNS
        groups = self.columns // BLOCK
        return next(step for step in (16, 8, 4) if step <= _GROUPS[self.words] and groups % step == 0)

    @property
    def shares(self) -> int:
        """Shares of the columns, so that there are programs for all multiprocessors."""
        steps = self.columns // (self.step * (BLOCK if self.words else 1))
        return next(s for s in range(1, steps + 1) if steps % s == 0 and (s == steps or self.rows // ROWS * s >= _PROGRAMS[self.words]))

    def times(self, launch: Any, x: Tensor) -> Tensor:
        """x (R, columns) -> (R, rows), for many rows of x; of a drawing (see ahead.py) only the shape."""
        if self.scales is None:
            return x.new_empty(len(x), self.rows) if x.is_meta else x @ self.weight.T
        out = x.new_empty(len(x), self.rows)
        count = min(self.rows, _PLAIN // self.columns // ROWS * ROWS)  # cuBLAS is three times as slow where rows begin at odd addresses
        plain = x.new_empty(count, self.columns)
        codes = self.weight.view(torch.int8)
        for at in range(0, self.rows, count):
            weight, scales = codes[at : at + count], self.scales[at : at + count]
            launch(
                products.unpack, (len(weight), triton.cdiv(codes.shape[1], _BYTES)), weight, scales, plain,
                K=self.columns, FOUR=self.words == 4, GROUPED=scales.dim() == 2, BLOCK=_BYTES,
            )  # fmt: skip
            if not x.is_meta:
                torch.mm(x, plain[: len(weight)].T, out=out[:, at : at + len(weight)])
        return out


def _alike(modules: Sequence[Any]) -> bool:
    """Whether they are stored in the same way."""
    first = modules[0]
    return all(type(m) is type(first) and (isinstance(m, Dense) or m.scales.dim() == first.scales.dim()) for m in modules)


def _together(modules: Sequence[Any], name: str) -> Tensor:
    parts: list[Tensor] = [getattr(m, name).data for m in modules]
    if len(parts) == 1:
        return parts[0]
    whole = parts[0].new_empty(sum(map(len, parts)), *parts[0].shape[1:])
    for module, part, view in zip(modules, parts, torch.split(whole, [len(part) for part in parts]), strict=True):
        view.copy_(part)
        getattr(module, name).data = view
    return whole
