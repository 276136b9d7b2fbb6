/* Gemma 2's arithmetic on x86-64 processors with AVX2, AVX-512 or AMX; native.py compiles and calls it.

   octavo_step reads a few tokens through the whole network. It multiplies weights as they are stored (4 or 8 bits, bf16, fp32), since
   a token's time is the time to fetch them. The others are what a long prompt needs beside torch's matrix products: plain numbers of
   packed weights, norms, rotary positions, attention, GeGLU. Sums are fp32 everywhere. Sizes are multiples of 64, heads' of 32.

   Softmax needs no running maximum: the soft-cap (at most 60, native.py sees to that) keeps exp(score) within fp32. */

#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __AVX512F__ && defined __AVX512BW__ && defined __AVX512VL__
#define W 16 /* floats in a register */
#else
#define W 8
#endif
#define ROWS 32 /* queries, each of one head, that are worked on together; keys as well */
#define ABREAST (W / 4) /* queries whose scores are summed up at once, as registers allow */
#define MOST 8  /* tokens of one step */
#define INLINE static inline __attribute__((always_inline))
#define EACH _Pragma("omp for schedule(dynamic, 1)") for

typedef float vf __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef int vi __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef unsigned vu __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef uint16_t vh __attribute__((vector_size(2 * W), aligned(2), may_alias));

enum kind { F32, BF16, INT8, BLOCKS8, BLOCKS4 };
typedef struct {
    const uint8_t *codes; /* (rows, columns); BLOCKS4: half as many bytes, low nibbles of 16 bytes, then high ones, make 32 columns */
    const void *scales;   /* INT8: fp32 a row; BLOCKS: fp16 a row and 32 columns */
    const int8_t *values; /* BLOCKS4: what the 16 codes stand for */
    int64_t kind, rows, columns;
} matrix;
typedef struct {
    matrix q, k, v, o, gate, up, down;
    const float *norms[4]; /* before and after attention, before and after the MLP; 1 is added already */
    int64_t window;
} layer;
typedef struct {
    const layer *layers;
    const float *norm, *turns; /* turns: the angle a position, of each pair of dimensions */
    matrix embedding;
    int64_t count, hidden, inner, heads, groups, size;
    float epsilon, scale, softcap, last_softcap, embedding_scale;
} network;
typedef struct {
    uint8_t *store; /* (layer, k or v, B, groups, capacity, size) */
    const int64_t *lengths;
    int64_t rows, capacity, stride, bf16; /* stride: numbers from a layer's keys to its values */
} cache;

/* ---- numbers ---- */

INLINE vf widen(vh h) { return (vf)(__builtin_convertvector(h, vu) << 16); }
INLINE vf load(const void *p, long i, int bf16) { return bf16 ? widen(*(const vh *)((const uint16_t *)p + i)) : *(const vf *)((const float *)p + i); }
INLINE vh narrow(vf x) {
    vu u = (vu)x;
    return __builtin_convertvector((u + 0x7fff + (u >> 16 & 1)) >> 16, vh);
}
INLINE void store(void *p, long i, int bf16, vf x) {
    if (bf16) *(vh *)((uint16_t *)p + i) = narrow(x);
    else *(vf *)((float *)p + i) = x;
}
INLINE float sum(vf x) {
#if W == 16
    __m256 h = _mm512_castps512_ps256(x) + _mm512_extractf32x8_ps(x, 1);
#else
    __m256 h = x;
#endif
    __m128 q = _mm256_castps256_ps128(h) + _mm256_extractf128_ps(h, 1);
    q += _mm_movehl_ps(q, q);
    return q[0] + q[1];
}
INLINE __m128 sums(const vf x[4]) {
    __m256 h[4];
    for (int i = 0; i < 4; i++)
#if W == 16
        h[i] = _mm512_castps512_ps256(x[i]) + _mm512_extractf32x8_ps(x[i], 1);
#else
        h[i] = x[i];
#endif
    __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(h[0], h[1]), _mm256_hadd_ps(h[2], h[3]));
    return _mm256_castps256_ps128(all) + _mm256_extractf128_ps(all, 1);
}
INLINE vf splat(float x) { return x - (vf){}; }
#if W == 16
INLINE vf least(vf a, vf b) { return _mm512_min_ps(a, b); }
#else
INLINE vf least(vf a, vf b) { return _mm256_min_ps(a, b); }
#endif
INLINE vf most(vf a, vf b) { return -least(-a, -b); }
INLINE vf where(vi mask, vf x) { return (vf)(mask & (vi)x); } /* x, or 0 */
INLINE vf vexp(vf x) { /* relative error 2e-7 */
    x = least(most(x, splat(-87)), splat(88));
    vf n = x * 1.44269504f + 12582912.f - 12582912.f, r = x - n * 0.693145752f - n * 1.42860677e-6f;
    vf p = 1.f / 720 + r * (1.f / 5040);
    p = 1 + r * (1 + r * (1.f / 2 + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r * p)))));
    return (vf)((vi)p + (__builtin_convertvector(n, vi) << 23));
}
INLINE vf vtanh(vf x) { return 1 - 2 / (vexp(2 * x) + 1); }

