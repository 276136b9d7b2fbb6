# mypy: ignore-errors
"""Triton kernels of a layer beside its matrices and its attention: norms around the residual stream, and GeGLU."""

import triton
import triton.language as tl

from model.gpu.common import GROUP, begin, gelu, rounded, wait


@triton.jit
def _rms(x, N: tl.constexpr, eps):
    return x * tl.rsqrt(tl.sum(x * x, 0) / N + eps)


@triton.jit(do_not_specialize=["rows"])
def add_norm(
    h, y, post, pre, x, codes, scales, rows, eps, N: tl.constexpr, SPLITS: tl.constexpr, BLOCK: tl.constexpr, PDL: tl.constexpr
):  # fmt: skip
    """h += norm(sum of y's shares) * (1 + post); x = norm(h) * (1 + pre), and in 8 bits where there are `codes`. A program a row.

    SPLITS 0: no y, h as it is.
    """
    begin(PDL)
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    inside = cols < N
    pre_weight = tl.load(pre + cols, inside, 0.0).to(tl.float32)
    if SPLITS:
        post_weight = tl.load(post + cols, inside, 0.0).to(tl.float32)
    wait(PDL)
    at = row.to(tl.int64) * N + cols
    state = tl.load(h + at, inside, 0.0).to(tl.float32)
    if SPLITS:
        total = tl.zeros((BLOCK,), tl.float32)
        for s in tl.static_range(SPLITS):
            total += tl.load(y + s * rows * N + at, inside, 0.0).to(tl.float32)
        state += _rms(total, N, eps) * (1 + post_weight)
        tl.store(h + at, state.to(h.dtype.element_ty), inside)
    normed = _rms(state, N, eps) * (1 + pre_weight)
    tl.store(x + at, normed.to(x.dtype.element_ty), inside)
    if codes is not None:
        group = tl.arange(0, BLOCK // GROUP)
        code, scale = rounded(normed.reshape(BLOCK // GROUP, GROUP))
        tl.store(codes + at, code.reshape(BLOCK), inside)
        tl.store(scales + row * (N // GROUP) + group, scale, group < N // GROUP)


@triton.jit
def geglu(x, N: tl.constexpr, BLOCK: tl.constexpr):
    """x (R, 2 N), gates beside ups: gelu(gate) * up takes the gates' place."""
    row = tl.program_id(0).to(tl.int64)
    cols = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    gate = tl.load(x + row * 2 * N + cols, cols < N, 0.0).to(tl.float32)
    up = tl.load(x + row * 2 * N + N + cols, cols < N, 0.0).to(tl.float32)
    tl.store(x + row * 2 * N + cols, (gelu(gate) * up).to(x.dtype.element_ty), cols < N)
