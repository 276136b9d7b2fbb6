"""Gemma 2, bottom-up: norm, rotary positions, MLP, attention, layer, network.

Parameter names are those of Hugging Face's checkpoints without the leading "model.". A layer norms before and after each of its
two halves. Norms, rotary positions, soft-caps and softmax are computed in fp32; matrix products, those of the attention scores and
of the output head among them, are in the weights' dtype, as in transformers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.attention import attention
from model.cache import KVCache
from model.config import Gemma2Config
from model.linear import Dense


class RMSNorm(nn.Module):
    """x / rms(x) * (1 + weight), in fp32 until the very end."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        y = x.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps)
        return (y * (1.0 + self.weight.float())).to(x.dtype)


def rotary(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """positions (B, T) -> cosines and sines, (B, 1, T, head_dim / 2) in fp32, of the angle by which each pair of dimensions turns."""
    exponent = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    angles = positions.float()[:, None, :, None] * theta**-exponent
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates x, (B, H, T, D): dimension i is paired with i + D / 2 (the "half-split" of Hugging Face's weights)."""
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


class MLP(nn.Module):
    """GeGLU: down(gelu_tanh(gate(x)) * up(x))."""

    def __init__(self, config: Gemma2Config) -> None:
        super().__init__()
        self.gate_proj = Dense(config.hidden_size, config.intermediate_size)
        self.up_proj = Dense(config.hidden_size, config.intermediate_size)
        self.down_proj = Dense(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.gelu(self.gate_proj(x), approximate="tanh") * self.up_proj(x))
        return out


class Attention(nn.Module):
    def __init__(self, config: Gemma2Config, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.head_dim = config.head_dim
        self.scale = config.query_pre_attn_scalar**-0.5
        self.softcap = config.attn_logit_softcapping
        self.window = config.sliding_window if config.is_sliding(layer) else None
        queries, keys = config.num_attention_heads * config.head_dim, config.num_key_value_heads * config.head_dim
        self.q_proj = Dense(config.hidden_size, queries)
        self.k_proj = Dense(config.hidden_size, keys)
        self.v_proj = Dense(config.hidden_size, keys)
        self.o_proj = Dense(queries, config.hidden_size)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, caches: Sequence[KVCache] | None, backend: str) -> Tensor:
        B, T, _ = x.shape
        q = rotate(self.q_proj(x).view(B, T, -1, self.head_dim).transpose(1, 2), cos, sin)  # (B, H, T, D)
        k = rotate(self.k_proj(x).view(B, T, -1, self.head_dim).transpose(1, 2), cos, sin)  # (B, KV, T, D)
        v = self.v_proj(x).view(B, T, -1, self.head_dim).transpose(1, 2)  # (B, KV, T, D)
        rows = [(q, k, v)]
        if caches is not None:  # each row has its own keys: (1, KV, S, D), S of any length
            kept = [cache.append(self.layer, k[i], v[i]) for i, cache in enumerate(caches)]
            rows = [(q[i, None], keys[None], values[None]) for i, (keys, values) in enumerate(kept)]
        y = torch.cat([attention(*row, scale=self.scale, softcap=self.softcap, window=self.window, backend=backend) for row in rows])
        out: Tensor = self.o_proj(y.transpose(1, 2).reshape(B, T, -1))
        return out


class Layer(nn.Module):
    def __init__(self, config: Gemma2Config, layer: int) -> None:
        super().__init__()
        self.self_attn = Attention(config, layer)
        self.mlp = MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.pre_feedforward_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_feedforward_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, caches: Sequence[KVCache] | None, backend: str) -> Tensor:
        x = x + self.post_attention_layernorm(self.self_attn(self.input_layernorm(x), cos, sin, caches, backend))
        x = x + self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(x)))
        return x


class Gemma2(nn.Module):
    def __init__(self, config: Gemma2Config, backend: str = "blocked") -> None:
        super().__init__()
        self.config = config
        self.backend = backend
        self.embed_tokens = Dense(config.hidden_size, config.vocab_size)
        self.layers = nn.ModuleList(Layer(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    @property
    def dtype(self) -> torch.dtype:
        return self.norm.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.norm.weight.device

    def embed(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> (B, T, hidden_size), in the weights' dtype."""
        x = self.embed_tokens.rows(ids).to(self.dtype)
        return x * torch.tensor(self.config.hidden_size**0.5, dtype=x.dtype)  # rounded to the weights' dtype, as in training

    def hidden(self, ids: Tensor, caches: Sequence[KVCache] | None = None) -> Tensor:
        """ids (B, T), read behind what each of B caches holds -> final hidden states (B, T, hidden_size), in the weights' dtype."""
        x = self.embed(ids)
        starts = torch.tensor([cache.length for cache in caches or ()] or [0], device=ids.device)
        positions = starts[:, None] + torch.arange(ids.shape[1], device=ids.device)
        cos, sin = rotary(positions, self.config.head_dim, self.config.rope_theta)
        for layer in self.layers:
            x = layer(x, cos, sin, caches, self.backend)
        for cache in caches or ():
            cache.advance(ids.shape[1])
        out: Tensor = self.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden_size) -> (..., vocab_size) in fp32, soft-capped. The output head is the embedding."""
        return self.capped(self.embed_tokens(hidden))

    def capped(self, logits: Tensor) -> Tensor:
        """The final soft-cap, in fp32."""
        cap = self.config.final_logit_softcapping
        return torch.tanh(logits.float() / cap) * cap

    def forward(self, ids: Tensor, caches: Sequence[KVCache] | None = None, logits_to_keep: int = 0) -> Tensor:
        """Logits for the last `logits_to_keep` positions (0: all). All of 8192 x 256,000 would take 8.4 GB."""
        return self.logits(self.hidden(ids, caches)[:, -logits_to_keep:])
