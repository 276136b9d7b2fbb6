"""Muon: each step goes along the orthogonal matrix nearest to a matrix's momentum (Jordan 2024; Liu et al., arXiv 2502.16982).

torch.optim.Muon computes the same, which a test checks, but matrix by matrix in some 2,000 small kernels: 33 of the 150 ms of the
starter's step. Here matrices of one shape are computed together.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Jordan's coefficients: after five iterations every singular value is near enough to 1."""


def orthogonal(matrices: Tensor) -> Tensor:
    """(N, rows, columns) -> the same with singular values of about 1, by five Newton-Schulz iterations in bf16."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """For matrices only. Updates are scaled to the size of AdamW's, so that one rate and decay suit both."""

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float = 0.1, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        assert closure is None
        for group in self.param_groups:
            shapes: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault(p.shape, []).append((p, p.grad))
            for shape, pairs in shapes.items():
                alike, gradients = [p for p, _ in pairs], [gradient for _, gradient in pairs]
                momenta = [self.state[p].setdefault("momentum_buffer", torch.zeros_like(p)) for p in alike]
                torch._foreach_lerp_(momenta, gradients, 1.0 - group["momentum"])
                ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov's
                updates = orthogonal(torch.stack(ahead)).float().unbind()
                torch._foreach_mul_(alike, 1.0 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(alike, updates, alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)