/* ---- matrices ---- */

typedef struct { /* 4 * W of a token's numbers before a matrix, each 32 with a scale of their own */
    int8_t codes[4 * W];
    int offsets[W];  /* -128 times the sum of four codes, see `products` */
    float scales[W]; /* of each four codes, so that they lie as the sums of products do */
} block;
typedef struct {
    float *plain;  /* (tokens, size) */
    block *blocks; /* (size / (4 * W), tokens) */
    long size, tokens;
} vectors;

#if W == 16 && defined __AVX512VNNI__
#define DOT(s, a, b) (vi)_mm512_dpbusd_epi32((__m512i)(s), (__m512i)(a), (__m512i)(b))
#elif W == 8 && defined __AVXVNNI__
#define DOT(s, a, b) (vi)_mm256_dpbusd_avx_epi32((__m256i)(s), (__m256i)(a), (__m256i)(b))
#endif
#ifdef DOT /* multiplies unsigned with signed bytes: weights have 128 added, which `offsets` takes away */
#define BIAS 0x80
INLINE vi products(vi w, const block *x) { return DOT(*(vi *)x->offsets, w, *(vi *)x->codes); }
#elif W == 8
#define BIAS 0
INLINE vi products(vi w, const block *x) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)w), _mm256_sign_epi8(*(__m256i *)x->codes, (__m256i)w));
    return (vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}
#else
#error "AVX-512 without VNNI: compile for AVX2"
#endif

#if W == 16
INLINE vi spread(const uint8_t *p) { /* 32 bytes as 64 nibbles in the order of columns */
    __m512i twice = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 1, 0, 1, 2, 3, 2, 3), _mm512_castsi256_si512(*(__m256i_u *)p));
    __m512i moved = _mm512_srlv_epi64(twice, _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4));
    return (vi)_mm512_and_si512(moved, _mm512_set1_epi8(15));
}
INLINE vi pick(__m128i values, vi nibbles) { return (vi)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), (__m512i)nibbles); }
INLINE vf block_scales(const uint16_t *p) { /* of 64 columns, four by four */
    __m512 two = _mm512_castps128_ps512(_mm_cvtph_ps(_mm_loadu_si32(p)));
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1), two);
}
INLINE vf from_bytes(const int8_t *p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(*(__m128i_u *)p)); }
#else
INLINE vi spread(const uint8_t *p) {
    __m256i moved = _mm256_srlv_epi64(_mm256_broadcastsi128_si256(*(__m128i_u *)p), _mm256_setr_epi64x(0, 0, 4, 4));
    return (vi)_mm256_and_si256(moved, _mm256_set1_epi8(15));
}
INLINE vi pick(__m128i values, vi nibbles) { return (vi)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), (__m256i)nibbles); }
INLINE vf block_scales(const uint16_t *p) { return splat(_cvtsh_ss(*p)); }
INLINE vf from_bytes(const int8_t *p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadu_si64(p))); }
#endif

/* One row of w times each of `tokens` vectors; out: (tokens, stride). */
INLINE void row_times(const matrix *w, long row, const vectors *x, const int tokens, float *out, long stride) {
    const long K = w->columns;
    const block *b = x->blocks;
    vf acc[MOST] = {};
    float scale = 1;
    if (w->kind == F32 || w->kind == BF16) {
        const int bf16 = w->kind == BF16;
        const uint8_t *p = w->codes + row * K * (bf16 ? 2 : 4);
        for (long k = 0; k < K; k += W) {
            vf v = load(p, k, bf16);
            for (int t = 0; t < tokens; t++) acc[t] += v * load(x->plain, t * K + k, 0);
        }
    } else if (w->kind == BLOCKS4) {
        const uint8_t *p = w->codes + row * K / 2;
        const uint16_t *scales = (const uint16_t *)w->scales + row * K / 32;
        const __m128i values = _mm_xor_si128(*(__m128i_u *)w->values, _mm_set1_epi8((char)BIAS));
        for (long k = 0; k < K; k += 4 * W, b += tokens) {
            vi v = pick(values, spread(p + k / 2));
            vf s = block_scales(scales + k / 32);
            for (int t = 0; t < tokens; t++) acc[t] += __builtin_convertvector(products(v, b + t), vf) * (s * *(vf *)b[t].scales);
        }
    } else {
        const uint8_t *p = w->codes + row * K;
        const uint16_t *scales = w->kind == BLOCKS8 ? (const uint16_t *)w->scales + row * K / 32 : NULL;
        if (!scales) scale = ((const float *)w->scales)[row];
        for (long k = 0; k < K; k += 4 * W, b += tokens) {
            vi v = *(const vi *)(p + k) ^ (int)(BIAS * 0x01010101u);
            vf s = scales ? block_scales(scales + k / 32) : splat(1);
            for (int t = 0; t < tokens; t++) acc[t] += __builtin_convertvector(products(v, b + t), vf) * (s * *(vf *)b[t].scales);
        }
    }
    for (int t = 0; t < tokens; t++) out[t * stride + row] = sum(acc[t]) * scale;
}

