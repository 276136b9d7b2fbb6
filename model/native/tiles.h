/* AMX: products of bf16 matrices, for long texts. A tile is 16 rows of 64 bytes. A left matrix has rows of 32 bf16; a right one, of 32 rows
   and 16 columns, has pairs of rows side by side, which is why weights, keys and values are packed before. */

#include <sys/syscall.h>
#include <unistd.h>

#if defined __AMX_BF16__ && defined __AVX512BF16__ && W == 16
#define TILES 1
#define DEPTH 1024 /* columns of a matrix multiplied at a time: what they are multiplied with stays in the nearest caches */
#define PANELS 4  /* of 32 rows of a matrix each, that one thread multiplies at a time */

static int tiles_allowed(void) { return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18) == 0; }

static void configure_tiles(void) {
    static const struct { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; } shape = {
        .palette = 1, .bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&shape);
}
/* Tiles 0 to 3, sums of 32 rows and 32 columns, += left (32, 32), its halves `next` numbers apart, times right, two tiles. */
#define ADD_PRODUCTS(left, next, stride, right)                                                    \
    do {                                                                                           \
        _tile_loadd(6, right, 64);                                                                 \
        _tile_loadd(4, left, 2 * (stride));                                                        \
        _tile_dpbf16ps(0, 4, 6);                                                                   \
        _tile_loadd(7, (right) + 512, 64);                                                         \
        _tile_dpbf16ps(1, 4, 7);                                                                   \
        _tile_loadd(5, (left) + (next), 2 * (stride));                                             \
        _tile_dpbf16ps(2, 5, 6);                                                                   \
        _tile_dpbf16ps(3, 5, 7);                                                                   \
    } while (0)
#define EACH_SUM(what, p, stride)                                                                  \
    do {                                                                                           \
        what(0, p, 4 * (stride));                                                                  \
        what(1, (p) + 16, 4 * (stride));                                                           \
        what(2, (p) + 16 * (stride), 4 * (stride));                                                \
        what(3, (p) + 16 * (stride) + 16, 4 * (stride));                                           \
    } while (0)

#define CLEAR_SUMS()                                                                               \
    do {                                                                                           \
        _tile_zero(0);                                                                             \
        _tile_zero(1);                                                                             \
        _tile_zero(2);                                                                             \
        _tile_zero(3);                                                                             \
    } while (0)

/* r (16, 16) of 32 bits, turned over, to `out`. */
INLINE void transpose(__m512i r[16], uint32_t *out) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int n = 0; n < 2; n++) {
            r[i + 2 * n] = _mm512_unpacklo_epi64(t[i + n], t[i + n + 2]);
            r[i + 2 * n + 1] = _mm512_unpackhi_epi64(t[i + n], t[i + n + 2]);
        }
    for (int i = 0; i < 4; i++)
        for (int n = 0; n < 2; n++) {
            t[8 * n + i] = _mm512_shuffle_i32x4(r[8 * n + i], r[8 * n + i + 4], 0x88);
            t[8 * n + i + 4] = _mm512_shuffle_i32x4(r[8 * n + i], r[8 * n + i + 4], 0xdd);
        }
    for (int i = 0; i < 8; i++) {
        _mm512_storeu_si512(out + i * 16, _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88));
        _mm512_storeu_si512(out + (i + 8) * 16, _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd));
    }
}

/* ---- matrices ---- */

