"""Gemma 2 on a GPU: the same numbers as gemma2.py's, by the kernels of kernels.py.

Up to sixteen tokens (one of each of several texts, or a guess of several of one) take nine kernels a layer, captured as one CUDA graph for
each shape. The graph finds the caches and their lengths in a table on the device, so that one graph serves every text at every length.
More tokens go through cuBLAS's matrix products with a few kernels between them. Nothing here waits for torch's compiler: a kernel takes
about a second to compile, once (Triton keeps them on disk).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import triton
from torch import Tensor, nn

from model import kernels
from model.cache import KVCache
from model.gemma2 import Gemma2, Layer, rotary
from model.linear import Dense, Int4, Int8

FEW = 16
"""Tokens that are read at the price of one: the narrowest product of a tensor core has about as many columns."""
SPLITS = 32
"""Shares of the keys in attend_few."""


@dataclass(frozen=True)
class Matrix:
    """Weights of one or several linear modules, one above the other in one buffer."""

    weight: Tensor  # (rows, columns), or (rows, columns / 2) where it is int4
    scales: Tensor | None
    codebook: Tensor | None
    kind: str
    rows: int
    columns: int

    @classmethod
    def of(cls, *modules: nn.Module) -> "Matrix":
        """Moves the modules' weights together; the modules keep views of them."""
        first = modules[0]
        if isinstance(first, Dense):
            weight = _together([m.weight for m in modules])
            return cls(weight, None, None, "bfloat16", *weight.shape)
        codes, scales = _together([m.codes for m in modules]), _together([m.scales for m in modules])
        if isinstance(first, Int8):
            return cls(codes, scales, None, "int8", *codes.shape)
        even = bool((first.codebook == torch.arange(-8.0, 8.0, device=codes.device)).all())
        return cls(codes, scales, None if even else first.codebook, "int4", codes.shape[0], codes.shape[1] * 2)

    @property
    def block(self) -> int:
        return 256 if self.kind == "int4" and self.columns % 256 == 0 else BK

    @property
    def splits(self) -> int:
        """Shares of the columns, so that there are at least two programs a multiprocessor."""
        blocks = self.columns // self.block
        return next(s for s in range(1, blocks + 1) if blocks % s == 0 and (s == blocks or self.rows // 64 * s >= TARGET))


TARGET = 130


def _together(parts: Sequence[Tensor]) -> Tensor:
    if len(parts) == 1:
        return parts[0].data
    whole = torch.cat([p.data for p in parts])
    for part, view in zip(parts, whole.split([len(p) for p in parts]), strict=True):
        part.data = view
    return whole


class _Weights:
    """A layer's matrices, fused, and its norms."""

    def __init__(self, layer: Layer) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.qkv = Matrix.of(attention.q_proj, attention.k_proj, attention.v_proj)
        self.o = Matrix.of(attention.o_proj)
        self.gate_up = Matrix.of(mlp.gate_proj, mlp.up_proj)
        self.down = Matrix.of(mlp.down_proj)
        self.window = attention.window
        self.before_attention = layer.input_layernorm.weight.data
        self.after_attention = layer.post_attention_layernorm.weight.data
        self.before_mlp = layer.pre_feedforward_layernorm.weight.data
        self.after_mlp = layer.post_feedforward_layernorm.weight.data


class Runner:
    def __init__(self, network: Gemma2) -> None:
        self.network = network
        self.config = network.config
        self.pdl = torch.cuda.get_device_capability(network.device) >= (9, 0)
        self.layers = [_Weights(layer) for layer in network.layers]
        self.head = Matrix.of(network.embed_tokens)
        positions = torch.arange(self.config.max_position_embeddings, device=network.device)[None]
        self.cos, self.sin = (
            t.view(-1, self.config.head_dim // 2).contiguous() for t in rotary(positions, self.config.head_dim, self.config.rope_theta)
        )
        self.shape = {"H": self.config.num_attention_heads, "KV": self.config.num_key_value_heads, "D": self.config.head_dim}
        self.scale = self.config.query_pre_attn_scalar**-0.5
        self._steps: dict[tuple[int, int], _Step] = {}

    def __call__(self, ids: Tensor, caches: Sequence[KVCache], logits_to_keep: int) -> Tensor:
        B, T = ids.shape
        table = torch.tensor([(c.store.data_ptr(), c.capacity, c.length) for c in caches])
        for cache in caches:
            assert cache.length + T <= cache.capacity, "the cache is full"
        if B * T <= FEW:
            step = self._steps.get((B, T)) or self._steps.setdefault((B, T), _Step(self, B, T))
            out = step(ids, table)
        else:
            out = self._many(ids, table.to(ids.device), logits_to_keep)
        for cache in caches:
            cache.advance(T)
        return out[:, -logits_to_keep:]

    def embed(self, ids: Tensor) -> Tensor:
        """(rows, hidden_size)"""
        x = self.network.embed_tokens.rows(ids.view(-1)).to(self.network.dtype)
        return x * torch.tensor(self.config.hidden_size**0.5, dtype=x.dtype)

    def add_norm(self, h: Tensor, y: Tensor | None, post: Tensor | None, pre: Tensor, x: Tensor, splits: int) -> None:
        rows, N = h.shape
        block = triton.next_power_of_2(N)
        kernels.add_norm[(rows,)](
            h, y, post, pre, x, rows, self.config.rms_norm_eps, N=N, SPLITS=splits, BLOCK=block, PDL=self.pdl, num_warps=NORM_WARPS, launch_pdl=self.pdl
        )  # fmt: skip

    def _many(self, ids: Tensor, table: Tensor, logits_to_keep: int) -> Tensor:
        B, T = ids.shape
        c, s, device = self.config, self.shape, ids.device
        H, KV, D = s["H"], s["KV"], s["D"]
        R = B * T
        h = self.embed(ids)
        x, q, o = (
            torch.empty_like(h),
            torch.empty(R, H, D, device=device, dtype=h.dtype),
            torch.empty(R, H, D, device=device, dtype=h.dtype),
        )
        act = torch.empty(R, c.intermediate_size, device=device, dtype=h.dtype)
        y, post = None, None
        BM, BN, warps, stages = ATTENTION[D]
        for i, w in enumerate(self.layers):
            self.add_norm(h, y, post, w.before_attention, x, 0 if y is None else 1)
            qkv = x @ w.qkv.weight.T
            kernels.rope_append[(R, 1)](
                qkv, q, table, self.cos, self.sin, i, T, R, **s, SPLITS=1, HEADS=triton.next_power_of_2(H + 2 * KV), PDL=False, num_warps=4
            )
            kernels.attend_many[(triton.cdiv(T, BM), H, B)](
                q, table, o, i, T, w.window or 1 << 30, self.scale, **s, CAP=c.attn_logit_softcapping, BM=BM, BN=BN, STAGES=stages, num_warps=warps, **EXTRA
            )  # fmt: skip
            y = o.view(R, H * D) @ w.o.weight.T
            self.add_norm(h, y, w.after_attention, w.before_mlp, x, 1)
            both = x @ w.gate_up.weight.T
            kernels.geglu[(R, triton.cdiv(c.intermediate_size, 1024))](both, act, N=c.intermediate_size, BLOCK=1024, num_warps=4)
            y, post = act @ w.down.weight.T, w.after_mlp
        self.add_norm(h, y, post, self.network.norm.weight.data, x, 1)
        return self.network.logits(x.view(B, T, -1)[:, -logits_to_keep:])


ATTENTION = {256: (128, 64, 8, 2), 128: (128, 64, 8, 2)}
EXTRA: dict[str, int] = {}


class _Step:
    """B texts, T tokens more of each: a CUDA graph and the buffers that it works in."""

    def __init__(self, runner: Runner, B: int, T: int) -> None:
        self.runner, self.B, self.T = runner, B, T
        c, R, device, dtype = runner.config, B * T, runner.network.device, runner.network.dtype
        H, KV, D = runner.shape["H"], runner.shape["KV"], runner.shape["D"]

        def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.empty(shape, device=device, dtype=dtype)

        self.ids = torch.zeros(B, T, device=device, dtype=torch.long)
        self.table = torch.zeros(B, 3, device=device, dtype=torch.long)
        self.BQ = max(16, triton.next_power_of_2(T * (H // KV)))
        self.h, self.x = empty(R, c.hidden_size), empty(R, c.hidden_size, dtype=dtype)
        w = runner.layers[0]
        self.qkv, self.q, self.o = empty(w.qkv.splits, R, w.qkv.rows), empty(R, H, D, dtype=dtype), empty(R, H * D, dtype=dtype)
        self.part, self.sums = empty(B, KV, SPLITS, self.BQ, D), empty(B, KV, SPLITS, self.BQ)
        self.done = torch.zeros(B, KV, device=device, dtype=torch.int32)
        self.y = empty(max(w.o.splits, w.down.splits), R, c.hidden_size)
        self.act = empty(R, c.intermediate_size, dtype=dtype)
        self.logits = empty(R, c.vocab_size)
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, ids: Tensor, table: Tensor) -> Tensor:
        self.ids.copy_(ids)
        self.table.copy_(table)
        if self.graph is None:
            self.run()  # compiles; what it writes is written again
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.run()
        self.graph.replay()
        return self.logits.view(self.B, self.T, -1).clone()

    def matvec(self, x: Tensor, m: Matrix, out: Tensor, end: str) -> None:
        r = self.runner
        splits = m.splits if end == "sum" else 1
        kernels.matvec[(m.rows // 64, splits)](
            x, m.weight, m.scales, m.codebook, out, self.B * self.T, r.config.final_logit_softcapping, N=m.rows, K=m.columns, SPLITS=splits,
            KIND=m.kind, END=end, BN=64, BK=m.block, AHEAD=AHEAD, STAGES=STAGES, PDL=r.pdl, num_warps=4, launch_pdl=r.pdl,
        )  # fmt: skip

    def run(self) -> None:
        r, B, T, R, s = self.runner, self.B, self.T, self.B * self.T, self.runner.shape
        pdl = {"PDL": r.pdl, "launch_pdl": r.pdl}
        self.h.copy_(r.embed(self.ids))
        splits, post = 0, None
        for i, w in enumerate(r.layers):
            window = w.window or 1 << 30
            r.add_norm(self.h, self.y, post, w.before_attention, self.x, splits)
            self.matvec(self.x, w.qkv, self.qkv, "sum")
            kernels.rope_append[(R, triton.cdiv(s["H"] + 2 * s["KV"], HEADS))](
                self.qkv, self.q, self.table, r.cos, r.sin, i, T, R, **s, SPLITS=w.qkv.splits, HEADS=HEADS, **pdl, num_warps=4
            )  # fmt: skip
            kernels.attend_few[(B, s["KV"], SPLITS)](
                self.q, self.table, self.o, self.part, self.sums, self.done, i, T, window, r.scale, **s,
                CAP=r.config.attn_logit_softcapping, SPLITS=SPLITS, BQ=self.BQ, BS=BS, LEAST=LEAST, STAGES=FEW_STAGES, FUSED=FUSED, **pdl, num_warps=FEW_WARPS,
            )  # fmt: skip
            if not FUSED:
                kernels.combine[(R, s["H"])](
                    self.part,
                    self.sums,
                    self.o,
                    self.table,
                    T,
                    window,
                    **s,
                    SPLITS=SPLITS,
                    BQ=self.BQ,
                    BS=BS,
                    LEAST=LEAST,
                    **pdl,
                    num_warps=4,
                )
            self.matvec(self.o, w.o, self.y, "sum")
            r.add_norm(self.h, self.y, w.after_attention, w.before_mlp, self.x, w.o.splits)
            self.matvec(self.x, w.gate_up, self.act, "geglu")
            self.matvec(self.act, w.down, self.y, "sum")
            splits, post = w.down.splits, w.after_mlp
        r.add_norm(self.h, self.y, post, r.network.norm.weight.data, self.x, splits)
        self.matvec(self.x, r.head, self.logits, "cap")


STAGES, BK = 4, 128
HEADS, BS, LEAST, FEW_STAGES, FEW_WARPS, FUSED, NORM_WARPS = 4, 32, 32, 2, 4, False, 8
AHEAD = 3
"""Cache lines of each row that a program of matvec fetches ahead."""
