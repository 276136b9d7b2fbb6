# mypy: ignore-errors
"""Triton kernels for attention over the caches, of a few tokens and of many, soft-cap and window exact.

Gemma 2's soft-cap bounds every score by +-50, so exp(score) never overflows and softmax needs no running maximum: what programs find out
over their shares of the keys simply adds up.
"""

import triton
import triton.language as tl

from model.gpu.common import GROUP, LOG2E, begin, rounded, wait


@triton.jit
def _store_at(table, b, layer, half, head, KV: tl.constexpr, D: tl.constexpr):
    """Where the keys (half 0) or values (1) of a head begin in the cache of text b; table has (address, capacity, length) of each."""
    capacity = tl.load(table + b * 3 + 1)
    base = tl.load(table + b * 3).to(tl.pointer_type(tl.bfloat16), bitcast=True)
    return tl.multiple_of(base, 16) + ((layer * 2 + half) * KV + head) * capacity * D


@triton.jit(do_not_specialize=["layer", "T", "R"])
def rope_append(
    qkv, q, table, cos, sin, layer, T, R,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, SPLITS: tl.constexpr, HEADS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Turns queries and keys to their positions; queries go to q (R, H, D), keys and values into the caches."""
    begin(PDL)
    row = tl.program_id(0).to(tl.int64)
    head, half = (tl.program_id(1) * HEADS + tl.arange(0, HEADS))[:, None], tl.arange(0, D // 2)[None, :]
    position = tl.load(table + row // T * 3 + 2) + row % T
    c, s = tl.load(cos + position * (D // 2) + half), tl.load(sin + position * (D // 2) + half)
    stored = _store_at(table, row // T, layer, (head - H) // KV, (head - H) % KV, KV, D) + position * D + half
    known = head < H + 2 * KV
    at = qkv + (row * (H + 2 * KV) + head) * D + half
    wait(PDL)
    a, b = tl.load(at, known, 0.0).to(tl.float32), tl.load(at + D // 2, known, 0.0).to(tl.float32)
    for i in tl.static_range(1, SPLITS):
        share = at + i * R * (H + 2 * KV) * D
        a, b = a + tl.load(share, known, 0.0), b + tl.load(share + D // 2, known, 0.0)
    turned = head < H + KV
    a, b = tl.where(turned, a * c - b * s, a).to(tl.bfloat16), tl.where(turned, b * c + a * s, b).to(tl.bfloat16)
    query = q + (row * H + head) * D + half
    tl.store(query, a, head < H)
    tl.store(query + D // 2, b, head < H)
    tl.store(stored, a, known & (head >= H))
    tl.store(stored + D // 2, b, known & (head >= H))


@triton.jit
def _inverse(x):
    return tl.inline_asm_elementwise("rcp.approx.ftz.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1)


@triton.jit
def _weights(scores, scale, cap: tl.constexpr):
    """exp(cap * tanh(scores * scale / cap)), by exponentials only."""
    top: tl.constexpr = cap * LOG2E
    return tl.exp2(top - 2 * top * _inverse(1 + tl.exp2(scores * (scale * 2 * LOG2E / cap))))


@triton.jit(do_not_specialize=["layer", "T", "window"])
def attend_few(
    q, table, part, sums, layer, T, window, scale,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, CAP: tl.constexpr, SPLITS: tl.constexpr,
    BQ: tl.constexpr, BS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Attention of a text's last T <= 16 tokens: a share of the visible keys, and all query heads on them, a program; see `combine`."""
    begin(PDL)
    b, head, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    G: tl.constexpr = H // KV
    length = tl.load(table + b * 3 + 2).to(tl.int32)
    keys, values = _store_at(table, b, layer, 0, head, KV, D), _store_at(table, b, layer, 1, head, KV, D)
    first = tl.maximum(0, length - window + 1)
    chunk = tl.cdiv(tl.cdiv(length + T - first, SPLITS), BS) * BS
    start = first + split * chunk
    end = tl.minimum(start + chunk, length + T)
    if start >= end:
        return
    c = tl.arange(0, BQ)  # a query: token c // G, head c % G of those on these keys
    d = tl.arange(0, D)
    row = (b * T + c // G) * H + head * G + c % G
    wait(PDL)
    queries = tl.load(q + row[:, None] * D + d[None, :], (c < T * G)[:, None], 0.0)
    acc = tl.zeros((D, BQ), tl.float32)
    total = tl.zeros((BQ,), tl.float32)
    for at in tl.range(start, end, BS, num_stages=2):
        s = at + tl.arange(0, BS)
        k = tl.load(keys + s[:, None] * D + d[None, :], (s < end)[:, None], 0.0)
        v = tl.load(values + s[:, None] * D + d[None, :], (s < end)[:, None], 0.0)
        back = (length + c // G)[None, :] - s[:, None]
        p = tl.where((back >= 0) & (back < window) & (s < end)[:, None], _weights(tl.dot(k, queries.T), scale, CAP), 0.0)
        total += tl.sum(p, 0)
        acc = tl.dot(v.T, p.to(tl.bfloat16), acc)
    mine = ((b * KV + head) * SPLITS + split) * BQ + c
    tl.store(sums + mine, total)
    tl.store(part + mine[None, :] * D + d[:, None], acc, (c < T * G)[None, :])


@triton.jit(do_not_specialize=["T", "window"])
def combine(
    part, sums, out, codes, scales, table, T, window,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, SPLITS: tl.constexpr, BQ: tl.constexpr, BS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Adds up what the programs of `attend_few` found: out (R, H, D), and in 8 bits where there are `codes`. A program a token and head."""
    begin(PDL)
    row, head = tl.program_id(0), tl.program_id(1)
    G: tl.constexpr = H // KV
    b, c = row // T, row % T * G + head % G
    length = tl.load(table + b * 3 + 2).to(tl.int32)
    visible = length + T - tl.maximum(0, length - window + 1)
    used = tl.cdiv(visible, tl.cdiv(tl.cdiv(visible, SPLITS), BS) * BS)
    split = tl.arange(0, SPLITS)
    d = tl.arange(0, D)
    at = ((b * KV + head // G) * SPLITS + split) * BQ + c
    wait(PDL)
    total = tl.sum(tl.load(sums + at, split < used, 0.0), 0)
    acc = tl.sum(tl.load(part + at[:, None] * D + d[None, :], (split < used)[:, None], 0.0), 0)
    found = acc / total
    tl.store(out + (row * H + head) * D + d, found.to(tl.bfloat16))
    if codes is not None:
        code, scale = rounded(found.reshape(D // GROUP, GROUP))
        tl.store(codes + (row * H + head) * D + d, code.reshape(D))
        tl.store(scales + (row * H + head) * (D // GROUP) + tl.arange(0, D // GROUP), scale)


@triton.jit(do_not_specialize=["layer", "T", "window"])
def attend_many(
    q, table, out, layer, T, window, scale,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, CAP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """Attention of a text's last T tokens, BM queries of a head a program: q and out (B * T, H, D)."""
    block, head, b = tl.num_programs(0) - 1 - tl.program_id(0), tl.program_id(1), tl.program_id(2)  # the longest first
    length = tl.load(table + b * 3 + 2).to(tl.int32)
    d = tl.arange(0, D)
    keys = _store_at(table, b, layer, 0, head // (H // KV), KV, D) + d[None, :]
    values = _store_at(table, b, layer, 1, head // (H // KV), KV, D) + d[None, :]
    m = block * BM + tl.arange(0, BM)
    at = ((b * T + m).to(tl.int64) * H + head)[:, None] * D + d[None, :]
    queries = tl.load(q + at, (m < T)[:, None], 0.0)
    acc = tl.zeros((BM, D), tl.float32)
    total = tl.zeros((BM,), tl.float32)
    position = length + block * BM  # of the first query
    end = tl.minimum(position + BM, length + T)
    first = tl.maximum(0, position - window + 1) // BN * BN
    inner = tl.maximum(first, tl.cdiv(tl.maximum(0, position + BM - window), BN) * BN)  # from here up to `edge` all queries see all keys
    edge = tl.maximum(inner, position // BN * BN)
    s = inner + tl.arange(0, BN)
    scores = tl.dot(queries, tl.load(keys + s[:, None] * D, (s < end)[:, None], 0.0).T)
    for start in tl.range(inner, edge, BN, num_stages=STAGES):
        s = start + tl.arange(0, BN)
        ahead = tl.dot(queries, tl.load(keys + (s + BN)[:, None] * D, (s + BN < end)[:, None], 0.0).T)  # runs beside the exponentials
        p = _weights(scores, scale, CAP)
        total += tl.sum(p, 1)
        acc = tl.dot(p.to(tl.bfloat16), tl.load(values + s[:, None] * D), acc)
        scores = ahead
    left = tl.cdiv(tl.maximum(0, tl.minimum(inner, end) - first), BN)  # tiles that the window cuts; then those on the diagonal
    for i in tl.range(0, left + tl.cdiv(tl.maximum(0, end - edge), BN), num_stages=1):
        s = tl.where(i < left, first + i * BN, edge + (i - left) * BN) + tl.arange(0, BN)
        scores = tl.dot(queries, tl.load(keys + s[:, None] * D, (s < end)[:, None], 0.0).T)
        back = (length + m)[:, None] - s[None, :]
        p = tl.where((back >= 0) & (back < window), _weights(scores, scale, CAP), 0.0)
        total += tl.sum(p, 1)
        acc = tl.dot(p.to(tl.bfloat16), tl.load(values + s[:, None] * D, (s < end)[:, None], 0.0), acc)
    tl.store(out + at, (acc / total[:, None]).to(tl.bfloat16), (m < T)[:, None])
