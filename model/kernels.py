"""Triton kernels for a token on a GPU: between two matrices nothing goes back to memory but a few thousand numbers.

A step of one to sixteen tokens is bound by reading the weights, so `matvec` is made to read without a pause: its programs fetch the first
weights into the L2 cache while the kernels before it still run (programmatic dependent launch: every kernel here says at once that its
successor may start, and waits for its predecessor only where it needs its result). Gemma 2's soft-cap bounds every score by +-50, so
that exp(score) never overflows and softmax needs no running maximum: sums over any share of the keys simply add up.
"""

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def _begin(PDL: tl.constexpr):
    if PDL:
        gdc_launch_dependents()


@triton.jit
def _wait(PDL: tl.constexpr):
    if PDL:
        gdc_wait()


@triton.jit
def _prefetch(addresses):
    tl.inline_asm_elementwise("prefetch.global.L2 [$1]; mov.u32 $0, 0;", "=r,l", [addresses.to(tl.int64)], dtype=tl.int32, is_pure=False, pack=1)


@triton.jit
def _rms(x, N: tl.constexpr, eps):
    return x * tl.rsqrt(tl.sum(x * x, 0) / N + eps)


@triton.jit
def add_norm(h, y, post, pre, x, rows, eps, N: tl.constexpr, SPLITS: tl.constexpr, BLOCK: tl.constexpr, PDL: tl.constexpr):
    """h += norm(sum of y's shares) * (1 + post); x = norm(h) * (1 + pre). A program a row; SPLITS 0: no y, h as it is."""
    _begin(PDL)
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    inside = cols < N
    pre_weight = tl.load(pre + cols, inside, 0.0).to(tl.float32)
    if SPLITS:
        post_weight = tl.load(post + cols, inside, 0.0).to(tl.float32)
    _wait(PDL)
    at = row.to(tl.int64) * N + cols
    state = tl.load(h + at, inside, 0.0).to(tl.float32)
    if SPLITS:
        total = tl.zeros((BLOCK,), tl.float32)
        for s in tl.static_range(SPLITS):
            total += tl.load(y + s * rows * N + at, inside, 0.0).to(tl.float32)
        state += _rms(total, N, eps) * (1 + post_weight)
        tl.store(h + at, state.to(h.dtype.element_ty), inside)
    tl.store(x + at, (_rms(state, N, eps) * (1 + pre_weight)).to(x.dtype.element_ty), inside)