/* Rows [first, last) of w. */
static void rows_times(const matrix *w, long first, long last, const vectors *x, float *out, long stride) {
    if (x->tokens == 1) for (long r = first; r < last; r++) row_times(w, r, x, 1, out, stride);
    else if (x->tokens == 2) for (long r = first; r < last; r++) row_times(w, r, x, 2, out, stride);
    else if (x->tokens == 4) for (long r = first; r < last; r++) row_times(w, r, x, 4, out, stride);
    else for (long r = first; r < last; r++) row_times(w, r, x, 8, out, stride);
}

/* Row `row` of w as plain numbers. */
static void plain_row(const matrix *w, long row, void *out, int bf16) {
    const long K = w->columns;
    int8_t bytes[32];
    for (long k = 0; k < K; k += 32) {
        float scale = 1;
        if (w->kind >= BLOCKS8) scale = _cvtsh_ss(((const uint16_t *)w->scales)[(row * K + k) / 32]);
        else if (w->kind == INT8) scale = ((const float *)w->scales)[row];
        const int8_t *p = (const int8_t *)w->codes + row * K + k;
        if (w->kind == BLOCKS4) {
            __m128i codes = *(__m128i_u *)(w->codes + (row * K + k) / 2), values = *(__m128i_u *)w->values, low = _mm_set1_epi8(15);
            ((__m128i_u *)bytes)[0] = _mm_shuffle_epi8(values, _mm_and_si128(codes, low));
            ((__m128i_u *)bytes)[1] = _mm_shuffle_epi8(values, _mm_and_si128(_mm_srli_epi16(codes, 4), low));
            p = bytes;
        }
        for (int i = 0; i < 32; i += W)
            if (w->kind <= BF16) store(out, k + i, bf16, load(w->codes, row * K + k + i, w->kind == BF16));
            else store(out, k + i, bf16, from_bytes(p + i) * scale);
    }
}

/* The codes of `size` of a token's numbers, from `first` on. */
static void quantise(vectors *v, long token, long first, long size) {
    for (long at = first; at < first + size; at += 32) {
        const float *x = v->plain + token * v->size + at;
        block *b = v->blocks + at / (4 * W) * v->tokens + token;
        const long half = at % (4 * W);
        vf high = {};
        for (int i = 0; i < 32; i += W) high = most(high, most(load(x, i, 0), -load(x, i, 0)));
        float top = 0;
        for (int i = 0; i < W; i++) top = high[i] > top ? high[i] : top;
        const float inverse = top > 0 ? 127 / top : 0;
        int8_t *c = b->codes + half;
        for (int i = 0; i < 32; i++) c[i] = (int8_t)__builtin_rintf(x[i] * inverse);
        for (int i = 0; i < 8; i++) {
            b->scales[half / 4 + i] = top / 127;
            b->offsets[half / 4 + i] = -BIAS * (c[4 * i] + c[4 * i + 1] + c[4 * i + 2] + c[4 * i + 3]);
        }
    }
}

/* ---- norms, GeGLU, rotary positions: of one token ---- */

INLINE float rms(const float *x, long n, float epsilon) {
    vf s = {};
    for (long i = 0; i < n; i += W) s += load(x, i, 0) * load(x, i, 0);
    return 1 / sqrtf(sum(s) / n + epsilon);
}

/* x += norm(y) * after, where there is a y; out = norm(x) * before. */
static void add_norm(float *x, const void *y, const float *after, const float *before, void *out, int bf16, long n, float epsilon) {
    if (y) {
        float plain[n];
        for (long i = 0; i < n; i += W) store(plain, i, 0, load(y, i, bf16));
        const float s = rms(plain, n, epsilon);
        for (long i = 0; i < n; i += W) store(x, i, 0, load(x, i, 0) + load(plain, i, 0) * s * load(after, i, 0));
    }
    const float s = rms(x, n, epsilon);
    for (long i = 0; i < n; i += W) store(out, i, bf16, load(x, i, 0) * s * load(before, i, 0));
}

