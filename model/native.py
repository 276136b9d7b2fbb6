"""Gemma 2 on a CPU by native.c: compiled on first use where there is a C compiler, and else not used at all."""

import ctypes
import hashlib
import os
import platform
import subprocess
import tempfile
from ctypes import POINTER, c_float, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.cache import KVCache
from model.gemma2 import Gemma2, rotary

_SOURCE = Path(__file__).with_name("native.c")
_FLAGS = "-O3 -march=native -fopenmp -fno-math-errno -fno-trapping-math -fPIC -shared -Wno-psabi".split()


class _Matrix(ctypes.Structure):
    _fields_ = [(n, c_void_p) for n in ("codes", "scales", "values")] + [(n, c_int64) for n in ("kind", "rows", "columns")]


class _Layer(ctypes.Structure):
    _fields_ = [(n, _Matrix) for n in ("q", "k", "v", "o", "gate", "up", "down")] + [("norms", c_void_p * 4), ("window", c_int64)]


class _Network(ctypes.Structure):
    _fields_ = [
        *[(n, c_void_p) for n in ("layers", "norm", "turns")],
        ("embedding", _Matrix),
        *[(n, c_int64) for n in ("count", "hidden", "inner", "heads", "groups", "size")],
        *[(n, c_float) for n in ("epsilon", "scale", "softcap", "last_softcap", "embedding_scale")],
    ]


class _Cache(ctypes.Structure):
    _fields_ = [("store", c_void_p), ("lengths", c_void_p)] + [(n, c_int64) for n in ("rows", "capacity", "stride", "bf16")]


def matrix(owner: Any, keep: list[Any]) -> _Matrix:
    if hasattr(owner, "codebook"):
        values = owner.codebook.to(torch.int8)
        keep.append(values)
        return _Matrix(owner.codes.data_ptr(), owner.scales.data_ptr(), values.data_ptr(), 4, owner.codes.shape[0], owner.codes.shape[1] * 2)
    if hasattr(owner, "codes"):
        return _Matrix(owner.codes.data_ptr(), owner.scales.data_ptr(), None, 2, *owner.codes.shape)
    w = owner.weight
    return _Matrix(w.data_ptr(), None, None, int(w.dtype == torch.bfloat16), *w.shape)


