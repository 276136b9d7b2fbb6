# mypy: ignore-errors
"""What the kernels share: how one starts before its predecessor has ended, and how a vector is rounded for packed weights.

Every kernel of a step says at once that its successor may start (programmatic dependent launch) and waits for its predecessor only where
it needs its result; what comes before that, the fetch of the first weights among it, runs beside the predecessor.
"""

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

LOG2E = tl.constexpr(1.4426950408889634)
GROUP = tl.constexpr(32)
"""Neighbouring numbers that share a scale (see linear.py)."""


@triton.jit
def begin(PDL: tl.constexpr):
    if PDL:
        gdc_launch_dependents()


@triton.jit
def wait(PDL: tl.constexpr):
    if PDL:
        gdc_wait()


@triton.jit
def gelu(x):
    """The tanh form, which is x times a sigmoid."""
    return x / (1 + tl.exp2(-LOG2E * 1.5957691216057308 * (x + 0.044715 * x * x * x)))


@triton.jit
def rounded(x):
    """x (blocks, 32) in 8 bits, and the scale of each block."""
    scales = tl.max(tl.abs(x), 1) / 127
    codes = tl.floor(x / tl.where(scales > 0, scales, 1.0)[:, None] + 0.5)
    return codes.to(tl.int8), scales
