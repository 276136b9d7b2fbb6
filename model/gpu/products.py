# mypy: ignore-errors
# ruff: noqa: RUF005  (Triton knows no starred tuples)
"""Triton kernels that multiply matrices, as they are stored, with a few vectors: what a step of some tokens is made of.

Such a step is bound by reading the weights, so these read without a pause, several blocks ahead, the first ones beside the kernel before.
Plain weights go through the tensor cores. Packed ones are multiplied as they are, as 8-bit integers with vectors rounded to 8 bits in
groups of 32: unpacking them to bfloat16 took longer than reading them. Shares of a sum are written by one kernel and added up by the next,
always in the same order: the same text gives the same numbers.
"""

import triton
import triton.language as tl

from model.gpu.common import GROUP, LOG2E, begin, gelu, rounded, wait


@triton.jit
def _prefetch(addresses):
    """256 bytes from each address on, from memory into the L2 cache."""
    tl.inline_asm_elementwise(
        "cp.async.bulk.prefetch.L2.global [$1], 256; mov.u32 $0, 0;", "=r,l", [addresses.to(tl.int64)], tl.int32, is_pure=False, pack=1
    )  # fmt: skip


@triton.jit
def _rows(program, N: tl.constexpr, BN: tl.constexpr, END: tl.constexpr):
    """The rows of w that a program multiplies: for "geglu" half of them are gates, half the ups that belong to them."""
    i = tl.arange(0, BN)
    if END == "geglu":
        return program * (BN // 2) + i % (BN // 2) + i // (BN // 2) * (N // 2)
    return program * BN + i


@triton.jit
def _finish(
    products, program, share, r, out, codes, scales, R, cap, N: tl.constexpr, BN: tl.constexpr, END: tl.constexpr
):  # fmt: skip
    """What becomes of the products (BN, rows of x) of rows `program` of w.

    "sum" writes shares in fp32 (SPLITS, R, N), to be added up by who reads them; "geglu" takes w as gates over ups and writes
    gelu(gate) * up (R, N / 2), and in 8 bits where there are `codes`; "cap" writes soft-capped logits (R, N).
    """
    if END == "geglu":
        gate, up = products.reshape(2, BN // 2, products.shape[1]).permute(1, 2, 0).split()
        n = program * (BN // 2) + tl.arange(0, BN // 2)
        act = (gelu(gate) * up).T
        tl.store(out + r[:, None] * (N // 2) + n[None, :], act.to(tl.bfloat16), r[:, None] < R)
        if codes is not None:  # a program's rows are one group
            code, scale = rounded(act)
            tl.store(codes + r[:, None] * (N // 2) + n[None, :], code, r[:, None] < R)
            tl.store(scales + r * (N // 2 // GROUP) + program, scale, r < R)
    else:
        if END == "cap":
            products = cap - 2 * cap / (1 + tl.exp2(products * (2 * LOG2E / cap)))
        n = _rows(program, N, BN, END)
        tl.store(out + (share * R + r[None, :]).to(tl.int64) * N + n[:, None], products, r[None, :] < R)


@triton.jit(do_not_specialize=["R"])
def matvec(
    x, w, out, codes, scales, R, cap,
    N: tl.constexpr, K: tl.constexpr, SPLITS: tl.constexpr, END: tl.constexpr,
    BN: tl.constexpr, BK: tl.constexpr, STAGES: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """x @ w.T for R <= 16 rows of x (R, K), BN rows of w and a share of its columns a program; see `_finish`."""
    begin(PDL)
    program, share = tl.program_id(0), tl.program_id(1)
    first = share * (K // SPLITS)
    start = w + _rows(program, N, BN, END).to(tl.int64)[:, None] * K + first
    if PDL:
        _prefetch(start + tl.arange(0, 2 if K // SPLITS >= 256 else 1)[None, :] * 128)
    wait(PDL)
    r = tl.arange(0, 16)
    products = tl.zeros((BN, 16), tl.float32)
    for at in tl.range(0, K // SPLITS, BK, num_stages=STAGES):
        k = at + tl.arange(0, BK)
        values = tl.load(x + r[:, None] * K + first + k[None, :], r[:, None] < R, 0.0)
        products = tl.dot(tl.load(start + k[None, :]), values.T, products)
    _finish(products, program, share, r, out, codes, scales, R, cap, N, BN, END)


@triton.jit
def _dot4(a, b, c):
    """c + the products of four signed bytes in each of a and b."""
    return tl.inline_asm_elementwise("dp4a.s32.s32 $0, $1, $2, $3;", "=r,r,r,r", [a, b, c], dtype=tl.int32, is_pure=True, pack=1)


@triton.jit(do_not_specialize=["R"])
def matvec_packed(
    x, x_scales, w, w_scales, out, codes, scales, R, cap,
    N: tl.constexpr, K: tl.constexpr, SPLITS: tl.constexpr, WORDS: tl.constexpr, END: tl.constexpr, GROUPED: tl.constexpr,
    ROWS: tl.constexpr, BN: tl.constexpr, BG: tl.constexpr, STAGES: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """The same for packed weights and rounded x, of which a program takes ROWS rows: programs of the same weights run beside each other.

    All in words of 4 bytes, of which a group of 32 weights has WORDS: 4 or 8 (linear.py says how they are packed). GROUPED: w_scales
    are of groups (N, K / 32), not of rows (N,).
    """
    begin(PDL)
    program, share = tl.program_id(1), tl.program_id(2)
    n = _rows(program, N, BN, END).to(tl.int64)
    GROUPS: tl.constexpr = K // GROUP // SPLITS  # of a row's share
    first = share * GROUPS
    if PDL and GROUPS * WORDS >= 128:
        _prefetch(w + (n[:, None] * (K // GROUP) + first) * WORDS + tl.arange(0, 2)[None, :] * 64)
    wait(PDL)
    group, word = first + tl.arange(0, BG), first * WORDS + tl.arange(0, BG * WORDS)
    sums = ()
    for _ in tl.static_range(ROWS):
        sums = sums + (tl.zeros((BN, BG), tl.float32),)
    for at in tl.range(0, GROUPS, BG, num_stages=STAGES):
        j, g = (at * WORDS + word)[None, :], (at + group)[None, :]
        packed = tl.load(w + n[:, None] * (K // GROUP * WORDS) + j)
        if WORDS == 4:  # a word's low halves belong to four columns, its high ones to those 16 further on
            low, high = packed & 0x0F0F0F0F, (packed >> 4) & 0x0F0F0F0F
        if GROUPED:
            w_scale = tl.load(w_scales + n[:, None] * (K // GROUP) + g).to(tl.float32)
        more = ()
        for i in tl.static_range(ROWS):
            row = tl.minimum(tl.program_id(0) * ROWS + i, R - 1)
            column = x + row * (K // 4) + j // WORDS * 8 + j % WORDS
            if WORDS == 4:
                x_low, x_high = tl.load(column), tl.load(column + 4)
                eight = tl.full(x_low.shape, -0x07070708, tl.int32)  # four times -8, since codes from 0 to 15 stand for -8 to 7
                found = _dot4(low, x_low, _dot4(high, x_high, _dot4(eight, x_low, _dot4(eight, x_high, 0))))
            else:
                found = _dot4(packed, tl.load(column), 0)
            scale = tl.load(x_scales + row * (K // GROUP) + g)
            if GROUPED:
                scale = scale * w_scale
            more = more + (sums[i] + tl.sum(found.reshape(BN, BG, WORDS), 2).to(tl.float32) * scale,)
        sums = more
    for i in tl.static_range(ROWS):
        products = tl.sum(sums[i], 1)[:, None]
        if not GROUPED:
            products *= tl.load(w_scales + n)[:, None]
        r = tl.program_id(0) * ROWS + i + tl.arange(0, 1)
        _finish(products, program, share, r, out, codes, scales, R, cap, N, BN, END)


@triton.jit
def unpack(w, scales, out, K: tl.constexpr, FOUR: tl.constexpr, GROUPED: tl.constexpr, BLOCK: tl.constexpr):
    """Packed weights (N, K), byte by byte, made plain: BLOCK bytes of a row a program."""
    row = tl.program_id(0).to(tl.int64)
    WIDTH: tl.constexpr = K // 2 if FOUR else K  # bytes of a row
    byte = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = byte < WIDTH
    codes = tl.load(w + row * WIDTH + byte, inside, 0)
    column = byte // 16 * GROUP + byte % 16 if FOUR else byte  # and 16 further on what lies in the high half
    scale = tl.load(scales + (row * (K // GROUP) + column // GROUP if GROUPED else row + column * 0), inside, 0.0).to(tl.float32)
    if FOUR:
        tl.store(out + row * K + column, (((codes & 15) - 8).to(tl.float32) * scale).to(tl.bfloat16), inside)
        tl.store(out + row * K + column + 16, ((((codes >> 4) & 15) - 8).to(tl.float32) * scale).to(tl.bfloat16), inside)
    else:
        tl.store(out + row * K + column, (codes.to(tl.float32) * scale).to(tl.bfloat16), inside)
