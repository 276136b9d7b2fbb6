# mypy: ignore-errors
"""Triton kernels for Gemma 2 on a GPU: what stands between and beside the matrix products of a prompt, and all of a step of few tokens.

Such a step, of one to sixteen tokens, is bound by reading the weights, so `matvec` reads without a pause. Every kernel says at once that
its successor may start (programmatic dependent launch) and waits for its predecessor only where it needs its result; what comes before
that, the fetch of the first weights among it, runs beside the predecessor. Shares of a sum are written by one kernel and added up by the
next, always in the same order: the same text gives the same numbers.

Gemma 2's soft-cap bounds every score by +-50, so exp(score) never overflows and softmax needs no running maximum: what programs find out
over their shares of the keys simply adds up.
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
    """256 bytes from each address on, from memory into the L2 cache."""
    tl.inline_asm_elementwise(
        "cp.async.bulk.prefetch.L2.global [$1], 256; mov.u32 $0, 0;", "=r,l", [addresses.to(tl.int64)], tl.int32, is_pure=False, pack=1
    )  # fmt: skip


@triton.jit
def _gelu(x):
    """The tanh form, which is x times a sigmoid."""
    return x / (1 + tl.exp2(-LOG2E * 1.5957691216057308 * (x + 0.044715 * x * x * x)))


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
def _halves(codes, codebook):
    """The lower and the upper half of each byte as numbers in bfloat16."""
    if codebook is None:  # from -8 to 7: a half in the last bits of 128.0 is 128 + half, and 136 less is what it stands for
        low, high = tl.inline_asm_elementwise(
            """{
            .reg .b32 even, odd, even_high, odd_high, one, shift;
            mov.b32 one, 0x3f803f80;
            mov.b32 shift, 0xc308c308;
            prmt.b32 even, $4, 0, 0x4140;
            prmt.b32 odd, $4, 0, 0x4342;
            shr.u32 even_high, even, 4;
            shr.u32 odd_high, odd, 4;
            lop3.b32 even, even, 0x000f000f, 0x43004300, 0xea;
            lop3.b32 odd, odd, 0x000f000f, 0x43004300, 0xea;
            lop3.b32 even_high, even_high, 0x000f000f, 0x43004300, 0xea;
            lop3.b32 odd_high, odd_high, 0x000f000f, 0x43004300, 0xea;
            fma.rn.bf16x2 $0, even, one, shift;
            fma.rn.bf16x2 $1, odd, one, shift;
            fma.rn.bf16x2 $2, even_high, one, shift;
            fma.rn.bf16x2 $3, odd_high, one, shift;
            }""",
            "=r,=r,=r,=r,r", [codes], dtype=(tl.bfloat16, tl.bfloat16), is_pure=True, pack=4,
        )  # fmt: skip
    else:
        low, high = tl.load(codebook + (codes & 15)).to(tl.bfloat16), tl.load(codebook + (codes >> 4)).to(tl.bfloat16)
    return low, high


@triton.jit
def _scaled(values, scales, BLOCKS: tl.constexpr):
    """values (N, 16 * BLOCKS) times scales (N, BLOCKS). A scale has more digits than bfloat16, so its rest is multiplied too."""
    N: tl.constexpr = values.shape[0]
    most = scales.to(tl.bfloat16)
    rest = (scales.to(tl.float32) - most.to(tl.float32)).to(tl.bfloat16)
    blocks = values.reshape(N, BLOCKS, 16)
    return (blocks * rest[:, :, None] + blocks * most[:, :, None]).reshape(N, BLOCKS * 16)


@triton.jit
def matvec(
    x, w, scales, codebook, out, R, cap,
    N: tl.constexpr, K: tl.constexpr, SPLITS: tl.constexpr, KIND: tl.constexpr, END: tl.constexpr,
    BN: tl.constexpr, BK: tl.constexpr, STAGES: tl.constexpr, PDL: tl.constexpr,
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
        PIECE: tl.constexpr = 128 if KIND == "bfloat16" else 256  # numbers in 256 bytes
        _prefetch(start + tl.arange(0, 2 if STRIDE // SPLITS >= 2 * PIECE else 1)[None, :] * PIECE)
    _wait(PDL)
    r = tl.arange(0, 16)
    j = tl.arange(0, WIDTH)
    acc = tl.zeros((BN, 16), tl.float32)
    for block in tl.range(0, STRIDE // SPLITS // WIDTH, num_stages=STAGES):
        codes = tl.load(start + block * WIDTH + j[None, :])
        k = first + block * WIDTH + j
        if KIND == "int4":  # a byte holds columns 16 apart: two products, of the lower and of the upper halves
            low = k // 16 * 32 + k % 16
            BLOCKS: tl.constexpr = WIDTH // 16
            scale = tl.load(scales + n.to(tl.int64)[:, None] * (K // 32) + (first + block * WIDTH) // 16 + tl.arange(0, BLOCKS)[None, :])
            w_low, w_high = _halves(codes, codebook)
            x_low = tl.load(x + r[:, None] * K + low[None, :], r[:, None] < R, 0.0)
            x_high = tl.load(x + r[:, None] * K + low[None, :] + 16, r[:, None] < R, 0.0)
            acc = tl.dot(_scaled(w_low, scale, BLOCKS), x_low.T, acc)
            acc = tl.dot(_scaled(w_high, scale, BLOCKS), x_high.T, acc)
        else:
            values = tl.load(x + r[:, None] * K + k[None, :], r[:, None] < R, 0.0)
            acc = tl.dot(codes.to(tl.float32).to(tl.bfloat16) if KIND == "int8" else codes, values.T, acc)
    if KIND == "int8":
        acc *= tl.load(scales + n)[:, None]
    if END == "geglu":
        gate, up = acc.reshape(2, BN // 2, 16).permute(1, 2, 0).split()
        n = tl.program_id(0) * (BN // 2) + tl.arange(0, BN // 2)
        tl.store(out + r[None, :] * (N // 2) + n[:, None], (_gelu(gate) * up).to(tl.bfloat16), r[None, :] < R)
    else:
        if END == "cap":
            acc = cap - 2 * cap / (1 + tl.exp2(acc * (2 * LOG2E / cap)))
        tl.store(out + (tl.program_id(1) * R + r[None, :]).to(tl.int64) * N + n[:, None], acc, r[None, :] < R)


@triton.jit
def _store_at(table, b, layer, half, head, KV: tl.constexpr, D: tl.constexpr):
    """Where the keys (half 0) or values (1) of a head begin in the cache of text b; table has (address, capacity, length) of each."""
    capacity = tl.load(table + b * 3 + 1)
    base = tl.load(table + b * 3).to(tl.pointer_type(tl.bfloat16), bitcast=True)
    return tl.multiple_of(base, 16) + ((layer * 2 + half) * KV + head) * capacity * D


@triton.jit
def rope_append(
    qkv, q, table, cos, sin, layer, T, R,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, SPLITS: tl.constexpr, HEADS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Turns queries and keys to their positions; queries go to q (R, H, D), keys and values into the caches."""
    _begin(PDL)
    row = tl.program_id(0).to(tl.int64)
    head, half = (tl.program_id(1) * HEADS + tl.arange(0, HEADS))[:, None], tl.arange(0, D // 2)[None, :]
    position = tl.load(table + row // T * 3 + 2) + row % T
    c, s = tl.load(cos + position * (D // 2) + half), tl.load(sin + position * (D // 2) + half)
    stored = _store_at(table, row // T, layer, (head - H) // KV, (head - H) % KV, KV, D) + position * D + half
    known = head < H + 2 * KV
    at = qkv + (row * (H + 2 * KV) + head) * D + half
    _wait(PDL)
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


@triton.jit
def attend_few(
    q, table, part, sums, layer, T, window, scale,
    H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, CAP: tl.constexpr, SPLITS: tl.constexpr,
    BQ: tl.constexpr, BS: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """Attention of a text's last T <= 16 tokens: a share of the visible keys, and all query heads on them, a program; see `combine`."""
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
    c = tl.arange(0, BQ)  # a query: token c // G, head c % G of those on these keys
    d = tl.arange(0, D)
    row = (b * T + c // G) * H + head * G + c % G
    _wait(PDL)
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


@triton.jit
def geglu(x, out, N: tl.constexpr, BLOCK: tl.constexpr):
    """x (R, 2 N), gates beside ups -> gelu(gate) * up (R, N)."""
    row = tl.program_id(0).to(tl.int64)
    cols = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    gate = tl.load(x + row * 2 * N + cols, cols < N, 0.0).to(tl.float32)
    up = tl.load(x + row * 2 * N + N + cols, cols < N, 0.0).to(tl.float32)
    tl.store(out + row * N + cols, (_gelu(gate) * up).to(out.dtype.element_ty), cols < N)


@triton.jit
def unpack(codes, scales, codebook, out, K: tl.constexpr, KIND: tl.constexpr, BLOCK: tl.constexpr):
    """Packed weights (N, K) made plain, BLOCK columns of a row a program."""
    row = tl.program_id(0).to(tl.int64)
    if KIND == "int8":
        k = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
        values = tl.load(codes + row * K + k, k < K, 0).to(tl.float32) * tl.load(scales + row)
        tl.store(out + row * K + k, values.to(tl.bfloat16), k < K)
    else:
        j = tl.program_id(1) * (BLOCK // 2) + tl.arange(0, BLOCK // 2)
        scale = tl.load(scales + row * (K // 32) + j // 16, j < K // 2, 0.0).to(tl.float32)
        low, high = _halves(tl.load(codes + row * (K // 2) + j, j < K // 2, 0), codebook)
        at = out + row * K + j // 16 * 32 + j % 16
        tl.store(at, (low.to(tl.float32) * scale).to(tl.bfloat16), j < K // 2)
        tl.store(at + 16, (high.to(tl.float32) * scale).to(tl.bfloat16), j < K // 2)
