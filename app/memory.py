"""How much memory a Gemma 2 takes here, all that runs beside it included, and how much this machine has."""

import os
from collections.abc import Mapping
from pathlib import Path

from model import memory
from model.config import SHAPES, Gemma2Config

ROOM = 1_000_000_000
"""Bytes that torch, embedder and reader take beside a model, and that a disk should have free."""
_KINDS = {"bf16": None, "8 bits": "int8", "4 bits": "int4"}


def table() -> dict[str, dict[str, int]]:
    """Bytes that each size of Gemma 2 takes, in each kind of weights."""
    sizes = {size: SHAPES[size] for size in ("2b", "9b", "27b")}
    return {size: {told: memory.needed(shape, "bfloat16", kind) + ROOM for told, kind in _KINDS.items()} for size, shape in sizes.items()}


def needed(config: Gemma2Config, packed: Mapping[str, int] | None = None) -> int:
    """Bytes that a model takes, loaded as the settings say.

    Args:
        packed: see Checkpoint.
    """
    import torch

    from model.load.sources import kept_packed
    from model.settings import Settings

    settings = Settings()
    dtype = "float32" if settings.dtype == "float32" else "bfloat16"  # "auto" takes float32 only where there is room for it
    kept = kept_packed(_device(), getattr(torch, dtype), config, packed or {})
    return memory.needed(config, dtype, settings.quantize, kept) + ROOM


def here() -> int:
    """Bytes that the device has on which a model is run: the GPU's, or this machine's, in a container its share."""
    import torch

    from ingest.run.limits import memory

    return int(torch.cuda.get_device_properties(_device()).total_memory) if _device().startswith("cuda") else memory()


def free() -> int:
    """Those that programs can still take."""
    import torch

    if _device().startswith("cuda"):
        return int(torch.cuda.mem_get_info(_device())[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:")))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _device() -> str:
    from model.load.sources import resolve_device
    from model.settings import Settings

    return resolve_device(Settings().device)