/* gate = gelu_tanh(gate) * up */
static void geglu(void *gate, const void *up, int bf16, long n) {
    for (long i = 0; i < n; i += W) {
        vf g = load(gate, i, bf16), u = g * (0.797884561f + 0.0356774081f * g * g);
        store(gate, i, bf16, g / (1 + vexp(-2 * u)) * load(up, i, bf16));
    }
}

INLINE void rotate(const void *in, int in_bf16, void *out, int out_bf16, const float *cosines, const float *sines, long size) {
    for (long i = 0; i < size / 2; i += W) {
        vf a = load(in, i, in_bf16), b = load(in, i + size / 2, in_bf16), c = load(cosines, i, 0), s = load(sines, i, 0);
        store(out, i, out_bf16, a * c - b * s);
        store(out, i + size / 2, out_bf16, b * c + a * s);
    }
}

/* ---- attention ---- */

typedef struct {
    const void *q; /* (row of the batch, group, tokens * heads of a group, made up to a multiple of ROWS, size); bf16 with AMX, else fp32 */
    uint8_t *keys, *values; /* the layer's */
    const uint16_t *key_tiles, *value_tiles; /* AMX */
    const cache *kv;
    int64_t heads, groups, size, tokens, window; /* heads: of one group; tokens: of one row */
    float scale, softcap;
} job;

INLINE long made_up(long n, long to) { return (n + to - 1) / to * to; }
INLINE long of_kind(int bf16) { return bf16 ? 2 : 4; }
INLINE long position(const job *a, long row, long query) { return a->kv->lengths[row] + query / a->heads; }
INLINE long first_key(const job *a, long row, long query) {
    long first = position(a, row, query) - a->window + 1;
    return first > 0 ? first : 0;
}

/* Scores of `rows` queries from `query` on, and of the ROWS keys from `key` on, to exp(capped score); 0 where a query sees no key. */
INLINE void weigh(const job *a, long row, long query, int rows, long key, long last, const float *scores, void *weights, long stride, int bf16, vf *sums) {
    vf at[ROWS / W];
    for (int i = 0; i < ROWS; i++) at[i / W][i % W] = key + i;
    const float turn = 2 * a->scale / a->softcap;
    for (int r = 0; r < rows; r++) {
        const long here = position(a, row, query + r), from = here - a->window + 1, to = here + 1 < last ? here + 1 : last;
        for (int i = 0; i < ROWS / W; i++) {
            vf s = a->softcap - 2 * a->softcap / (vexp(load(scores, r * ROWS + i * W, 0) * turn) + 1), p = vexp(s);
            if (key < from || key + ROWS > to) p = where((at[i] >= (float)from) & (at[i] < (float)to), p);
            sums[r] += p;
            store(weights, r * stride + i * W, bf16, p);
        }
    }
}

/* out (rows, size) = weights times values, `sums` of weights, for keys [first, last) and up to ROWS queries. In fp32. */
INLINE void attend_plain(const job *a, long row, long group, long query, int rows, long first, long last, float *out, float *totals_out, const int bf16) {
    const long D = a->size, at = (row * a->groups + group) * a->kv->capacity;
    const float *q = (const float *)a->q + ((row * a->groups + group) * made_up(a->tokens * a->heads, ROWS) + query) * D;
    float p[ROWS * ROWS];
    vf totals[ROWS] = {};
    memset(out, 0, rows * D * sizeof *out);
    for (long key = first; key < last; key += ROWS) {
        const long keys = last - key < ROWS ? last - key : ROWS;
        for (int r = 0; r < rows; r += ABREAST)
            for (int j = 0; j < keys; j += 4) {
                vf acc[ABREAST][4] = {};
                long k[4];
                for (int i = 0; i < 4; i++) k[i] = (at + key + (j + i < keys ? j + i : keys - 1)) * D;
                for (long d = 0; d < D; d += W) {
                    vf v[4];
                    for (int i = 0; i < 4; i++) v[i] = load(a->keys, k[i] + d, bf16);
                    for (int n = 0; n < ABREAST; n++)
                        for (int i = 0; i < 4; i++) acc[n][i] += load(q, (r + n) * D + d, 0) * v[i];
                }
                for (int n = 0; n < ABREAST; n++) *(__m128_u *)(p + (r + n) * ROWS + j) = sums(acc[n]);
            }
        weigh(a, row, query, rows, key, last, p, p, ROWS, 0, totals);
        for (long d = 0; d < D; d += 2 * W)
            for (int r = 0; r < rows; r += 4) {
                vf acc[4][2];
                for (int i = 0; i < 8; i++) acc[i / 2][i % 2] = load(out, (r + i / 2) * D + d + i % 2 * W, 0);
                for (long j = 0; j < keys; j++) {
                    vf v0 = load(a->values, (at + key + j) * D + d, bf16), v1 = load(a->values, (at + key + j) * D + d + W, bf16);
                    for (int i = 0; i < 4; i++) {
                        acc[i][0] += p[(r + i) * ROWS + j] * v0;
                        acc[i][1] += p[(r + i) * ROWS + j] * v1;
                    }
                }
                for (int i = 0; i < 8; i++) store(out, (r + i / 2) * D + d + i % 2 * W, 0, acc[i / 2][i % 2]);
            }
    }
    for (int r = 0; r < rows; r++) totals_out[r] = sum(totals[r]);
}

