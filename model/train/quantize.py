"""Weights in 4 bits that spoil a model's answers least: IQ4_NL of GGUF, rounded column by column with the errors passed on.

A block of 32 numbers is 16 steps of one scale, closer together about zero, where most weights are. Rounding a column makes an
error; the columns not yet rounded are moved so that, on the inputs that the matrix sees (`second_moments`), their sum makes up
for it (GPTQ, Frantar et al., arXiv 2210.17323).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from gguf.quants import IQ4_NL
from numpy.typing import NDArray
from torch import Tensor, nn

from model.gemma2 import Gemma2

BLOCK = 32
STEPS = torch.tensor(IQ4_NL.kvalues, dtype=torch.float32)
_BETWEEN = (STEPS[1:] + STEPS[:-1]) / 2
_REACHES = [sign * reach for sign in (-1.0, 1.0) for reach in torch.linspace(85, 135, 11).tolist()]
"""Where the number of a block that is furthest from zero may come to lie."""


@torch.inference_mode()
def second_moments(network: Gemma2, texts: Iterable[Tensor]) -> dict[str, Tensor]:
    """By each matrix' name: the sum of x xᵀ over its inputs x, (in, in), while the network reads texts of ids (T,)."""
    moments: dict[str, Tensor] = {}

    def note(name: str, x: Tensor) -> None:
        x = x.flatten(0, -2).float()
        moments[name] = moments.get(name, torch.zeros(())) + x.T @ x

    def noting(name: str) -> Any:
        return lambda module, inputs, output: note(name, inputs[0])

    hooks = [m.register_forward_hook(noting(f"{name}.weight")) for name, m in network.named_modules() if isinstance(m, nn.Linear)]
    for ids in texts:
        note("embed_tokens.weight", network.hidden(ids[None]))
    for hook in hooks:
        hook.remove()
    head = moments["embed_tokens.weight"]  # its rows are also read one by one, where all errors count alike
    head += head.diagonal().mean() * torch.eye(len(head))
    return moments


def steps_of(numbers: Tensor, scale: Tensor) -> Tensor:
    """The nearest steps, as numbers of STEPS."""
    return torch.bucketize(numbers / scale, _BETWEEN)


def scales_of(blocks: Tensor, weight: Tensor) -> Tensor:
    """The scale of each block (N, 32) with the least squared error, weighed by (32,); (N, 1), not 0, in what an fp16 can say."""
    furthest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    furthest = torch.where(furthest == 0, 1e-8, furthest)
    best, least = torch.empty_like(furthest), torch.full_like(furthest, torch.inf)
    for reach in _REACHES:
        steps = STEPS[steps_of(blocks, furthest / reach)]
        scale = (weight * blocks * steps).sum(1, keepdim=True) / (weight * steps.square()).sum(1, keepdim=True)
        error = (weight * (blocks - scale * steps).square()).sum(1, keepdim=True)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    best = best.half().float()
    return torch.where(best == 0, 2.0**-24, best)


def rounded(matrix: Tensor, moments: Tensor) -> tuple[Tensor, Tensor]:
    """Steps (rows, columns) and scales (rows, columns / 32) for a matrix (rows, columns) whose inputs have these second moments."""
    rows, columns = matrix.shape
    left, steps, scales = matrix.clone(), torch.empty(rows, columns, dtype=torch.long), torch.empty(rows, columns // BLOCK)
    damped = moments + 0.01 * moments.diagonal().mean() * torch.eye(columns)
    passed = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    for start in range(0, columns, BLOCK):
        here = slice(start, start + BLOCK)
        block, errors = left[:, here], torch.empty(rows, BLOCK)  # a view: what is passed on within the block arrives
        scale = scales_of(block, passed.diagonal()[here].reciprocal().square())
        scales[:, start // BLOCK] = scale[:, 0]
        for n in range(BLOCK):
            at = start + n
            steps[:, at] = steps_of(block[:, n], scale[:, 0])
            errors[:, n] = (block[:, n] - scale[:, 0] * STEPS[steps[:, at]]) / passed[at, at]
            block[:, n:] -= errors[:, n, None] * passed[at, at : start + BLOCK]
        left[:, start + BLOCK :] -= errors @ passed[here, start + BLOCK :]
    return steps, scales


def packed(steps: Tensor, scales: Tensor) -> NDArray[np.uint8]:
    """As the file has them: per block the scale in fp16, then 16 bytes, each of two steps 16 apart; (rows, bytes)."""
    rows = len(steps)
    nibbles = steps.numpy().astype(np.uint8).reshape(rows, -1, 2, BLOCK // 2)
    heads = scales.numpy().astype(np.float16).view(np.uint8).reshape(rows, -1, 2)
    return np.concatenate([heads, nibbles[:, :, 0] | nibbles[:, :, 1] << 4], axis=2).reshape(rows, -1)