/* 32 columns of a row as bf16. */
INLINE __m512i some_plain(const matrix *w, const int kind, long row, long k) {
    const long at = row * w->columns + k;
    if (kind == BF16) return _mm512_loadu_si512((const uint16_t *)w->codes + at);
    __m512i bytes; /* of 32 columns, in the lower half */
    float scale = 1;
    if (kind == F32) return (__m512i)_mm512_cvtne2ps_pbh(load(w->codes, at + 16, 0), load(w->codes, at, 0));
    if (kind == BLOCKS4) {
        const __m256i two = _mm256_broadcastsi128_si256(*(__m128i_u *)(w->codes + at / 2));
        const __m256i codes = _mm256_and_si256(_mm256_srlv_epi64(two, _mm256_setr_epi64x(0, 0, 4, 4)), _mm256_set1_epi8(15));
        bytes = _mm512_castsi256_si512(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(*(__m128i_u *)w->values), codes));
    } else bytes = _mm512_castsi256_si512(*(__m256i_u *)(w->codes + at));
    if (kind == INT8) scale = ((const float *)w->scales)[row];
    else scale = _cvtsh_ss(((const uint16_t *)w->scales)[at / 32]);
    const vf low = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm512_castsi512_si128(bytes))) * scale;
    const vf high = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm512_extracti32x4_epi32(bytes, 1))) * scale;
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* 32 rows of w and columns [first, last) as right tiles: (columns / 32, 2 tiles). */
INLINE void pack_kind(const matrix *w, const int kind, long row, long first, long last, uint16_t *out) {
    for (long k = first; k < last; k += 32)
        for (int half = 0; half < 2; half++, out += 512) {
            __m512i r[16];
            for (int n = 0; n < 16; n++) r[n] = some_plain(w, kind, row + 16 * half + n, k);
            transpose(r, (uint32_t *)out);
        }
}
static void pack_rows(const matrix *w, long row, long first, long last, uint16_t *out) {
    if (w->kind == F32) pack_kind(w, F32, row, first, last, out);
    else if (w->kind == BF16) pack_kind(w, BF16, row, first, last, out);
    else if (w->kind == INT8) pack_kind(w, INT8, row, first, last, out);
    else if (w->kind == BLOCKS8) pack_kind(w, BLOCKS8, row, first, last, out);
    else pack_kind(w, BLOCKS4, row, first, last, out);
}

/* Rows [first, last) of w, at most 32 * PANELS, times x: left tiles (tokens / 32, columns / 32, 2). out: (tokens, stride). */
static void tiles_times(
    const matrix *w, long first, long last, const uint16_t *x, long tokens, uint16_t *right, float *sums, uint16_t *out, long stride) {
    const long K = w->columns, blocks = (tokens + 31) / 32, depth = made_up((K - 1) / ((K + DEPTH - 1) / DEPTH) + 1, 32);
    configure_tiles();
    for (long k = 0; k < K; k += depth) {
        const long end = k + depth < K ? k + depth : K;
        for (long row = first; row < last; row += 32) pack_rows(w, row, k, end, right + (row - first) * depth);
        for (long b = 0; b < blocks; b++)
            for (long row = first; row < last; row += 32) {
                float *s = sums + (b * (last - first) + row - first) * 32;
                const uint16_t *l = x + (b * K + k) * 32, *r = right + (row - first) * depth;
                if (k) EACH_SUM(_tile_loadd, s, 32);
                else CLEAR_SUMS();
                for (long i = 0; i < end - k; i += 32) ADD_PRODUCTS(l + i * 32, 512, 32, r + i * 32);
                EACH_SUM(_tile_stored, s, 32);
            }
    }
    _tile_release();
    for (long t = 0; t < tokens; t++)
        for (long row = first; row < last; row += 16) {
            const float *s = sums + (t / 32 * (last - first) + (row - first) / 32 * 32) * 32;
            store(out, t * stride + row, 1, load(s, t % 32 * 32 + row % 32, 0));
        }
}

