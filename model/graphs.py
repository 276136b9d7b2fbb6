"""Gemma 2 on a GPU: what gemma2.py computes, by the kernels of kernels.py.

Up to sixteen tokens (the next ones of several texts, or a guess of some of one) are a `_Step`: nine kernels a layer, captured as one CUDA
graph. It finds the texts' caches and lengths in a table on the device, so that one graph serves every text at every length. More tokens
go through cuBLAS's matrix products, and the rest of a layer through four kernels. Torch's compiler has no part in it: Triton compiles a
kernel in about a second, and keeps it on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import triton
from torch import Tensor

from model import kernels
from model.cache import KVCache
from model.gemma2 import Gemma2, rotary
from model.linear import Dense, Int4, Int8

FEW = 16
"""Tokens that are read at the price of one: the tensor cores' narrowest products have as many columns."""
_ROWS = 64
"""Rows of a matrix that a program of matvec multiplies."""
_STAGES = {"bfloat16": 4, "int8": 4, "int4": 3}
"""Blocks of a row on their way in matvec, the best of several on an H100."""
_SHARES = 32
"""Shares of the keys, at most, in attend_few."""
_ATTENTION = {64: (128, 64, 3), 128: (128, 64, 3), 256: (128, 64, 2)}
"""Queries and keys of a tile and stages of attend_many for a head of so many dimensions, the best of ten on an H100."""
_SMALL_ATTENTION = {64: (64, 64, 2), 128: (64, 64, 2), 256: (64, 16, 2)}
"""Those that fit the 99 KB of shared memory that a program has on other cards."""
_MOST_CAP = 64
"""Soft-caps up to here: the sum of 2^20 exponentials of it is still a number."""