@triton.jit
def matvec(
    x, w, scales, codebook, out, R, cap,
    N: tl.constexpr, K: tl.constexpr, SPLITS: tl.constexpr, KIND: tl.constexpr, END: tl.constexpr,
    BN: tl.constexpr, BK: tl.constexpr, AHEAD: tl.constexpr, STAGES: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """out = x @ w.T for R <= 16 rows of x (R, K): BN rows of w and a share of its columns a program, on the tensor cores.

    KIND: bfloat16, int8 or int4 (linear.py says how they are packed). END: "sum" writes shares in fp32 (SPLITS, R, N), to be added up by
    who reads them; "geglu" takes w as gates over ups and writes gelu(gate) * up (R, N / 2); "cap" writes soft-capped logits (R, N).
    """
    _begin(PDL)
    n = tl.program_id(0) * BN + tl.arange(0, BN)
    if END == "geglu":  # half of a program's rows are gates, half the ups that belong to them
        n = tl.program_id(0) * (BN // 2) + tl.arange(0, BN) % (BN // 2) + tl.arange(0, BN) // (BN // 2) * (N // 2)
    WIDTH: tl.constexpr = BK // 2 if KIND == "int4" else BK  # stored numbers of a block's row
    STRIDE: tl.constexpr = K // 2 if KIND == "int4" else K
    first = tl.program_id(1) * (STRIDE // SPLITS)
    start = w + n.to(tl.int64)[:, None] * STRIDE + first
    if PDL:
        LINE: tl.constexpr = 64 if KIND == "bfloat16" else 128  # a cache line has 128 bytes
        for line in tl.static_range(AHEAD // 4):
            _prefetch(start + (line * 4 + tl.arange(0, 4)[None, :]) * LINE)
    _wait(PDL)
    r = tl.arange(0, 16)
    j = tl.arange(0, WIDTH)
    acc = tl.zeros((BN, 16), tl.float32)
    for block in tl.range(0, STRIDE // SPLITS // WIDTH, num_stages=STAGES):
        codes = tl.load(start + block * WIDTH + j[None, :])
        k = first + block * WIDTH + j
        if KIND == "int4":  # a byte holds columns 16 apart: two products, of the lower and of the upper halves
            low = k // 16 * 32 + k % 16
            scale = tl.load(scales + n.to(tl.int64)[:, None] * (K // 32) + (k // 16)[None, :]).to(tl.float32)
            if codebook is None:
                w_low, w_high = (codes & 15).to(tl.float32) - 8, (codes >> 4).to(tl.float32) - 8
            else:
                w_low, w_high = tl.load(codebook + (codes & 15)), tl.load(codebook + (codes >> 4))
            x_low = tl.load(x + r[:, None] * K + low[None, :], r[:, None] < R, 0.0)
            x_high = tl.load(x + r[:, None] * K + low[None, :] + 16, r[:, None] < R, 0.0)
            acc = tl.dot((w_low * scale).to(tl.bfloat16), x_low.T, acc)
            acc = tl.dot((w_high * scale).to(tl.bfloat16), x_high.T, acc)
        else:
            values = tl.load(x + r[:, None] * K + k[None, :], r[:, None] < R, 0.0)
            acc = tl.dot(codes.to(tl.float32).to(tl.bfloat16) if KIND == "int8" else codes, values.T, acc)
    if KIND == "int8":
        acc *= tl.load(scales + n)[:, None]
    if END == "geglu":
        gate, up = acc.reshape(2, BN // 2, 16).permute(1, 2, 0).split()
        inner = 1.5957691216057308 * (gate + 0.044715 * gate * gate * gate)  # gelu's tanh form is a sigmoid
        acc = gate * up / (1 + tl.exp2(-LOG2E * inner))
        n = tl.program_id(0) * (BN // 2) + tl.arange(0, BN // 2)
        tl.store(out + r[None, :] * (N // 2) + n[:, None], acc.to(tl.bfloat16), r[None, :] < R)
    else:
        if END == "cap":
            acc = cap - 2 * cap / (1 + tl.exp2(acc * (2 * LOG2E / cap)))
        tl.store(out + (tl.program_id(1) * R + r[None, :]).to(tl.int64) * N + n[:, None], acc, r[None, :] < R)


@triton.jit
def _store_at(table, b, layer, half, head, KV: tl.constexpr, D: tl.constexpr):
    """Where the keys (half 0) or values (1) of a head begin in the cache of text b; table has (address, capacity, length) of each."""
    capacity = tl.load(table + b * 3 + 1)
    base = tl.load(table + b * 3).to(tl.pointer_type(tl.bfloat16), bitcast=True)
    return tl.multiple_of(base + ((layer * 2 + half) * KV + head) * capacity * D, 16)


@triton.jit
def rope_append(
    qkv, q, table, cos, sin, layer, T, R,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, SPLITS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Turns queries and keys to their positions; writes queries to q (R, H, D), keys and values into the caches. A program a head."""
    _begin(PDL)
    row, head = tl.program_id(0), tl.program_id(1)
    half = tl.arange(0, D // 2)
    position = tl.load(table + row // T * 3 + 2) + row % T
    c, s = tl.load(cos + position * (D // 2) + half), tl.load(sin + position * (D // 2) + half)
    _wait(PDL)
    at = row.to(tl.int64) * (H + 2 * KV) * D + head * D + half
    a, b = tl.zeros((D // 2,), tl.float32), tl.zeros((D // 2,), tl.float32)
    for split in tl.static_range(SPLITS):
        share = qkv + split * R * (H + 2 * KV) * D + at
        a += tl.load(share).to(tl.float32)
        b += tl.load(share + D // 2).to(tl.float32)
    if head < H + KV:
        a, b = a * c - b * s, b * c + a * s
    if head < H:
        target = q + (row.to(tl.int64) * H + head) * D + half
    else:
        target = _store_at(table, row // T, layer, (head - H) // KV, (head - H) % KV, KV, D) + position * D + half
    tl.store(target, a.to(tl.bfloat16))
    tl.store(target + D // 2, b.to(tl.bfloat16))


@triton.jit
def _weights(scores, scale, cap: tl.constexpr):
    """exp(cap * tanh(scores * scale / cap)), by exponentials only."""
    top: tl.constexpr = cap * LOG2E
    return tl.exp2(top - 2 * top / (1 + tl.exp2(scores * (scale * 2 * LOG2E / cap))))


@triton.jit
def attend_few(
    q, table, part, sums, layer, T, window, scale,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, CAP: tl.constexpr, SPLITS: tl.constexpr,
    BQ: tl.constexpr, BS: tl.constexpr, STAGES: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Attention of a text's last T <= 16 tokens: a share of the visible keys and all query heads on them a program; `combine` follows."""
    _begin(PDL)
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
    c = tl.arange(0, BQ)
    d = tl.arange(0, D)
    position = length + c // G
    _wait(PDL)
    queries = tl.load(q + ((b * T + c // G) * H + head * G + c % G)[:, None] * D + d[None, :], (c < T * G)[:, None], 0.0)
    acc = tl.zeros((D, BQ), tl.float32)
    total = tl.zeros((BQ,), tl.float32)
    for at in tl.range(start, end, BS, num_stages=STAGES):
        s = at + tl.arange(0, BS)
        k = tl.load(keys + s[:, None] * D + d[None, :], (s < end)[:, None], 0.0)
        v = tl.load(values + s[:, None] * D + d[None, :], (s < end)[:, None], 0.0)
        back = position[None, :] - s[:, None]
        p = tl.where((back >= 0) & (back < window) & (s < end)[:, None], _weights(tl.dot(k, queries.T), scale, CAP), 0.0)
        total += tl.sum(p, 0)
        acc = tl.dot(v.T, p.to(tl.bfloat16), acc)
    at = ((b * KV + head) * SPLITS + split) * BQ + c
    tl.store(sums + at, total)
    tl.store(part + at[None, :] * D + d[:, None], acc)


@triton.jit
def combine(
    part, sums, out, table, T, window,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, SPLITS: tl.constexpr, BQ: tl.constexpr, BS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Adds up what the programs of `attend_few` found: out (R, H, D). A program a token and head."""
    _begin(PDL)
    row, head = tl.program_id(0), tl.program_id(1)
    G: tl.constexpr = H // KV
    b, c = row // T, row % T * G + head % G
    length = tl.load(table + b * 3 + 2).to(tl.int32)
    visible = length + T - tl.maximum(0, length - window + 1)
    used = tl.cdiv(visible, tl.cdiv(tl.cdiv(visible, SPLITS), BS) * BS)
    split = tl.arange(0, SPLITS)
    d = tl.arange(0, D)
    at = ((b * KV + head // G) * SPLITS + split) * BQ + c
    _wait(PDL)
    total = tl.sum(tl.load(sums + at, split < used, 0.0), 0)
    acc = tl.sum(tl.load(part + at[:, None] * D + d[None, :], (split < used)[:, None], 0.0), 0)
    tl.store(out + (row * H + head) * D + d, (acc / total).to(tl.bfloat16))


@triton.jit
def _tile(acc, total, queries, keys, values, at, q_at, end, window, scale, D: tl.constexpr, CAP: tl.constexpr, BN: tl.constexpr, EDGE: tl.constexpr):
    s = at + tl.arange(0, BN)
    d = tl.arange(0, D)
    if EDGE:
        k = tl.load(keys + s[:, None] * D + d[None, :], (s < end)[:, None], 0.0)
        v = tl.load(values + s[:, None] * D + d[None, :], (s < end)[:, None], 0.0)
    else:
        k = tl.load(keys + s[:, None] * D + d[None, :])
        v = tl.load(values + s[:, None] * D + d[None, :])
    p = _weights(tl.dot(queries, k.T), scale, CAP)
    if EDGE:
        back = q_at[:, None] - s[None, :]
        p = tl.where((back >= 0) & (back < window), p, 0.0)
    total += tl.sum(p, 1)
    acc = tl.dot(p.to(tl.bfloat16), v, acc)
    return acc, total


@triton.jit
def attend_many(
    q, table, out, layer, T, window, scale,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, CAP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """Attention of a text's last T tokens, BM queries of a head a program: q and out (B * T, H, D)."""
    block, head, b = tl.num_programs(0) - 1 - tl.program_id(0), tl.program_id(1), tl.program_id(2)  # the longest first
    length = tl.load(table + b * 3 + 2).to(tl.int32)
    keys = _store_at(table, b, layer, 0, head // (H // KV), KV, D)
    values = _store_at(table, b, layer, 1, head // (H // KV), KV, D)
    m = block * BM + tl.arange(0, BM)
    d = tl.arange(0, D)
    at = ((b * T + m).to(tl.int64) * H + head)[:, None] * D + d[None, :]
    queries = tl.load(q + at, (m < T)[:, None], 0.0)
    acc = tl.zeros((BM, D), tl.float32)
    total = tl.zeros((BM,), tl.float32)
    start = length + block * BM  # the first query's position
    end = length + T
    first = tl.maximum(0, start - window + 1) // BN * BN
    inner = tl.maximum(first, tl.cdiv(tl.maximum(0, start + BM - window), BN) * BN)  # from here to `edge` all see all
    edge = tl.maximum(inner, start // BN * BN)
    last = tl.minimum(start + BM, end)
    left = tl.cdiv(tl.maximum(0, tl.minimum(inner, last) - first), BN)  # tiles that the window cuts
    for s in tl.range(inner, edge, BN, num_stages=STAGES):
        acc, total = _tile(acc, total, queries, keys, values, s, length + m, end, window, scale, D, CAP, BN, False)
    for i in tl.range(0, left + tl.cdiv(tl.maximum(0, last - edge), BN), num_stages=STAGES):
        s = tl.where(i < left, first + i * BN, edge + (i - left) * BN)
        acc, total = _tile(acc, total, queries, keys, values, s, length + m, end, window, scale, D, CAP, BN, True)
    tl.store(out + at, (acc / total[:, None]).to(tl.bfloat16), (m < T)[:, None])


@triton.jit
def geglu(x, out, N: tl.constexpr, BLOCK: tl.constexpr):
    """x (R, 2 N), gates beside ups -> gelu(gate) * up (R, N)."""
    row = tl.program_id(0).to(tl.int64)
    cols = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    gate = tl.load(x + row * 2 * N + cols, cols < N, 0.0).to(tl.float32)
    up = tl.load(x + row * 2 * N + N + cols, cols < N, 0.0).to(tl.float32)
    inner = 1.5957691216057308 * (gate + 0.044715 * gate * gate * gate)
    tl.store(out + row * N + cols, (gate * up / (1 + tl.exp2(-LOG2E * inner))).to(out.dtype.element_ty), cols < N)
