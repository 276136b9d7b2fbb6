"""The KV cache of one sequence: keys and values already computed. Every layer keeps all of them, so that a text can be cut back anywhere.

A batch is a list of caches. Each has its own length and capacity, so sequences join and leave a batch without anything being moved.
"""

import torch
from torch import Tensor

from model.config import Gemma2Config


class KVCache:
    """Room for `capacity` tokens: 2 * layers * KV * head_dim * 2 bytes each in bf16 (2B: 106 kB, starter: 12 kB)."""

    def __init__(self, config: Gemma2Config, capacity: int, device: torch.device, dtype: torch.dtype) -> None:
        shape = (config.num_hidden_layers, 2, config.num_key_value_heads, capacity, config.head_dim)
        self.store = torch.empty(shape, device=device, dtype=dtype)  # (layer, k or v, KV, capacity, D)
        self.capacity = capacity
        self.length = 0

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Appends k and v, (KV, T, D), to a layer's; returns all of that layer's, (KV, length + T, D).

        `length` changes only with `advance`, once every layer has appended.
        """
        end = self.length + k.shape[1]
        assert end <= self.capacity, "the cache is full"
        keys, values = self.store[layer]
        keys[:, self.length : end] = k
        values[:, self.length : end] = v
        return keys[:, :end], values[:, :end]

    def advance(self, tokens: int) -> None:
        self.length += tokens

    def truncate(self, length: int) -> None:
        """Forgets everything behind the first `length` tokens."""
        assert 0 <= length <= self.length
        self.length = length