#if defined __AMX_BF16__ && W == 16
#define TILES 1
#define SPAN 256 /* keys weighed before values are added up */
static int tiles_allowed(void) { return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18) == 0; }

/* Keys and values of the 32 positions from `key` on, in the order in which AMX multiplies them: pairs of two bf16, 16 of them a row. */
static void pack(const job *a, long group, long key, long last, uint16_t *key_tiles, uint16_t *value_tiles) {
    const long D = a->size, at = group * a->kv->capacity;
    const uint16_t *keys = (const uint16_t *)a->keys + at * D, *values = (const uint16_t *)a->values + at * D;
    uint32_t *k = (uint32_t *)(key_tiles + (group * made_up(last, ROWS) + key) * D), *v = (uint32_t *)(value_tiles + (group * made_up(last, ROWS) + key) * D);
    for (long d = 0; d < D; d += 32)
        for (int half = 0; half < 2; half++, k += 256, v += 256)
            for (int i = 0; i < 16; i++) {
                for (int n = 0; n < 16; n++) {
                    long j = key + half * 16 + n;
                    k[i * 16 + n] = j < last ? *(const uint32_t *)(keys + j * D + d + 2 * i) : 0;
                }
                long j = key + 2 * i;
                vu lo = {}, hi = {};
                if (j < last) lo = __builtin_convertvector(*(const vh *)(values + j * D + d + 16 * half), vu);
                if (j + 1 < last) hi = __builtin_convertvector(*(const vh *)(values + (j + 1) * D + d + 16 * half), vu);
                *(vu *)(v + i * 16) = lo | hi << 16;
            }
}

/* As attend_plain, for ROWS queries in bf16. Tiles 0 to 3 are sums, 4 and 5 of the left matrix, 6 and 7 of the right one. */
static void attend_tiles(const job *a, long group, long query, long first, long last, long end, float *out, float *sums) {
    static const struct { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; } shape = {
        .palette = 1, .bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&shape);
    const long D = a->size;
    const uint16_t *q = (const uint16_t *)a->q + (group * made_up(a->tokens * a->heads, ROWS) + query) * D;
    const uint16_t *key_tiles = a->key_tiles + group * made_up(end, ROWS) * D, *value_tiles = a->value_tiles + group * made_up(end, ROWS) * D;
    float scores[ROWS * ROWS] __attribute__((aligned(64)));
    uint16_t p[ROWS * SPAN] __attribute__((aligned(64)));
    vf totals[ROWS] = {};
    memset(out, 0, ROWS * D * sizeof *out);
    for (long start = first / ROWS * ROWS; start < last; start += SPAN) {
        const long keys = made_up(last - start < SPAN ? last - start : SPAN, ROWS);
        for (long j = 0; j < keys; j += ROWS) {
            _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
            for (long d = 0; d < D; d += 32) {
                _tile_loadd(4, q + d, 2 * D); _tile_loadd(5, q + 16 * D + d, 2 * D);
                const uint16_t *b = key_tiles + (start + j) * D + d * 32;
                _tile_loadd(6, b, 64); _tile_loadd(7, b + 512, 64);
                _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, scores, 128); _tile_stored(1, scores + 16, 128);
            _tile_stored(2, scores + 512, 128); _tile_stored(3, scores + 528, 128);
            weigh(a, 0, query, ROWS, start + j, last, scores, p + j, SPAN, 1, totals);
        }
        for (long d = 0; d < D; d += 32) {
            float *o = out + d;
            _tile_loadd(0, o, 4 * D); _tile_loadd(1, o + 16, 4 * D); _tile_loadd(2, o + 16 * D, 4 * D); _tile_loadd(3, o + 16 * D + 16, 4 * D);
            for (long j = 0; j < keys; j += ROWS) {
                _tile_loadd(4, p + j, 2 * SPAN); _tile_loadd(5, p + 16 * SPAN + j, 2 * SPAN);
                const uint16_t *b = value_tiles + (start + j) * D + d * 32;
                _tile_loadd(6, b, 64); _tile_loadd(7, b + 512, 64);
                _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, o, 4 * D); _tile_stored(1, o + 16, 4 * D); _tile_stored(2, o + 16 * D, 4 * D); _tile_stored(3, o + 16 * D + 16, 4 * D);
        }
    }
    for (int r = 0; r < ROWS; r++) sums[r] = sum(totals[r]);
    _tile_release();
}
#else
#define TILES 0
static int tiles_allowed(void) { return 0; }
#endif

