"""Gemma 2 on a GPU: what gemma2.py computes, by kernels of our own.

Up to sixteen tokens (the next ones of several texts, or a guess of some of one) are a step (see step.py). More go through cuBLAS's matrix
products, and the rest of a layer through four kernels. Torch's compiler has no part in it: Triton compiles a kernel in about a second,
several side by side, and keeps it on disk.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import triton
from torch import Tensor

from model import gpu
from model.cache import KVCache
from model.gemma2 import Gemma2, rotary
from model.gpu import attention, compiling, norms
from model.gpu.compiling import Launch
from model.gpu.matrix import ROWS, Matrix, Vectors
from model.gpu.step import Step
from model.linear import Packed

FEW = 16
"""Tokens that are read at the price of one: the tensor cores' narrowest products have as many columns."""
_ATTENTION = {64: (128, 64, 3), 128: (128, 64, 3), 256: (128, 64, 2)}
"""Queries and keys of a tile and stages of attend_many for a head of so many dimensions, the best of ten on an H100."""
_SMALL_ATTENTION = {64: (64, 64, 2), 128: (64, 64, 2), 256: (64, 16, 2)}
"""Those that fit the 99 KB of shared memory that a program has on other cards."""
_MOST_CAP = 64
"""Soft-caps up to here: the sum of 2^20 exponentials of it is still a number."""


class Weights:
    """A layer's matrices, those with the same input as one, and its norms."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.qkv, self.o = Matrix.of(attention.q_proj, attention.k_proj, attention.v_proj), Matrix.of(attention.o_proj)
        self.gate_up, self.down = Matrix.of(mlp.gate_proj, mlp.up_proj), Matrix.of(mlp.down_proj)
        self.window = attention.window or 1 << 30
        self.before_attention = layer.input_layernorm.weight.data
        self.after_attention = layer.post_attention_layernorm.weight.data
        self.before_mlp = layer.pre_feedforward_layernorm.weight.data
        self.after_mlp = layer.post_feedforward_layernorm.weight.data


def runs(network: Gemma2) -> bool:
    """Whether `Runner` can read tokens with this network: bfloat16 or packed weights, in sizes that the kernels' tiles divide."""
    c = network.config
    if network.device.type != "cuda" or network.dtype != torch.bfloat16 or torch.cuda.get_device_capability(network.device) < (8, 0):
        return False
    return (
        all(gpu.reads(m) for m in network.modules() if isinstance(m, Packed))
        and all(width % 128 == 0 for width in (c.hidden_size, c.intermediate_size, c.num_attention_heads * c.head_dim))
        and c.num_key_value_heads * c.head_dim % ROWS == 0
        and c.vocab_size % ROWS == 0
        and c.head_dim in _ATTENTION
        and c.attn_logit_softcapping <= _MOST_CAP
    )


