"""How much memory a Gemma 2 takes, and how much this machine has for it."""

from model.config import SHAPES, Gemma2Config

SIZES = ("2b", "9b", "27b")
BITS = {"bf16": 16.0, "8 bits": 8.0, "4 bits": 4.5}
"""Of a weight; in 4 bits each block of 32 has a scale of 16."""
ROOM = 1_000_000_000
"""Bytes that torch, embedder and reader take beside it, and that a disk should have free."""
_CACHED = 2
"""Bytes of a number in the cache."""


def needed(config: Gemma2Config, bits: float) -> int:
    """Bytes: the weights, keys and values of a whole window, and what runs beside it."""
    values = config.cached_per_token * config.max_position_embeddings
    return int(config.num_parameters * bits / 8) + values * _CACHED + ROOM


def table() -> dict[str, dict[str, int]]:
    """Bytes that each size of Gemma 2 takes, in each kind of weights."""
    return {size: {kind: needed(SHAPES[size], bits) for kind, bits in BITS.items()} for size in SIZES}


def here() -> int:
    """Bytes that the device has on which a model is run: the GPU's, or this machine's, in a container its share."""
    import torch

    from ingest.run.limits import memory
    from model.load.sources import resolve_device
    from model.settings import Settings

    device = resolve_device(Settings().device)
    return int(torch.cuda.get_device_properties(device).total_memory) if device.startswith("cuda") else memory()