static job layer_job(const network *n, const cache *c, long layer, const void *q, long tokens) {
    const long bytes = c->stride * of_kind(c->bf16);
    return (job){.q = q, .keys = c->store + 2 * layer * bytes, .values = c->store + (2 * layer + 1) * bytes, .kv = c,
        .heads = n->heads / n->groups, .groups = n->groups, .size = n->size, .tokens = tokens, .window = n->layers[layer].window,
        .scale = n->scale, .softcap = n->softcap};
}

/* Rotates one token's head of q into `queries`, or of k into the cache, or copies v there. head: q's, then k's, then v's. */
static void place(const job *a, long token, long head, const void *from, int bf16, void *queries, int queries_bf16, const float *cosines, const float *sines) {
    const long D = a->size, H = a->heads * a->groups, row = token / a->tokens, t = token % a->tokens;
    if (head < H) {
        long slot = (row * a->groups + head / a->heads) * made_up(a->tokens * a->heads, ROWS) + t * a->heads + head % a->heads;
        rotate(from, bf16, (uint8_t *)queries + slot * D * of_kind(queries_bf16), queries_bf16, cosines + token * D / 2, sines + token * D / 2, D);
        return;
    }
    long slot = (row * a->groups + (head - H) % a->groups) * a->kv->capacity + a->kv->lengths[row] + t;
    const int to = a->kv->bf16;
    if (head < H + a->groups) rotate(from, bf16, a->keys + slot * D * of_kind(to), to, cosines + token * D / 2, sines + token * D / 2, D);
    else for (long i = 0; i < D; i += W) store(a->values, slot * D + i, to, load(from, i, bf16));
}

/* ---- what native.py calls ---- */

int octavo_most(void) { return MOST; }

void octavo_plain(const matrix *w, int64_t first, int64_t rows, void *out, int bf16) {
#pragma omp parallel for schedule(dynamic, 16)
    for (long r = 0; r < rows; r++) plain_row(w, first + r, (uint8_t *)out + r * w->columns * of_kind(bf16), bf16);
}

void octavo_add_norm(float *x, const void *y, const float *after, const float *before, void *out, int bf16, int64_t tokens, int64_t n, float epsilon) {
    const long bytes = n * of_kind(bf16);
#pragma omp parallel for schedule(dynamic, 16)
    for (long t = 0; t < tokens; t++)
        add_norm(x + t * n, y ? (const uint8_t *)y + t * bytes : NULL, after, before, (uint8_t *)out + t * bytes, bf16, n, epsilon);
}

void octavo_geglu(void *gate, const void *up, int bf16, int64_t tokens, int64_t n, int64_t stride) {
    const long bytes = stride * of_kind(bf16);
#pragma omp parallel for schedule(dynamic, 16)
    for (long t = 0; t < tokens; t++) geglu((uint8_t *)gate + t * bytes, (const uint8_t *)up + t * bytes, bf16, n);
}

/* qkv: (tokens, (heads + 2 * groups) * size), of one row; y: (tokens, heads * size), of which the first `skipped` are left out. */
void octavo_attend(const network *n, const cache *c, int64_t layer, const void *qkv, void *y, int64_t tokens, int64_t skipped, const float *cosines, const float *sines) {
    const long D = n->size, H = n->heads, all = H + 2 * n->groups, G = H / n->groups, queries = made_up(tokens * G, ROWS);
    const int bf16 = c->bf16, tiles = TILES && bf16 && tiles_allowed();
    const long end = c->lengths[0] + tokens;
    uint8_t *q = calloc(n->groups * queries * D, of_kind(tiles));
    uint16_t *packed = tiles ? aligned_alloc(64, 4 * n->groups * made_up(end, ROWS) * D) : NULL;
    job a = layer_job(n, c, layer, q, tokens);
    a.key_tiles = packed, a.value_tiles = packed + n->groups * made_up(end, ROWS) * D;
#pragma omp parallel
    {
#pragma omp for schedule(dynamic, 16)
        for (long t = 0; t < tokens; t++)
            for (long h = 0; h < all; h++)
                place(&a, t, h, (const uint8_t *)qkv + (t * all + h) * D * of_kind(bf16), bf16, q, tiles, cosines, sines);
#if TILES
        if (tiles) {
#pragma omp for collapse(2) schedule(dynamic, 1)
            for (long g = 0; g < n->groups; g++)
                for (long key = first_key(&a, 0, 0) / ROWS * ROWS; key < end; key += ROWS) pack(&a, g, key, end, (uint16_t *)a.key_tiles, (uint16_t *)a.value_tiles);
        }
#endif
        float out[ROWS * D] __attribute__((aligned(64))), sums[ROWS];
#pragma omp for collapse(2) schedule(dynamic, 1)
        for (long block = queries - ROWS; block > skipped * G - ROWS; block -= ROWS) /* the longest first */
            for (long g = 0; g < n->groups; g++) {
                const long rows = tokens * G - block < ROWS ? tokens * G - block : ROWS;
                const long first = first_key(&a, 0, block), last = position(&a, 0, block + rows - 1) + 1;
#if TILES
                if (tiles) attend_tiles(&a, g, block, first, last, end, out, sums);
                else
#endif
                if (bf16) attend_plain(&a, 0, g, block, made_up(rows, 4), first, last, out, sums, 1);
                else attend_plain(&a, 0, g, block, made_up(rows, 4), first, last, out, sums, 0);
                for (long r = 0; r < rows; r++)
                    for (long d = 0; d < D; d += W)
                        store(y, (((block + r) / G) * H + g * G + (block + r) % G) * D + d, bf16, load(out, r * D + d, 0) / sums[r]);
            }
    }
    free(q);
    free(packed);
}

