"""A step: up to sixteen tokens through the whole network, nine kernels a layer, captured as one CUDA graph.

It finds the texts' caches and lengths in a table on the device, so that one graph serves every text at every length.
"""

from typing import TYPE_CHECKING, Any

import torch
import triton
from torch import Tensor

from model.gpu import attention, products
from model.gpu.compiling import compile_all
from model.gpu.matrix import ROWS, Matrix, Vectors

if TYPE_CHECKING:
    from model.gpu.runner import Runner

_SHARES = 32
"""Shares of the keys, at most, in attend_few."""
_STAGES = 4
"""Blocks of a row on their way in a product."""
_TOGETHER = 4
"""Rows of x, at most, that a program multiplies with packed weights."""
_HEADS = 4
"""Heads that a program of rope_append turns."""


class Step:
    """T tokens more of B texts: a CUDA graph and the buffers that it works in."""

    def __init__(self, runner: "Runner", B: int, T: int) -> None:
        self.runner, self.B, self.T = runner, B, T
        c, s, R, layers, device = runner.config, runner.shape, B * T, runner.layers, runner.device
        packed = any(m.scales is not None for w in layers for m in (w.qkv, w.o, w.gate_up, w.down, runner.head))

        def sums(*shape: int) -> Tensor:
            return torch.zeros(shape, device=device)

        self.ids, self.table = (torch.zeros(B, width, device=device, dtype=torch.long) for width in (T, 3))
        self.h = sums(R, c.hidden_size)
        self.x, self.o, self.act = (
            Vectors.empty(R, width, device, packed) for width in (c.hidden_size, layers[0].o.columns, c.intermediate_size)
        )
        self.qkv = sums(max(w.qkv.shares for w in layers), R, layers[0].qkv.rows)
        self.y = sums(max(m.shares for w in layers for m in (w.o, w.down)), R, c.hidden_size)
        self.q = self.o.plain.new_empty(self.o.plain.shape)
        self.columns = max(16, triton.next_power_of_2(T * (s["H"] // s["KV"])))
        self.part = sums(B, s["KV"], _SHARES, self.columns, s["D"])
        self.sums = sums(B, s["KV"], _SHARES, self.columns)
        self.logits = sums(R, c.vocab_size)
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, ids: Tensor, table: Tensor) -> Tensor:
        """ids (up to B, T) and the table of B texts -> logits of the first ones."""
        self.ids[: len(ids)].copy_(ids, non_blocking=True)
        self.table.copy_(table, non_blocking=True)
        if self.graph is None:
            compile_all(self.runner.launches(self.launch), self.runner.gpu)
            self.launch()  # the graph then writes the same once more
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):  # other threads go on meanwhile
                self.launch()
        self.graph.replay()
        return self.logits.view(self.B, self.T, -1)[: len(ids)].clone()

    def launch(self) -> None:
        r, T, R, s = self.runner, self.T, self.B * self.T, self.runner.shape
        early = {"PDL": r.early, "launch_pdl": r.early}
        keys = min(64, 8192 // s["D"])
        self.h.copy_(r.embed(self.ids))
        y, post, shares = None, None, 1
        for number, w in enumerate(r.layers):
            r.add_norm(self.h, y, post, w.before_attention, self.x, shares)
            self._times(self.x, w.qkv, self.qkv, "sum")
            r.start(
                attention.rope_append, (R, triton.cdiv(s["H"] + 2 * s["KV"], _HEADS)), self.qkv, self.q, self.table, r.cos, r.sin,
                number, T, R, **s, SPLITS=w.qkv.shares, HEADS=_HEADS, **early,
            )  # fmt: skip
            r.start(
                attention.attend_few, (self.B, s["KV"], _SHARES), self.q, self.table, self.part, self.sums, number, T, w.window, r.scale,
                **s, CAP=r.config.attn_logit_softcapping, SPLITS=_SHARES, BQ=self.columns, BS=keys, **early,
            )  # fmt: skip
            r.start(
                attention.combine, (R, s["H"]), self.part, self.sums, self.o.plain, self.o.codes, self.o.scales, self.table, T, w.window,
                **s, SPLITS=_SHARES, BQ=self.columns, BS=keys, **early,
            )  # fmt: skip
            self._times(self.o, w.o, self.y, "sum")
            r.add_norm(self.h, self.y, w.after_attention, w.before_mlp, self.x, w.o.shares)
            self._times(self.x, w.gate_up, self.act.plain, "geglu")
            self._times(self.act, w.down, self.y, "sum")
            y, post, shares = self.y, w.after_mlp, w.down.shares
        r.add_norm(self.h, y, post, r.network.norm.weight.data, self.x, shares)
        self._times(self.x, r.head, self.logits, "cap")

    def _times(self, x: Vectors, m: Matrix, out: Tensor, end: str) -> None:
        r, R, shares = self.runner, self.B * self.T, m.shares if end == "sum" else 1
        codes, scales = (self.act.codes, self.act.scales) if end == "geglu" else (None, None)
        to = (out, codes, scales, R, r.config.final_logit_softcapping)
        options: dict[str, Any] = {"N": m.rows, "K": m.columns, "SPLITS": shares, "END": end, "BN": ROWS, "STAGES": _STAGES}
        options |= {"PDL": r.early, "launch_pdl": r.early}
        if m.scales is None:
            r.start(products.matvec, (m.rows // ROWS, shares), x.plain, m.weight, *to, BK=m.step, **options)
            return
        assert x.codes is not None
        together = min(_TOGETHER, triton.next_power_of_2(R))
        r.start(
            products.matvec_packed, (triton.cdiv(R, together), m.rows // ROWS, shares), x.codes.view(torch.int32), x.scales, m.weight,
            m.scales, *to, WORDS=m.words, GROUPED=m.scales.dim() == 2, ROWS=together, BG=m.step, **options,
        )  # fmt: skip
