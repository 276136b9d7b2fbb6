"""Training with the weights that the exported file will have: a model that learns in 4 bits loses less to them.

Q4_0 keeps blocks of 32 numbers as 16 steps of one scale. Forwards and back each matrix holds its rounded values; the gradient is
taken as that of the exact ones (the straight-through estimator, Bengio et al., arXiv 1308.3432), which the optimizer moves.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

BLOCK = 32


def rounded(matrix: Tensor) -> Tensor:
    """A matrix as Q4_0 would give it back: per block the number furthest from zero is -8 steps, the scale is an fp16."""
    blocks = matrix.view(-1, BLOCK)
    furthest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = furthest / -8
    steps = torch.where(scale == 0, 0.0, blocks / scale).add_(8.5).floor_().clamp_(0, 15).sub_(8)
    return steps.mul_(scale.half().to(matrix.dtype)).view_as(matrix)


@contextmanager
def in_four_bits(network: nn.Module) -> Iterator[None]:
    """Inside, the network's matrices are rounded; their gradients stay when they are exact again."""
    matrices = [p for p in network.parameters() if p.dim() > 1]
    exact = [p.data.clone() for p in matrices]
    for p, whole in zip(matrices, exact, strict=True):
        p.data.copy_(rounded(whole))
    try:
        yield
    finally:
        for p, whole in zip(matrices, exact, strict=True):
            p.data.copy_(whole)
