"""Gemma 2's attention: one function, two backends that a test proves equal.

Fused kernels without a soft-cap (torch's scaled_dot_product_attention) give wrong answers here, so the default works
through the queries in blocks: never a T x T matrix, and on sliding layers only the keys inside the window are touched.
"""

from typing import Any

import torch
from torch import Tensor

_SCORES_AT_ONCE = 1 << 21
"""fp32 scores in memory at a time: 8 MiB fit a processor's cache, and small blocks skip most of the masked upper triangle."""


def attention(
    q: Tensor, k: Tensor, v: Tensor, *, scale: float, softcap: float | None, window: int | None, backend: str = "blocked"
) -> Tensor:
    """softmax(mask(softcap * tanh(q k^T * scale / softcap))) v, with the T queries standing at the last T of S positions.

    Args:
        q: (B, H, T, D).
        k: (B, KV, S, D), where KV divides H (grouped-query attention).
        v: (B, KV, S, D).
        scale: query_pre_attn_scalar ** -0.5.
        softcap: attn_logit_softcapping; None for no cap (Gemma 3, which may be a teacher in training, has none).
        window: how many positions a query sees, itself included; None for all before it.
        backend: "blocked" (anywhere) or "flex" (one fused kernel once compiled; used in training).

    Returns:
        (B, H, T, D) in q's dtype. Source: "Gemma 2", arXiv 2408.00118, section 2.
    """
    return (_flex if backend == "flex" else _blocked)(q, k, v, scale, softcap, window)


def _blocked(q: Tensor, k: Tensor, v: Tensor, scale: float, softcap: float | None, window: int | None) -> Tensor:
    B, H, T, D = q.shape
    KV, S = k.shape[1], k.shape[2]
    rows = max(1, _SCORES_AT_ONCE // (B * H * S))
    out = []
    for start in range(0, T, rows):
        stop = min(start + rows, T)
        last = S - T + stop  # one past the last key that this block may see
        first = 0 if window is None else max(0, S - T + start - window + 1)
        queries = q[:, :, start:stop].reshape(B, KV, H // KV * (stop - start), D)  # heads that share keys lie together
        scores = (queries @ k[:, :, first:last].transpose(2, 3)).float().view(B, H, stop - start, last - first)
        scores = scores * scale if softcap is None else torch.tanh(scores * (scale / softcap)) * softcap
        if stop - start > 1 or window is not None:
            scores = scores.masked_fill(~_visible(S - T + start, S - T + stop, first, last, window, q.device), -torch.inf)
        weights = scores.softmax(-1).to(q.dtype).view(B, KV, -1, last - first)
        out.append((weights @ v[:, :, first:last]).view(B, H, stop - start, D))
    return torch.cat(out, dim=2) if len(out) > 1 else out[0]


def _visible(q_start: int, q_stop: int, k_start: int, k_stop: int, window: int | None, device: torch.device) -> Tensor:
    """(queries, keys), true where a query sees a key: not ahead of it, and less than `window` back."""
    back = torch.arange(q_start, q_stop, device=device)[:, None] - torch.arange(k_start, k_stop, device=device)[None, :]
    return back >= 0 if window is None else (back >= 0) & (back < window)


_MASKS: dict[tuple[int, int, int | None, str], Any] = {}
"""Block masks by shape. A plain dict, because torch's compiler traces through lru_cache and would make a mask for every layer."""


def _block_mask(T: int, S: int, window: int | None, device: str) -> Any:
    from torch.nn.attention.flex_attention import create_block_mask

    if (T, S, window, device) in _MASKS:
        return _MASKS[T, S, window, device]

    def visible(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        back = i + (S - T) - j
        return back >= 0 if window is None else (back >= 0) & (back < window)

    with torch.inference_mode(False):  # or a mask first made while answering could not be used in training
        mask = create_block_mask(visible, None, None, T, S, device=device)
    if not torch.compiler.is_compiling():  # what a trace makes belongs to its graph
        _MASKS[T, S, window, device] = mask
    return mask


_HOPPER = {
    **{"fwd_BLOCK_M": 128, "fwd_BLOCK_N": 32, "fwd_num_stages": 3, "fwd_num_warps": 8},
    **{"bwd_BLOCK_M1": 64, "bwd_BLOCK_N1": 64, "bwd_BLOCK_M2": 64, "bwd_BLOCK_N2": 64, "bwd_num_stages": 2, "bwd_num_warps": 8},
}
"""For heads of 256 on an H100, the best of 14 settings tried: forward 0.56 ms and backward 2.54, by torch's own choice 0.65 and 3.2
(32 rows of 1024, 4 heads on 1)."""


def _flex(q: Tensor, k: Tensor, v: Tensor, scale: float, softcap: float | None, window: int | None) -> Tensor:
    from torch.nn.attention.flex_attention import flex_attention

    def cap(score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return score if softcap is None else softcap * torch.tanh(score / softcap)

    S = k.shape[2]
    mask = _block_mask(q.shape[2], S, None if window is None or window >= S else window, str(q.device))
    tuned = q.is_cuda and q.shape[-1] == 256 and torch.cuda.get_device_capability(q.device) == (9, 0)
    options: Any = _HOPPER if tuned else None
    grouped = q.shape[1] != k.shape[1]
    out: Any = flex_attention(q, k, v, score_mod=cap, block_mask=mask, scale=scale, enable_gqa=grouped, kernel_options=options)
    return out  # type: ignore[no-any-return]
