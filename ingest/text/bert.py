"""BERT's encoder as functions of a dictionary of weights, named as Hugging Face names them.

The weights come in from outside because a reader's are the embedder's plus a difference that training moves: nothing here
need know how they came about. MPNet differs by a bias on attention that depends on distance; a teacher may be one.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

Weights = Mapping[str, Tensor]

_LINEAR = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_DISTANCE = "encoder.relative_attention_bias.weight"


@dataclass(frozen=True)
class Shape:
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def read(cls, file: Path) -> "Shape":
        config = json.loads(file.read_text(encoding="utf-8"))
        return cls(config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"])

    def linear(self) -> list[str]:
        """The names of all matrices that multiply, embeddings not among them."""
        return [f"encoder.layer.{n}.{name}.weight" for n in range(self.layers) for name in _LINEAR]


@cache
def read_weights(directory: Path) -> Weights:
    """The encoder in a folder of Hugging Face's layout, without what only pools or classifies; in fp32, read once a process."""
    tensors = load_file(directory / "model.safetensors")
    return {name: t.float() for name, t in tensors.items() if name.startswith(("embeddings.", "encoder.")) and t.is_floating_point()}


def layer(x: Tensor, mask: Tensor | None, weights: tuple[Tensor, ...], heads: int, epsilon: float, dropout: float) -> Tensor:
    """One layer: x is (batch, length, hidden), the mask is added to the attention's scores."""
    q_w, q_b, k_w, k_b, v_w, v_b, o_w, o_b, up_w, up_b, down_w, down_b, n1_w, n1_b, n2_w, n2_b = weights
    batch, length, hidden = x.shape

    def split(y: Tensor) -> Tensor:
        return y.view(batch, length, heads, hidden // heads).transpose(1, 2)

    q, k, v = split(F.linear(x, q_w, q_b)), split(F.linear(x, k_w, k_b)), split(F.linear(x, v_w, v_b))
    seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
    seen = F.linear(seen.transpose(1, 2).reshape(batch, length, hidden), o_w, o_b)
    x = F.layer_norm(x + F.dropout(seen, dropout, dropout > 0), (hidden,), n1_w, n1_b, epsilon)
    wide = F.linear(F.gelu(F.linear(x, up_w, up_b)), down_w, down_b)
    return F.layer_norm(x + F.dropout(wide, dropout, dropout > 0), (hidden,), n2_w, n2_b, epsilon)


def encode(
    weights: Weights,
    shape: Shape,
    ids: Tensor,
    types: Tensor,
    lengths: Tensor,
    dropout: float = 0.0,
    layer: Callable[..., Tensor] = layer,
) -> Tensor:
    """Hidden states.

    Args:
        weights: of one dtype, which is the result's too.
        ids: (batch, length) word pieces, padded at the end.
        types: (batch, length) 0 for the first text, 1 for the second.
        lengths: (batch,) how many of each row are no padding.
        dropout: share of values dropped, in training.
        layer: the function above, or it compiled.

    Returns:
        (batch, length, hidden); what stands at padding means nothing.
    """
    length = ids.shape[1]
    x = F.embedding(ids, weights["embeddings.word_embeddings.weight"]) + weights["embeddings.position_embeddings.weight"][:length]
    if (of_type := weights.get("embeddings.token_type_embeddings.weight")) is not None:
        x = x + F.embedding(types, of_type)
    norm = "embeddings.LayerNorm"
    x = F.layer_norm(x, (x.shape[-1],), weights[f"{norm}.weight"], weights[f"{norm}.bias"], shape.epsilon)
    x = F.dropout(x, dropout, dropout > 0)
    mask = _mask(lengths, length, x.dtype, weights.get(_DISTANCE))
    for n in range(shape.layers):
        names = [f"encoder.layer.{n}.{name}.{part}" for name in (*_LINEAR, *_NORMS) for part in ("weight", "bias")]
        x = layer(x, mask, tuple(weights[name] for name in names), shape.heads, shape.epsilon, dropout)
    return x


def _mask(lengths: Tensor, length: int, dtype: torch.dtype, distance: Tensor | None) -> Tensor | None:
    """What is added to attention's scores: -inf at padding, MPNet's bias; None where nothing would be."""
    padding = torch.arange(length, device=lengths.device) >= lengths[:, None]
    if distance is None and not lengths.is_cuda and not padding.any():
        return None
    mask = torch.zeros(padding.shape, dtype=dtype, device=lengths.device).masked_fill_(padding, -torch.inf)[:, None, None, :]
    if distance is None:
        return mask.expand(-1, 1, length, -1)
    return mask + distance_bias(distance, length).to(dtype)[None]


def distance_bias(table: Tensor, length: int) -> Tensor:
    """MPNet's bias by distance: the table (buckets, heads) spread to (heads, length, length).

    Half of the buckets are for each direction; near distances have a bucket each, far ones share them, as in T5.
    """
    half = table.shape[0] // 2
    at = torch.arange(length, device=table.device)
    away = at[None, :] - at[:, None]
    near = away.abs()
    far = half // 2 + ((near.clamp(min=1).float() / (half // 2)).log() / math.log(128 / (half // 2)) * (half - half // 2)).long()
    bucket = torch.where(near < half // 2, near, far.clamp(max=half - 1)) + (away > 0).long() * half
    return table[bucket].permute(2, 0, 1)


def mean_pooled(weights: Weights, shape: Shape, ids: Tensor, lengths: Tensor, **options: Any) -> Tensor:
    """Vectors of length 1, as sentence-transformers pools all-MiniLM-L6-v2: (batch, hidden)."""
    hidden = encode(weights, shape, ids, torch.zeros_like(ids), lengths, **options).float()
    inside = (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).unsqueeze(-1)
    return F.normalize((hidden * inside).sum(1) / lengths[:, None], dim=-1)


@cache
def bf16_gains() -> bool:
    """Whether this CPU multiplies bf16 faster than fp32, measured on MiniLM's own shape: names of CPUs don't tell.

    The two take turns and the best of many counts, so that a busy machine chooses as an idle one does.
    """
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    for _ in range(25):
        for dtype in best:
            left, right = torch.ones(256, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype)
            started = time.perf_counter()
            left @ right
            best[dtype] = min(best[dtype], time.perf_counter() - started)
    return best[torch.bfloat16] < 0.8 * best[torch.float32]