@dataclass(frozen=True)
class Matrix:
    """The weights of one linear module, or of several, one above the other."""

    weight: Tensor
    """(rows, columns); two columns a byte where it is int4 (see linear.py)."""
    scales: Tensor | None
    codebook: Tensor | None
    """None where the codes are -8 to 7."""
    kind: str
    rows: int
    columns: int

    @classmethod
    def of(cls, first: Any, *others: Any) -> "Matrix":
        """Moves the weights of modules of one kind together; the modules keep views of them."""
        modules = (first, *others)
        if isinstance(first, Dense):
            weight = _together(modules, "weight")
            return cls(weight, None, None, "bfloat16", *weight.shape)
        codes, scales = _together(modules, "codes"), _together(modules, "scales")
        if isinstance(first, Int8):
            return cls(codes, scales, None, "int8", *codes.shape)
        book = first.codebook.float()
        even = torch.equal(book, torch.arange(-8.0, 8.0, device=book.device))
        return cls(codes, scales, None if even else book, "int4", len(codes), codes.shape[1] * 2)

    @property
    def block(self) -> int:
        """Columns that a program of matvec takes at a time."""
        return 256 if self.kind == "int4" and self.columns % 256 == 0 else 128

    @property
    def shares(self) -> int:
        """Shares of the columns in matvec, so that there are programs for all multiprocessors; more where programs compute more."""
        wanted = {"bfloat16": 130, "int8": 520, "int4": 260}[self.kind]
        blocks = self.columns // self.block
        return next(s for s in range(1, blocks + 1) if blocks % s == 0 and (s == blocks or self.rows // _ROWS * s >= wanted))

    def times(self, x: Tensor) -> Tensor:
        """x (R, columns) -> (R, rows), for many rows of x."""
        if self.kind == "bfloat16":
            return x @ self.weight.T
        plain = torch.empty(self.rows, self.columns, device=x.device, dtype=x.dtype)
        kernels.unpack[(self.rows, triton.cdiv(self.columns, 1024))](
            self.weight, self.scales, self.codebook, plain, K=self.columns, KIND=self.kind, BLOCK=1024
        )  # fmt: skip
        return x @ plain.T


def _together(modules: Sequence[Any], name: str) -> Tensor:
    parts: list[Tensor] = [getattr(m, name).data for m in modules]
    if len(parts) == 1:
        return parts[0]
    whole = torch.cat(parts)
    for module, view in zip(modules, torch.split(whole, [len(part) for part in parts]), strict=True):
        getattr(module, name).data = view
    return whole


class _Weights:
    """A layer's matrices, those with the same input as one, and its norms."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.qkv, self.gate_up = (Matrix.of(*modules) for modules in _same_inputs(layer))
        self.o = Matrix.of(attention.o_proj)
        self.down = Matrix.of(mlp.down_proj)
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
        all(_alike(inputs) for layer in network.layers for inputs in _same_inputs(layer))
        and all(width % 128 == 0 for width in (c.hidden_size, c.intermediate_size, c.num_attention_heads * c.head_dim))
        and c.num_key_value_heads * c.head_dim % _ROWS == 0
        and c.vocab_size % _ROWS == 0
        and c.head_dim in _ATTENTION
        and c.attn_logit_softcapping <= _MOST_CAP
    )


def _same_inputs(layer: Any) -> tuple[tuple[Any, ...], ...]:
    attention, mlp = layer.self_attn, layer.mlp
    return (attention.q_proj, attention.k_proj, attention.v_proj), (mlp.gate_proj, mlp.up_proj)


def _alike(modules: Sequence[Any]) -> bool:
    """Whether they are packed in the same way."""
    first = modules[0]
    return all(type(m) is type(first) for m in modules) and (
        not isinstance(first, Int4) or all(torch.equal(m.codebook, first.codebook) for m in modules)
    )


class Runner:
    """Reads tokens as `Gemma2.forward` does."""

    def __init__(self, network: Gemma2) -> None:
        c, device = network.config, network.device
        self.network, self.config, self.device = network, c, device
        self.early = torch.cuda.get_device_capability(device) >= (9, 0)
        """Whether a kernel can start before its predecessor has ended."""
        self.layers = [_Weights(layer) for layer in network.layers]
        self.head = Matrix.of(network.embed_tokens)
        positions = torch.arange(c.max_position_embeddings, device=device)[None]
        self.cos, self.sin = (t.reshape(-1, c.head_dim // 2) for t in rotary(positions, c.head_dim, c.rope_theta))
        self.shape = {"H": c.num_attention_heads, "KV": c.num_key_value_heads, "D": c.head_dim}
        self.scale = c.query_pre_attn_scalar**-0.5
        properties: Any = torch.cuda.get_device_properties(device)
        roomy = properties.shared_memory_per_block_optin > 200_000
        self.tile = (_ATTENTION if roomy else _SMALL_ATTENTION)[c.head_dim]
        self._steps: dict[tuple[int, int], _Step] = {}

    def __call__(self, ids: Tensor, caches: Sequence[KVCache], logits_to_keep: int = 0) -> Tensor:
        """ids (B, T), read behind what each of B caches holds -> soft-capped logits (B, kept, vocab_size) in fp32."""
        B, T = ids.shape
        assert all(cache.length + T <= cache.capacity for cache in caches), "the cache is full"
        table = torch.tensor([(cache.store.data_ptr(), cache.capacity, cache.length) for cache in caches])
        if B * T <= FEW:
            if (B, T) not in self._steps:
                self._steps[B, T] = _Step(self, B, T)
            logits = self._steps[B, T](ids, table)[:, -logits_to_keep:]
        else:
            logits = self._read(ids, table.to(self.device, non_blocking=True), logits_to_keep or T)
        for cache in caches:
            cache.advance(T)
        return logits

    def add_norm(self, h: Tensor, y: Tensor | None, post: Tensor | None, pre: Tensor, x: Tensor, shares: int = 1) -> None:
        rows, N = h.shape
        kernels.add_norm[(rows,)](
            h, y, post, pre, x, rows, self.config.rms_norm_eps, N=N, SPLITS=shares if y is not None else 0, BLOCK=triton.next_power_of_2(N),
            PDL=self.early, num_warps=8, launch_pdl=self.early,
        )  # fmt: skip

    def _read(self, ids: Tensor, table: Tensor, kept: int) -> Tensor:
        """Many tokens. What the last layer does behind its keys and values is done for the kept ones alone."""
        B, T = ids.shape
        h = self.network.embed(ids).flatten(0, 1)  # (B * T, hidden_size)
        x = torch.empty_like(h)
        y, post = None, None
        for number, w in enumerate(self.layers):
            self.add_norm(h, y, post, w.before_attention, x)
            q = self._append(w.qkv.times(x), table, number, T)
            if number == len(self.layers) - 1 and kept < T:
                h, q = (t.view(B, T, -1)[:, T - kept :].reshape(B * kept, -1) for t in (h, q))
                table[:, 2] += T - kept
                T = kept
                x = torch.empty_like(h)
            y = w.o.times(self._attend(q, table, number, B, T))
            self.add_norm(h, y, w.after_attention, w.before_mlp, x)
            both = w.gate_up.times(x)
            act = both.new_empty(len(x), self.config.intermediate_size)
            kernels.geglu[(len(x), triton.cdiv(act.shape[1], 1024))](both, act, N=act.shape[1], BLOCK=1024)
            y, post = w.down.times(act), w.after_mlp
        self.add_norm(h, y, post, self.network.norm.weight.data, x)
        return self.network.logits(x.view(B, T, -1))

    def _append(self, qkv: Tensor, table: Tensor, layer: int, T: int) -> Tensor:
        """Puts keys and values into the caches; queries (B * T, H * D)."""
        s = self.shape
        q = qkv.new_empty(len(qkv), s["H"] * s["D"])
        heads = triton.next_power_of_2(s["H"] + 2 * s["KV"])
        kernels.rope_append[(len(qkv), 1)](qkv, q, table, self.cos, self.sin, layer, T, len(qkv), **s, SPLITS=1, HEADS=heads, PDL=False)
        return q

    def _attend(self, q: Tensor, table: Tensor, layer: int, B: int, T: int) -> Tensor:
        out = torch.empty_like(q)
        queries, keys, stages = self.tile
        kernels.attend_many[(triton.cdiv(T, queries), self.shape["H"], B)](
            q, table, out, layer, T, self.layers[layer].window, self.scale, **self.shape, CAP=self.config.attn_logit_softcapping,
            BM=queries, BN=keys, STAGES=stages, num_warps=queries // 16,
        )  # fmt: skip
        return out


class _Step:
    """T tokens more of B texts: a CUDA graph and the buffers that it works in."""

    def __init__(self, runner: Runner, B: int, T: int) -> None:
        self.runner, self.B, self.T = runner, B, T
        c, s, R, w = runner.config, runner.shape, B * T, runner.layers[0]

        def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(shape, device=runner.device, dtype=dtype)

        self.ids, self.table = empty(B, T, dtype=torch.long), empty(B, 3, dtype=torch.long)
        self.h, self.x = empty(R, c.hidden_size), empty(R, c.hidden_size, dtype=torch.bfloat16)
        self.qkv, self.y = empty(w.qkv.shares, R, w.qkv.rows), empty(max(w.o.shares, w.down.shares), R, c.hidden_size)
        self.q, self.o = (empty(R, w.o.columns, dtype=torch.bfloat16) for _ in range(2))
        self.columns = max(16, triton.next_power_of_2(T * (s["H"] // s["KV"])))
        self.part = empty(B, s["KV"], _SHARES, self.columns, s["D"])
        self.sums = empty(B, s["KV"], _SHARES, self.columns)
        self.act, self.logits = empty(R, c.intermediate_size, dtype=torch.bfloat16), empty(R, c.vocab_size)
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, ids: Tensor, table: Tensor) -> Tensor:
        self.ids.copy_(ids, non_blocking=True)
        self.table.copy_(table, non_blocking=True)
        if self.graph is None:
            self._launch()  # compiles; the graph then writes the same once more
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self._launch()
        self.graph.replay()
        return self.logits.view(self.B, self.T, -1).clone()

    def _launch(self) -> None:
        r, T, R, s = self.runner, self.T, self.B * self.T, self.runner.shape
        early = {"PDL": r.early, "launch_pdl": r.early}
        keys = min(64, 8192 // s["D"])
        heads = 4
        self.h.copy_(r.network.embed(self.ids).flatten(0, 1))
        y, post, shares = None, None, 1
        for number, w in enumerate(r.layers):
            r.add_norm(self.h, y, post, w.before_attention, self.x, shares)
            self._matvec(self.x, w.qkv, self.qkv, "sum")
            kernels.rope_append[(R, triton.cdiv(s["H"] + 2 * s["KV"], heads))](
                self.qkv, self.q, self.table, r.cos, r.sin, number, T, R, **s, SPLITS=w.qkv.shares, HEADS=heads, **early
            )  # fmt: skip
            kernels.attend_few[(self.B, s["KV"], _SHARES)](
                self.q, self.table, self.part, self.sums, number, T, w.window, r.scale, **s, CAP=r.config.attn_logit_softcapping,
                SPLITS=_SHARES, BQ=self.columns, BS=keys, **early,
            )  # fmt: skip
            kernels.combine[(R, s["H"])](
                self.part, self.sums, self.o, self.table, T, w.window, **s, SPLITS=_SHARES, BQ=self.columns, BS=keys, **early
            )  # fmt: skip
            self._matvec(self.o, w.o, self.y, "sum")
            r.add_norm(self.h, self.y, w.after_attention, w.before_mlp, self.x, w.o.shares)
            self._matvec(self.x, w.gate_up, self.act, "geglu")
            self._matvec(self.act, w.down, self.y, "sum")
            y, post, shares = self.y, w.after_mlp, w.down.shares
        r.add_norm(self.h, y, post, r.network.norm.weight.data, self.x, shares)
        self._matvec(self.x, r.head, self.logits, "cap")

    def _matvec(self, x: Tensor, m: Matrix, out: Tensor, end: str) -> None:
        r = self.runner
        kernels.matvec[(m.rows // _ROWS, m.shares if end == "sum" else 1)](
            x, m.weight, m.scales, m.codebook, out, self.B * self.T, r.config.final_logit_softcapping, N=m.rows, K=m.columns,
            SPLITS=m.shares if end == "sum" else 1, KIND=m.kind, END=end, BN=_ROWS, BK=m.block, STAGES=_STAGES[m.kind],
            PDL=r.early, launch_pdl=r.early,
        )  # fmt: skip