def _start(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
    kernel[grid](*arguments, **options)


class Runner:
    """Reads tokens as `Gemma2.forward` does."""

    def __init__(self, network: Gemma2, device: torch.device | None = None) -> None:
        """`device`: the GPU, where the network is only a drawing of one (see ahead.py)."""
        c = network.config
        self.network, self.config, self.device = network, c, network.device
        self.gpu = device or network.device
        self.early = torch.cuda.get_device_capability(self.gpu) >= (9, 0)
        """Whether a kernel can start before its predecessor has ended."""
        self.layers = [Weights(layer) for layer in network.layers]
        self.head = Matrix.of(network.embed_tokens)
        turns = rotary(torch.arange(c.max_position_embeddings)[None], c.head_dim, c.rope_theta)
        self.cos, self.sin = (t.reshape(-1, c.head_dim // 2).to(self.device) for t in turns)
        self.shape = {"H": c.num_attention_heads, "KV": c.num_key_value_heads, "D": c.head_dim}
        self.scale = c.query_pre_attn_scalar**-0.5
        properties: Any = torch.cuda.get_device_properties(self.gpu)
        self.tile = (_ATTENTION if properties.shared_memory_per_block_optin > 200_000 else _SMALL_ATTENTION)[c.head_dim]
        self.start: Any = _start
        self.spare = KVCache(c, FEW, self.device, torch.bfloat16)
        """For rows that belong to no text: a graph for 16 also serves 9."""
        self._steps: dict[tuple[int, int], Step] = {}

    def __call__(self, ids: Tensor, caches: Sequence[KVCache], logits_to_keep: int = 0) -> Tensor:
        """ids (B, T), read behind what each of B caches holds -> soft-capped logits (B, kept, vocab_size) in fp32."""
        B, T = ids.shape
        assert all(cache.length + T <= cache.capacity for cache in caches), "the cache is full"
        rows = triton.next_power_of_2(B)
        known = [(cache.store.data_ptr(), cache.capacity, cache.length) for cache in caches]
        with torch.cuda.device(self.gpu):
            compiling.wait()
            if rows * T <= FEW:
                table = torch.tensor(known + [(self.spare.store.data_ptr(), FEW, 0)] * (rows - B))
                if (rows, T) not in self._steps:
                    self._steps[rows, T] = Step(self, rows, T)
                logits = self._steps[rows, T](ids, table)[:, -logits_to_keep:]
            else:
                logits = self.network.capped(self.read(ids, torch.tensor(known, device=self.device), logits_to_keep or T))
        for cache in caches:
            cache.advance(T)
        return logits

    def launches(self, work: Callable[[], Any]) -> list[Launch]:
        """The kernels that `work` would start, each once."""
        found: dict[Any, Launch] = {}

        def note(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
            launch = Launch(kernel, grid, arguments, options)
            found.setdefault(launch.compiled_as, launch)

        self.start = note
        try:
            work()
        finally:
            self.start = _start
        return list(found.values())

    def add_norm(self, h: Tensor, y: Tensor | None, post: Tensor | None, pre: Tensor, x: Vectors, shares: int = 1) -> None:
        rows, N = h.shape
        self.start(
            norms.add_norm, (rows,), h, y, post, pre, x.plain, x.codes, x.scales, rows, self.config.rms_norm_eps, N=N,
            SPLITS=shares if y is not None else 0, BLOCK=triton.next_power_of_2(N), PDL=self.early, num_warps=8, launch_pdl=self.early,
        )  # fmt: skip

    def read(self, ids: Tensor, table: Tensor, kept: int) -> Tensor:
        """Many tokens -> logits (B, kept, vocab_size), not yet capped. What the last layer does behind its keys and values is done for
        the kept tokens alone."""
        B, T = ids.shape
        h = self.embed(ids)  # (B * T, hidden_size)
        x = h.new_empty(h.shape)
        y, post = None, None
        for number, w in enumerate(self.layers):
            self.add_norm(h, y, post, w.before_attention, Vectors(x))
            q = self._append(w.qkv.times(self.start, x), table, number, T)
            if number == len(self.layers) - 1 and kept < T:
                h, q = (t.view(B, T, -1)[:, T - kept :].reshape(B * kept, -1) for t in (h, q))
                table[:, 2] += T - kept
                T = kept
                x = h.new_empty(h.shape)
            y = w.o.times(self.start, self._attend(q, table, number, B, T))
            self.add_norm(h, y, w.after_attention, w.before_mlp, Vectors(x))
            both, inner = w.gate_up.times(self.start, x), self.config.intermediate_size
            self.start(norms.geglu, (len(both), triton.cdiv(inner, 1024)), both, N=inner, BLOCK=1024)
            y, post = w.down.times(self.start, both[:, :inner]), w.after_mlp
            del both  # the largest of all, before the next layer makes its own
        self.add_norm(h, y, post, self.network.norm.weight.data, Vectors(x))
        return self.head.times(self.start, x).view(B, T, -1)

    def embed(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> (B * T, hidden_size); of a drawing (see ahead.py) only the shape."""
        shape = ids.numel(), self.config.hidden_size
        return ids.new_empty(shape, dtype=torch.bfloat16) if ids.is_meta else self.network.embed(ids).view(shape)

    def _append(self, qkv: Tensor, table: Tensor, layer: int, T: int) -> Tensor:
        """Puts keys and values into the caches; queries (B * T, H * D)."""
        s = self.shape
        q = qkv.new_empty(len(qkv), s["H"] * s["D"])
        heads = triton.next_power_of_2(s["H"] + 2 * s["KV"])
        self.start(
            attention.rope_append, (len(qkv), 1), qkv, q, table, self.cos, self.sin, layer, T, len(qkv),
            **s, SPLITS=1, HEADS=heads, PDL=False,
        )  # fmt: skip
        return q

    def _attend(self, q: Tensor, table: Tensor, layer: int, B: int, T: int) -> Tensor:
        out = q.new_empty(q.shape)
        queries, keys, stages = self.tile
        self.start(
            attention.attend_many, (triton.cdiv(T, queries), self.shape["H"], B), q, table, out, layer, T, self.layers[layer].window,
            self.scale, **self.shape, CAP=self.config.attn_logit_softcapping, BM=queries, BN=keys, STAGES=stages, num_warps=queries // 16,
        )  # fmt: skip
        return out
