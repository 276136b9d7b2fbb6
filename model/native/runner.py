"""The network in C: what engine.py calls in the place of the torch network."""

import ctypes
from collections.abc import Sequence
from ctypes import byref, c_float, c_int64, c_void_p
from typing import Any

import torch
from torch import Tensor, nn

from model.cache import KVCache
from model.config import Gemma2Config
from model.gemma2 import Gemma2, RMSNorm
from model.linear import Dense, Int4, Int8, Packed

_STEP = 16
"""Tokens that are read by one call; more are multiplied by torch."""
_EVERYTHING = 1 << 40


_ARGUMENTS = {
    "octavo_turned": "piip",
    "octavo_embed": "ppip",
    "octavo_add_norm": "ppppppi",
    "octavo_geglu": "pppipi",
    "octavo_attend": "ppipppii",
    "octavo_multiply": "ppipip",
    "octavo_head": "ppip",
    "octavo_step": "ppipiip",
}
"""Of each function in network.c: p, a pointer, or i, a whole number."""


class _Matrix(ctypes.Structure):
    _fields_ = [*[(n, c_void_p) for n in ("codes", "scales", "values")], *[(n, c_int64) for n in ("kind", "rows", "columns")]]


class _Layer(ctypes.Structure):
    _fields_ = [*[(n, _Matrix) for n in ("q", "k", "v", "o", "gate", "up", "down")], ("norms", c_void_p * 4), ("window", c_int64)]


class _Network(ctypes.Structure):
    _fields_ = [
        *[(n, c_void_p) for n in ("layers", "norm", "turns")],
        ("embedding", _Matrix),
        *[(n, c_int64) for n in ("count", "hidden", "inner", "heads", "groups", "size", "bf16", "threads")],
        *[(n, c_float) for n in ("epsilon", "scale", "softcap", "last_softcap", "embedding_scale")],
    ]


class _Cache(ctypes.Structure):
    _fields_ = [("store", c_void_p), ("length", c_int64), ("capacity", c_int64)]


def runs(config: Gemma2Config) -> bool:
    """Whether network.c is made for these sizes: all that were published are."""
    c = config
    sizes = (c.hidden_size, c.intermediate_size, c.num_attention_heads * c.head_dim)
    return all(size % 64 == 0 for size in sizes) and c.head_dim % 32 == 0 and c.attn_logit_softcapping <= 60