#define KEYS 256 /* of one part of a query's attention */
#define LINES 32 /* of a matrix, for one thread at a time */

static vectors new_vectors(long size, long tokens) {
    tokens = tokens <= 2 ? tokens : tokens <= 4 ? 4 : 8;
    vectors v = {.plain = aligned_alloc(64, size * tokens * 4), .blocks = aligned_alloc(64, size / (4 * W) * tokens * sizeof(block)), .size = size, .tokens = tokens};
    memset(v.plain, 0, size * tokens * 4), memset(v.blocks, 0, size / (4 * W) * tokens * sizeof(block));
    return v;
}
static void release(vectors *v) { free(v->plain), free(v->blocks); }

/* The logits of up to MOST tokens. */
static void head(const network *n, vectors *h, long tokens, float *logits) {
    const long all = n->embedding.rows;
    float some[MOST * LINES];
    EACH (long t = 0; t < tokens; t++) quantise(h, t, 0, n->hidden);
    EACH (long r = 0; r < all; r += LINES) {
        const long last = r + LINES < all ? r + LINES : all;
        rows_times(&n->embedding, r, last, h, some - r, LINES);
        for (long t = 0; t < tokens; t++)
            for (long i = r; i < last; i++) logits[t * all + i] = n->last_softcap * tanhf(some[t * LINES + i - r] / n->last_softcap);
    }
}

/* hidden: (tokens, hidden), after the last norm, at most MOST of them. */
void octavo_head(const network *n, const void *hidden, int bf16, int64_t tokens, float *logits) {
    vectors h = new_vectors(n->hidden, tokens);
    for (long i = 0; i < tokens * n->hidden; i += W) store(h.plain, i, 0, load(hidden, i, bf16));
#pragma omp parallel
    head(n, &h, tokens, logits);
    release(&h);
}

/* Reads `tokens` more tokens, ids (rows, tokens), into every row of the cache: rows * tokens at most MOST.
   logits: (rows, kept, vocabulary) of the last `kept` tokens of each row. */
