"""The network on an NVIDIA GPU, by Triton kernels: see runner.py, and docs/engine.md."""

import logging
from functools import cache
from importlib.util import find_spec

import torch

from model.linear import Int4, Packed

_log = logging.getLogger(__name__)


@cache
def usable() -> bool:
    """Whether Triton is here and can build what starts its kernels, for which it needs a C compiler."""
    if find_spec("triton") is None:
        return False
    from triton.runtime import driver

    try:
        driver.active.get_current_device()
    except Exception as error:  # no compiler, no Python headers: Triton raises what it meets
        _log.info("no kernels of our own for this GPU: %s", error)
        return False
    return True


def reads(matrix: Packed) -> bool:
    """Whether there are kernels for weights that are packed so: in 4 bits their codes must stand for -8 to 7."""
    return not isinstance(matrix, Int4) or torch.equal(matrix.codebook, torch.arange(-8.0, 8.0, device=matrix.codebook.device))