class Runner:
    """A network on the CPU, read by network.c. Its weights stay where they are."""

    def __init__(self, network: Gemma2, library: ctypes.CDLL) -> None:
        c = network.config
        assert runs(c)
        self._network, self._library = network, library
        self._tiles = bool(library.octavo_tiles())
        for name, kinds in _ARGUMENTS.items():
            if hasattr(library, name):  # some processors have no tiles
                getattr(library, name).argtypes = [c_void_p if kind == "p" else c_int64 for kind in kinds]
        self._held: list[Tensor] = []  # what C has the addresses of
        self._layers = (_Layer * c.num_hidden_layers)(*[self._layer(layer) for layer in network.layers])
        exponent = torch.arange(0, c.head_dim, 2, dtype=torch.float32) / c.head_dim
        self._c = _Network(
            *(ctypes.addressof(self._layers), self._norm(network.norm), self._hold(c.rope_theta**-exponent)),
            self._matrix(network.embed_tokens),
            *(c.num_hidden_layers, c.hidden_size, c.intermediate_size, c.num_attention_heads, c.num_key_value_heads, c.head_dim),
            *(network.dtype == torch.bfloat16, 1),
            *(c.rms_norm_eps, c.query_pre_attn_scalar**-0.5, c.attn_logit_softcapping, c.final_logit_softcapping),
            torch.tensor(c.hidden_size**0.5, dtype=network.dtype).item(),  # rounded as gemma2.py does
        )

    def _hold(self, tensor: Tensor) -> int:
        self._held.append(tensor)
        return tensor.data_ptr()

    def _norm(self, norm: RMSNorm) -> int:
        return self._hold(1.0 + norm.weight.detach().float())

    def _matrix(self, module: nn.Module) -> _Matrix:
        if isinstance(module, Int4):
            codes, values = module.codes.contiguous(), self._hold(module.codebook.to(torch.int8))
            return _Matrix(self._hold(codes), self._hold(module.scales.contiguous()), values, 4, codes.shape[0], codes.shape[1] * 2)
        if isinstance(module, Int8):
            kind = 2 if module.scales.dim() == 1 else 3
            return _Matrix(self._hold(module.codes.contiguous()), self._hold(module.scales.contiguous()), None, kind, *module.codes.shape)
        assert isinstance(module, Dense)
        weight = module.weight.detach().contiguous()
        return _Matrix(self._hold(weight), None, None, int(weight.dtype == torch.bfloat16), *weight.shape)

    def _layer(self, layer: Any) -> _Layer:
        a, m = layer.self_attn, layer.mlp
        matrices = [self._matrix(w) for w in (a.q_proj, a.k_proj, a.v_proj, a.o_proj, m.gate_proj, m.up_proj, m.down_proj)]
        norms = (layer.input_layernorm, layer.post_attention_layernorm, layer.pre_feedforward_layernorm, layer.post_feedforward_layernorm)
        return _Layer(*matrices, (c_void_p * 4)(*[self._norm(n) for n in norms]), a.window or _EVERYTHING)

    def __call__(self, ids: Tensor, caches: Sequence[KVCache], logits_to_keep: int) -> Tensor:
        B, T = ids.shape
        kept = logits_to_keep or T
        self._c.threads = torch.get_num_threads()
        if B * T <= _STEP:
            logits = self._step(ids.contiguous(), caches, kept)
        else:
            logits = torch.stack([self._read(row, cache, kept) for row, cache in zip(ids, caches, strict=True)])
        for cache in caches:
            cache.advance(T)
        return logits

    def _caches(self, caches: Sequence[KVCache], tokens: int) -> ctypes.Array[_Cache]:
        assert all(cache.length + tokens <= cache.capacity for cache in caches), "a cache is full"
        return (_Cache * len(caches))(*[_Cache(cache.store.data_ptr(), cache.length, cache.capacity) for cache in caches])

    def _step(self, ids: Tensor, caches: Sequence[KVCache], kept: int) -> Tensor:
        B, T = ids.shape
        logits = torch.empty(B, kept, self._c.embedding.rows)
        self._library.octavo_step(byref(self._c), self._caches(caches, T), B, ids.data_ptr(), T, kept, logits.data_ptr())
        return logits

    def _read(self, ids: Tensor, cache: KVCache, kept: int) -> Tensor:
        """Logits (kept, vocab_size) behind the last of ids (T,)."""
        c, call, T, dtype = byref(self._c), self._library, len(ids), self._network.dtype
        caches, sizes = self._caches([cache], T), self._c
        x = torch.empty(T, sizes.hidden)  # the residual stream, in fp32
        h = torch.empty(T, sizes.hidden, dtype=dtype)
        y = torch.empty(T, sizes.heads * sizes.size, dtype=dtype)
        turned = torch.empty(2, T, sizes.size // 2)
        call.octavo_turned(c, cache.length, T, turned.data_ptr())
        call.octavo_embed(c, ids.data_ptr(), T, x.data_ptr())
        call.octavo_add_norm(c, x.data_ptr(), None, None, self._layers[0].norms[0], h.data_ptr(), T)
        layer: Any
        for i, layer in enumerate(self._network.layers):
            stored, a, m, last = self._layers[i], layer.self_attn, layer.mlp, i + 1 == sizes.count
            qkv = self._times(h, stored.q, a.q_proj, a.k_proj, a.v_proj)
            skipped = T - kept if last else 0  # behind the last layer's keys only those count whose logits are asked for
            call.octavo_attend(c, caches, i, qkv.data_ptr(), turned.data_ptr(), y.data_ptr(), T, skipped)
            x, h, y = x[skipped:], h[skipped:], y[skipped:]
            o = self._times(y, stored.o, a.o_proj)
            call.octavo_add_norm(c, x.data_ptr(), o.data_ptr(), stored.norms[1], stored.norms[2], h.data_ptr(), len(x))
            both = self._times(h, stored.gate, m.gate_proj, m.up_proj)
            inner = torch.empty(len(h), sizes.inner, dtype=dtype)
            call.octavo_geglu(c, both.data_ptr(), both[:, sizes.inner :].data_ptr(), both.shape[1], inner.data_ptr(), len(h))
            o, after = self._times(inner, stored.down, m.down_proj), sizes.norm if last else self._layers[i + 1].norms[0]
            call.octavo_add_norm(c, x.data_ptr(), o.data_ptr(), stored.norms[3], after, h.data_ptr(), len(x))
        logits = torch.empty(len(h), sizes.embedding.rows)
        call.octavo_head(c, h.data_ptr(), len(h), logits.data_ptr())
        return logits

    def _times(self, x: Tensor, first: _Matrix, *modules: nn.Module) -> Tensor:
        """x (T, columns) times some matrices, side by side: (T, rows of all). C has them one behind the other, from `first` on."""
        matrices = (_Matrix * len(modules)).from_address(ctypes.addressof(first))
        if all(isinstance(m, Packed) for m in modules) or (x.dtype == torch.bfloat16 and self._tiles):
            out = torch.empty(len(x), sum(m.rows for m in matrices), dtype=x.dtype)
            self._library.octavo_multiply(byref(self._c), matrices, len(modules), x.data_ptr(), len(x), out.data_ptr())
            return out
        parts = [m(x) if isinstance(m, Dense) else self._times(x, matrix, m) for m, matrix in zip(modules, matrices, strict=True)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