void octavo_step(const network *n, const cache *c, const int64_t *ids, int64_t tokens, int64_t kept, float *logits) {
    const long D = n->size, H = n->heads, all = H + 2 * n->groups, G = H / n->groups, total = c->rows * tokens, hidden = n->hidden;
    const long queries = tokens * G, padded = made_up(queries, ROWS), blocks = padded / ROWS, rows = queries < ROWS ? made_up(queries, 4) : ROWS;
    long longest = 0;
    for (long r = 0; r < c->rows; r++) longest = c->lengths[r] + tokens > longest ? c->lengths[r] + tokens : longest;
    const long parts = made_up(longest, KEYS) / KEYS, jobs = c->rows * n->groups * blocks * parts;
    vectors h = new_vectors(hidden, total), y = new_vectors(H * D, total), inner = new_vectors(n->inner, total), ends = new_vectors(hidden, c->rows * kept);
    float *x = calloc(MOST * hidden, 4), *o = calloc(MOST * hidden, 4), *qkv = calloc(MOST * all * D, 4), *up = calloc(MOST * n->inner, 4);
    float *gate = calloc(MOST * n->inner, 4), *q = calloc(c->rows * n->groups * padded * D, 4), *turns = calloc(2 * total * D / 2, 4);
    float *outs = malloc(jobs * rows * (D + 1) * 4), *sums = outs + jobs * rows * D, *cosines = turns, *sines = turns + total * D / 2;
#pragma omp parallel
    {
        EACH (long t = 0; t < total; t++) {
            plain_row(&n->embedding, ids[t], x + t * hidden, 0);
            for (long i = 0; i < hidden; i++) x[t * hidden + i] *= n->embedding_scale;
            const float at = c->lengths[t / tokens] + t % tokens;
            for (long i = 0; i < D / 2; i++) cosines[t * D / 2 + i] = cosf(at * n->turns[i]), sines[t * D / 2 + i] = sinf(at * n->turns[i]);
        }
        for (long i = 0; i < n->count; i++) {
            const layer *l = n->layers + i;
            const job a = layer_job(n, c, i, q, tokens);
            EACH (long t = 0; t < total; t++) {
                add_norm(x + t * hidden, i ? o + t * hidden : NULL, i ? l[-1].norms[3] : NULL, l->norms[0], h.plain + t * hidden, 0, hidden, n->epsilon);
                quantise(&h, t, 0, hidden);
            }
            EACH (long r = 0; r < all * D; r += LINES) {
                const matrix *w = r < H * D ? &l->q : r < (H + n->groups) * D ? &l->k : &l->v;
                const long from = r < H * D ? 0 : r < (H + n->groups) * D ? H * D : (H + n->groups) * D;
                rows_times(w, r - from, r - from + LINES, &h, qkv + from, all * D);
            }
            EACH (long k = 0; k < total * all; k++) place(&a, k / all, k % all, qkv + k * D, 0, q, 0, cosines, sines);
            EACH (long k = 0; k < jobs; k++) {
                const long part = k % parts, block = k / parts % blocks, g = k / parts / blocks % n->groups, row = k / parts / blocks / n->groups;
                long first = first_key(&a, row, block * ROWS), last = c->lengths[row] + tokens;
                first = first > part * KEYS ? first : part * KEYS, last = last < (part + 1) * KEYS ? last : (part + 1) * KEYS;
                if (c->bf16) attend_plain(&a, row, g, block * ROWS, rows, first, last, outs + k * rows * D, sums + k * rows, 1);
                else attend_plain(&a, row, g, block * ROWS, rows, first, last, outs + k * rows * D, sums + k * rows, 0);
            }
            EACH (long k = 0; k < total * H; k++) {
                const long t = k / H, head = k % H, query = t % tokens * G + head % G;
                const long first = ((t / tokens * n->groups + head / G) * blocks + query / ROWS) * parts;
                float whole = 0;
                for (long p = 0; p < parts; p++) whole += sums[(first + p) * rows + query % ROWS];
                for (long d = 0; d < D; d += W) {
                    vf v = {};
                    for (long p = 0; p < parts; p++) v += load(outs, ((first + p) * rows + query % ROWS) * D + d, 0);
                    store(y.plain, (t * H + head) * D + d, 0, v / whole);
                }
                quantise(&y, t, head * D, D);
            }
            EACH (long r = 0; r < hidden; r += LINES) rows_times(&l->o, r, r + LINES, &y, o, hidden);
            EACH (long t = 0; t < total; t++) {
                add_norm(x + t * hidden, o + t * hidden, l->norms[1], l->norms[2], h.plain + t * hidden, 0, hidden, n->epsilon);
                quantise(&h, t, 0, hidden);
            }
            EACH (long r = 0; r < n->inner; r += LINES) {
                rows_times(&l->gate, r, r + LINES, &h, gate, n->inner);
                rows_times(&l->up, r, r + LINES, &h, up, n->inner);
                for (long t = 0; t < total; t++) {
                    geglu(gate + t * n->inner + r, up + t * n->inner + r, 0, LINES);
                    memcpy(inner.plain + t * n->inner + r, gate + t * n->inner + r, LINES * 4);
                    quantise(&inner, t, r, LINES);
                }
            }
            EACH (long r = 0; r < hidden; r += LINES) rows_times(&l->down, r, r + LINES, &inner, o, hidden);
        }
        EACH (long t = 0; t < total; t++) {
            const long left = tokens - 1 - t % tokens, slot = t / tokens * kept + kept - 1 - left; /* the kept ones to the front */
            add_norm(x + t * hidden, o + t * hidden, n->layers[n->count - 1].norms[3], n->norm, o + t * hidden, 0, hidden, n->epsilon);
            if (left < kept) memcpy(ends.plain + slot * hidden, o + t * hidden, hidden * 4);
        }
        head(n, &ends, c->rows * kept, logits);
    }
    release(&h), release(&y), release(&inner), release(&ends);
    free(x), free(o), free(qkv), free(up), free(gate), free(q), free(turns), free(outs);
}
