"""A reader's file: its matrices in 8 bits with a scale for each row, half of what bf16 takes; heads and biases in bf16."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

_SCALE = ".scale"
_LEVELS = 127


def save(tensors: Mapping[str, Tensor], file: Path) -> None:
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        value = tensor.detach().float().cpu()
        if min(value.shape) < 8:
            stored[name] = value.to(torch.bfloat16).contiguous()
            continue
        scale = value.abs().amax(1, keepdim=True).clamp_min(1e-12) / _LEVELS
        stored[name] = (value / scale).round().to(torch.int8).contiguous()
        stored[name + _SCALE] = scale
    save_file(stored, file)


def load(file: Path) -> dict[str, Tensor]:
    """All tensors in fp32.

    Raises:
        OSError, SafetensorError: it can't be read.
    """
    stored = load_file(file)
    return {name: t.float() * stored.get(name + _SCALE, torch.ones(())) for name, t in stored.items() if not name.endswith(_SCALE)}