class Runner:
    def __init__(self, network: Gemma2, lib: ctypes.CDLL, dtype: torch.dtype) -> None:
        c = network.config
        self.network, self.lib, self.dtype = network, lib, dtype
        self._keep: list[Any] = []
        self._layers = (_Layer * c.num_hidden_layers)()
        for i, layer in enumerate(network.layers):
            a, m, l = layer.self_attn, layer.mlp, self._layers[i]
            for name, owner in (("q", a.q_proj), ("k", a.k_proj), ("v", a.v_proj), ("o", a.o_proj), ("gate", m.gate_proj), ("up", m.up_proj), ("down", m.down_proj)):
                setattr(l, name, matrix(owner, self._keep))
            norms = (layer.input_layernorm, layer.post_attention_layernorm, layer.pre_feedforward_layernorm, layer.post_feedforward_layernorm)
            l.norms = (c_void_p * 4)(*[self._norm(n) for n in norms])
            l.window = c.sliding_window if c.is_sliding(i) else 1 << 40
        exponent = torch.arange(0, c.head_dim, 2, dtype=torch.float32) / c.head_dim
        turns = c.rope_theta**-exponent
        self._keep.append(turns)
        self.net = _Network(
            ctypes.addressof(self._layers), self._norm(network.norm), turns.data_ptr(), matrix(network.embed_tokens, self._keep),
            c.num_hidden_layers, c.hidden_size, c.intermediate_size, c.num_attention_heads, c.num_key_value_heads, c.head_dim,
            c.rms_norm_eps, c.query_pre_attn_scalar**-0.5, c.attn_logit_softcapping, c.final_logit_softcapping,
            torch.tensor(c.hidden_size**0.5, dtype=dtype).item(),
        )

    def _norm(self, norm: nn.Module) -> int:
        weight = 1.0 + norm.weight.detach().float()
        self._keep.append(weight)
        return weight.data_ptr()

    def __call__(self, ids: Tensor, cache: KVCache, logits_to_keep: int = 0) -> Tensor:
        B, T = ids.shape
        kept = logits_to_keep or T
        if B * T > self.lib.octavo_most():
            return torch.stack([self._read(ids[row], cache, kept) for row in range(B)])
        out = torch.empty(B, kept, self.net.embedding.rows)
        c = self._cache(cache)
        ids = ids.contiguous()
        self.lib.octavo_step(ctypes.byref(self.net), ctypes.byref(c), c_void_p(ids.data_ptr()), c_int64(T), c_int64(kept), c_void_p(out.data_ptr()))
        cache.advance(T)
        return out

    def _cache(self, cache: KVCache) -> _Cache:
        s = cache._store
        lengths = torch.tensor([cache.length] * s.shape[2])
        c = _Cache(s.data_ptr(), lengths.data_ptr(), s.shape[2], s.shape[4], s.stride(1), int(s.dtype == torch.bfloat16))
        c.keep = lengths
        return c

    def _read(self, ids: Tensor, cache: KVCache, kept: int) -> Tensor:
        n, lib, dtype, bf16 = self.net, self.lib, self.dtype, int(self.dtype == torch.bfloat16)
        T = len(ids)
        c = self._cache(cache)
        ref = ctypes.byref(n)
        net = self.network
        space = torch.empty(max(n.hidden * n.inner * 2, (n.heads + 2 * n.groups) * n.size * n.hidden), dtype=dtype)

        def times(h: Tensor, owners: list[Any], structs: list[_Matrix]) -> Tensor:
            if structs[0].kind < 2:
                return torch.cat([F.linear(h, o.weight) for o in owners], -1) if len(owners) > 1 else F.linear(h, owners[0].weight)
            rows, columns = sum(s.rows for s in structs), structs[0].columns
            plain = space[: rows * columns].view(rows, columns)
            at = 0
            for s in structs:
                lib.octavo_plain(ctypes.byref(s), c_int64(0), c_int64(s.rows), c_void_p(plain[at].data_ptr()), bf16)
                at += s.rows
            return F.linear(h, plain)

        x = torch.empty(T, n.hidden)
        for t in range(0, T):
            pass
        x = self.embed(ids)
        cos, sin = rotary(torch.arange(cache.length, cache.length + T), n.size, net.config.rope_theta)
        h = torch.empty(T, n.hidden, dtype=dtype)

        def add_norm(y: Tensor | None, after: int | None, before: int) -> None:
            lib.octavo_add_norm(c_void_p(x.data_ptr()), c_void_p(y.data_ptr() if y is not None else None), c_void_p(after), c_void_p(before), c_void_p(h.data_ptr()), bf16, c_int64(len(x)), c_int64(n.hidden), c_float(n.epsilon))

        add_norm(None, None, self._layers[0].norms[0])
        y = torch.empty(T, n.heads * n.size, dtype=dtype)
        for i, layer in enumerate(net.layers):
            l, a, m = self._layers[i], layer.self_attn, layer.mlp
            last = i + 1 == n.count
            skip = T - kept if last else 0
            qkv = times(h, [a.q_proj, a.k_proj, a.v_proj], [l.q, l.k, l.v])
            lib.octavo_attend(ref, ctypes.byref(c), c_int64(i), c_void_p(qkv.data_ptr()), c_void_p(y.data_ptr()), c_int64(T), c_int64(skip), c_void_p(cos.data_ptr()), c_void_p(sin.data_ptr()))
            if skip:
                x, h, y = x[skip:], h[skip:], y[skip:]
            add_norm(times(y, [a.o_proj], [l.o]), l.norms[1], l.norms[2])
            g = times(h, [m.gate_proj, m.up_proj], [l.gate, l.up])
            lib.octavo_geglu(c_void_p(g.data_ptr()), c_void_p(g[:, n.inner:].data_ptr()), bf16, c_int64(len(g)), c_int64(n.inner), c_int64(2 * n.inner))
            add_norm(times(g[:, : n.inner], [m.down_proj], [l.down]), l.norms[3], n.norm if last else self._layers[i + 1].norms[0])
        cache.advance(T)
        if len(h) <= 8:
            out = torch.empty(len(h), n.embedding.rows)
            lib.octavo_head(ref, c_void_p(h.data_ptr()), bf16, c_int64(len(h)), c_void_p(out.data_ptr()))
            return out
        return self.head(h)

    def embed(self, ids: Tensor) -> Tensor:
        out = torch.empty(len(ids), self.net.hidden)
        for t, i in enumerate(ids.tolist()):
            self.lib.octavo_plain(ctypes.byref(self.net.embedding), c_int64(i), c_int64(1), c_void_p(out[t].data_ptr()), 0)
        return out * self.net.embedding_scale

    def head(self, h: Tensor) -> Tensor:
        n = self.net
        outs = []
        step = 8192
        for at in range(0, n.embedding.rows, step):
            rows = min(step, n.embedding.rows - at)
            plain = torch.empty(rows, n.hidden, dtype=self.dtype)
            self.lib.octavo_plain(ctypes.byref(n.embedding), c_int64(at), c_int64(rows), c_void_p(plain.data_ptr()), int(self.dtype == torch.bfloat16))
            outs.append(F.linear(h, plain).float())
        return torch.tanh(torch.cat(outs, -1) / n.last_softcap) * n.last_softcap


def library(flags: list[str] = _FLAGS) -> ctypes.CDLL:
    for libgomp in (Path(torch.__file__).parent / "lib").glob("libgomp*"):
        ctypes.CDLL(str(libgomp), ctypes.RTLD_GLOBAL)
    out = Path(tempfile.mkdtemp()) / "native.so"
    subprocess.run(["cc", *flags, str(_SOURCE), "-o", str(out)], check=True)
    return ctypes.CDLL(str(out))
