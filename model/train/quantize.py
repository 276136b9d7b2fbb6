"""4-bit weights that change a model's answers least: GGUF's IQ4_NL, with GPTQ's error compensation.

A block of 32 weights is 16 bits of scale and 32 codes of 4 bits; a code is an index into CODEBOOK, whose values lie closer together
near zero, where most weights are. Columns are quantised one after another, and the error of each is compensated by the columns not
yet quantised, as well as their inputs (`input_hessians`) allow. GPTQ: Frantar et al., arXiv 2210.17323.
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
CODEBOOK = torch.tensor(IQ4_NL.kvalues, dtype=torch.float32)
_BOUNDARIES = (CODEBOOK[1:] + CODEBOOK[:-1]) / 2
SCALE_CANDIDATES = [sign * value for sign in (-1.0, 1.0) for value in torch.linspace(85, 135, 11).tolist()]
"""Values, in units of the scale, that a block's largest weight may take; the scale follows from it."""


@torch.inference_mode()
def input_hessians(network: Gemma2, texts: Iterable[Tensor]) -> dict[str, Tensor]:
    """The sum of x xᵀ over the inputs x of each matrix, (columns, columns), while the network reads texts of ids (T,).

    Returns:
        By the matrix's name. It is the Hessian, up to a factor, of the squared error of the matrix's output.
    """
    hessians: dict[str, Tensor] = {}

    def add(name: str, x: Tensor) -> None:
        x = x.flatten(0, -2).float()
        hessians[name] = hessians.get(name, torch.zeros(())) + x.T @ x

    def hook(name: str) -> Any:
        return lambda module, inputs, output: add(name, inputs[0])

    hooks = [m.register_forward_hook(hook(f"{name}.weight")) for name, m in network.named_modules() if isinstance(m, nn.Linear)]
    for ids in texts:
        add("embed_tokens.weight", network.hidden(ids[None]))
    for handle in hooks:
        handle.remove()
    head = hessians["embed_tokens.weight"]  # its rows are also looked up one by one, where all errors count alike
    head += head.diagonal().mean() * torch.eye(len(head))
    return hessians


def nearest_codes(weights: Tensor, scale: Tensor) -> Tensor:
    """The codes of the nearest values, as indices into CODEBOOK."""
    return torch.bucketize(weights / scale, _BOUNDARIES)


def block_scales(blocks: Tensor, importance: Tensor) -> Tensor:
    """The scale of each block, (N, 32), with the least squared error weighted by `importance`, (32,).

    Returns:
        (N, 1), rounded to fp16 and never 0.
    """
    absmax = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))  # with its sign
    absmax = torch.where(absmax == 0, 1e-8, absmax)
    best, least = torch.empty_like(absmax), torch.full_like(absmax, torch.inf)
    for candidate in SCALE_CANDIDATES:
        values = CODEBOOK[nearest_codes(blocks, absmax / candidate)]
        scale = (importance * blocks * values).sum(1, keepdim=True) / (importance * values.square()).sum(1, keepdim=True)
        error = (importance * (blocks - scale * values).square()).sum(1, keepdim=True)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    best = best.half().float()
    return torch.where(best == 0, 2.0**-24, best)


def gptq(weight: Tensor, hessian: Tensor) -> tuple[Tensor, Tensor]:
    """Quantises a matrix, (rows, columns), whose inputs have this Hessian, (columns, columns).

    Returns:
        Codes, (rows, columns), and scales, (rows, columns / 32).
    """
    rows, columns = weight.shape
    residual, codes, scales = weight.clone(), torch.empty(rows, columns, dtype=torch.long), torch.empty(rows, columns // BLOCK)
    damped = hessian + 0.01 * hessian.diagonal().mean() * torch.eye(columns)
    inverse_cholesky = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    for start in range(0, columns, BLOCK):
        here = slice(start, start + BLOCK)
        block, errors = residual[:, here], torch.empty(rows, BLOCK)  # a view: compensation within the block changes it
        scale = block_scales(block, inverse_cholesky.diagonal()[here].reciprocal().square())
        scales[:, start // BLOCK] = scale[:, 0]
        for n in range(BLOCK):
            column = start + n
            codes[:, column] = nearest_codes(block[:, n], scale[:, 0])
            errors[:, n] = (block[:, n] - scale[:, 0] * CODEBOOK[codes[:, column]]) / inverse_cholesky[column, column]
            block[:, n:] -= errors[:, n, None] * inverse_cholesky[column, column : start + BLOCK]
        residual[:, start + BLOCK :] -= errors @ inverse_cholesky[here, start + BLOCK :]
    return codes, scales


def pack_iq4_nl(codes: Tensor, scales: Tensor) -> NDArray[np.uint8]:
    """The bytes of a GGUF file, (rows, bytes): per block the scale in fp16, then 16 bytes, each of the two codes that lie 16 apart."""
    rows = len(codes)
    nibbles = codes.numpy().astype(np.uint8).reshape(rows, -1, 2, BLOCK // 2)
    heads = scales.numpy().astype(np.float16).view(np.uint8).reshape(rows, -1, 2)
    return np.concatenate([heads, nibbles[:, :, 0] | nibbles[:, :, 1] << 4], axis=2).reshape(rows, -1)