/* x (tokens, columns) times `count` matrices, side by side: out (tokens, rows of all). */
static void tiles_multiply(const matrix *w, long count, const uint16_t *x, long tokens, uint16_t *out, long threads) {
    const long K = w->columns, blocks = (tokens + 31) / 32;
    long all = 0;
    for (long i = 0; i < count; i++) all += w[i].rows;
    const long lines = all < 64 * PANELS * threads ? 64 : 32 * PANELS;
    uint16_t *left = aligned_alloc(64, blocks * 32 * K * 2);
#pragma omp parallel num_threads((int)threads)
    {
        uint16_t *right = aligned_alloc(64, lines * DEPTH * 2);
        float *sums = aligned_alloc(64, lines * blocks * 32 * 4);
        EACH (long b = 0; b < blocks; b++)
            for (long k = 0; k < K; k += 32)
                for (long r = 0; r < 32; r++) {
                    uint16_t *to = left + (b * K + k + r) * 32;
                    if (b * 32 + r < tokens) memcpy(to, x + (b * 32 + r) * K + k, 64);
                    else memset(to, 0, 64);
                }
        for (long i = 0, from = 0; i < count; from += w[i++].rows) {
#pragma omp for schedule(dynamic, 1) nowait
            for (long r = 0; r < w[i].rows; r += lines)
                tiles_times(w + i, r, r + lines < w[i].rows ? r + lines : w[i].rows, left, tokens, right, sums, out + from, all);
        }
        free(right);
        free(sums);
    }
    free(left);
}

/* ---- attention ---- */

/* Keys and values of the 32 positions from `key` on as right tiles. */
static void pack_tiles(const job *a, long group, long key, long last) {
    const long D = a->size, at = (group * made_up(last, ROWS) + key) * D;
    const uint16_t *keys = (const uint16_t *)held(a, 0, group, 0), *values = (const uint16_t *)held(a, 0, group, 1);
    uint32_t *k = (uint32_t *)((uint16_t *)a->keys + at), *v = (uint32_t *)((uint16_t *)a->values + at);
    for (long d = 0; d < D; d += 32)
        for (int half = 0; half < 2; half++, k += 256, v += 256) {
            __m512i r[16];
            for (int n = 0; n < 16; n++) {
                const long j = key + half * 16 + n;
                r[n] = j < last ? _mm512_loadu_si512(keys + j * D + d) : _mm512_setzero_si512();
            }
            transpose(r, k);
            for (int i = 0; i < 16; i++) {
                const long j = key + 2 * i;
                vu low = {}, high = {};
                if (j < last) low = __builtin_convertvector(*(const vh *)(values + j * D + d + 16 * half), vu);
                if (j + 1 < last) high = __builtin_convertvector(*(const vh *)(values + (j + 1) * D + d + 16 * half), vu);
                *(vu *)(v + i * 16) = low | high << 16;
            }
        }
}

/* As attend_panels, all in bf16. */
static void attend_tiles(const job *a, long group, long query, long first, long last, long end, float *out, float *totals) {
    const long D = a->size;
    const uint16_t *q = (const uint16_t *)a->q + (group * queries(a) + query) * D;
    const long at = group * made_up(end, ROWS) * D;
    const uint16_t *k = (uint16_t *)a->keys + at, *v = (uint16_t *)a->values + at;
    float scores[ROWS * ROWS] __attribute__((aligned(64)));
    uint16_t p[ROWS * SPAN] __attribute__((aligned(64)));
    vf found[ROWS] = {};
    configure_tiles();
    memset(out, 0, ROWS * D * sizeof *out);
    for (long start = first / ROWS * ROWS; start < last; start += SPAN) {
        const long keys = made_up(last - start < SPAN ? last - start : SPAN, ROWS);
        for (long j = 0; j < keys; j += ROWS) {
            CLEAR_SUMS();
            for (long d = 0; d < D; d += 32) ADD_PRODUCTS(q + d, 16 * D, D, k + (start + j) * D + d * 32);
            EACH_SUM(_tile_stored, scores, ROWS);
            weigh(a, 0, query, ROWS, start + j, last, scores, p + j, SPAN, 1, found);
        }
        for (long d = 0; d < D; d += 32) {
            EACH_SUM(_tile_loadd, out + d, D);
            for (long j = 0; j < keys; j += ROWS) ADD_PRODUCTS(p + j, 16 * SPAN, SPAN, v + (start + j) * D + d * 32);
            EACH_SUM(_tile_stored, out + d, D);
        }
    }
    _tile_release();
    for (int r = 0; r < ROWS; r++) totals[r] = sum(found[r]);
}
#else
#define TILES 0
static int tiles_allowed(void) { return 0; }
#endif
