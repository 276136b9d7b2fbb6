/* Matrices as they are stored, times a few tokens' vectors. A token's time is the time to fetch the weights, so they are never unpacked
   to memory: 8 and 4 bits are multiplied as integers, with vectors that are rounded to 8 bits in blocks of 32. */

#define TOGETHER 8 /* vectors that a row is multiplied with at once */
#define AHEAD 4096 /* bytes, from what is multiplied to what is fetched: a processor itself looks no further than a page */

enum kind { F32, BF16, INT8, BLOCKS8, BLOCKS4 };
typedef struct {
    const uint8_t *codes; /* (rows, columns); BLOCKS4: low nibbles of 16 bytes, then their high ones, are 32 columns */
    const void *scales;   /* INT8: fp32 (rows); BLOCKS: fp16 (rows, columns / 32) */
    const int8_t *values; /* BLOCKS4: what the 16 codes stand for */
    int64_t kind, rows, columns;
} matrix;

typedef struct { /* 4 * W numbers of a vector, each 32 of them with a scale */
    int8_t codes[4 * W];
    int offsets[W];  /* -BIAS times the sum of four codes, see `products` */
    float scales[W]; /* of each four codes, so that they lie as the sums of products do */
} block;
typedef struct {
    float *plain;  /* (tokens, size) */
    block *blocks; /* (tokens / TOGETHER, size / (4 * W), together): what a row is multiplied with at once lies together */
    long size, tokens;
} vectors;

/* Products of unsigned with signed bytes, four added up: weights have BIAS added, which `offsets` takes away again. */
#if W == 16
#define BIAS 0x80
INLINE vi products(vi w, const block *x) { return (vi)_mm512_dpbusd_epi32(*(__m512i *)x->offsets, (__m512i)w, *(__m512i *)x->codes); }
#elif defined __AVXVNNI__
#define BIAS 0x80
INLINE vi products(vi w, const block *x) { return (vi)_mm256_dpbusd_avx_epi32(*(__m256i *)x->offsets, (__m256i)w, *(__m256i *)x->codes); }
#else /* the sign goes to the other factor: 16 bits hold two products of 127 * 127 */
#define BIAS 0
INLINE vi products(vi w, const block *x) {
    const __m256i two = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)w), _mm256_sign_epi8(*(__m256i *)x->codes, (__m256i)w));
    return (vi)_mm256_madd_epi16(two, _mm256_set1_epi16(1));
}
#endif

/* spread: packed codes of 4 * W columns, a byte each; pick: what they stand for; block_scales: of each four columns. */
#if W == 16
INLINE vi spread(const uint8_t *p) {
    const __m512i twice = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 1, 0, 1, 2, 3, 2, 3), _mm512_castsi256_si512(*(__m256i_u *)p));
    return (vi)_mm512_and_si512(_mm512_srlv_epi64(twice, _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4)), _mm512_set1_epi8(15));
}
INLINE vi pick(__m128i values, vi codes) { return (vi)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), (__m512i)codes); }
INLINE vf block_scales(const uint16_t *p) {
    const __m512 two = _mm512_castps128_ps512(_mm_cvtph_ps(_mm_loadu_si32(p)));
    return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1), two);
}
INLINE vf from_bytes(const int8_t *p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(*(__m128i_u *)p)); }
#else
INLINE vi spread(const uint8_t *p) {
    const __m256i twice = _mm256_broadcastsi128_si256(*(__m128i_u *)p);
    return (vi)_mm256_and_si256(_mm256_srlv_epi64(twice, _mm256_setr_epi64x(0, 0, 4, 4)), _mm256_set1_epi8(15));
}
INLINE vi pick(__m128i values, vi codes) { return (vi)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), (__m256i)codes); }
INLINE vf block_scales(const uint16_t *p) { return splat(_cvtsh_ss(*p)); }
INLINE vf from_bytes(const int8_t *p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadu_si64(p))); }
#endif

INLINE long together(long tokens) { return tokens < TOGETHER ? tokens : TOGETHER; }

static vectors new_vectors(long size, long tokens) {
    const long plain = tokens * size * 4, blocks = tokens * size / (4 * W) * sizeof(block);
    return (vectors){memset(aligned_alloc(64, plain), 0, plain), memset(aligned_alloc(64, blocks), 0, blocks), size, tokens};
}
static void release(vectors *v) {
    free(v->plain);
    free(v->blocks);
}

/* Rounds `size` of a token's numbers, from `first` on, to blocks. */
static void quantise(vectors *v, long token, long first, long size) {
    const long head = token / TOGETHER * TOGETHER, step = together(v->tokens - head);
    for (long at = first; at < first + size; at += 32) {
        const float *x = v->plain + token * v->size + at;
        block *b = v->blocks + head * v->size / (4 * W) + at / (4 * W) * step + token - head;
        const long half = at % (4 * W);
        int8_t *c = b->codes + half;
        vf high = {};
        for (int i = 0; i < 32; i += W) high = most(high, most(load(x, i, 0), -load(x, i, 0)));
        float top = 0;
        for (int i = 0; i < W; i++) top = high[i] > top ? high[i] : top;
        const float inverse = top > 0 ? 127 / top : 0;
        for (int i = 0; i < 32; i++) c[i] = (int8_t)__builtin_rintf(x[i] * inverse);
        for (int i = 0; i < 8; i++) {
            b->scales[half / 4 + i] = top / 127;
            b->offsets[half / 4 + i] = -BIAS * (c[4 * i] + c[4 * i + 1] + c[4 * i + 2] + c[4 * i + 3]);
        }
    }
}

/* Rows [first, last) of w times some vectors. */
INLINE void multiply(
    const matrix *w, const int kind, long first, long last, const float *plain, const block *x, const int tokens, float *out, long stride) {
    const long K = w->columns;
    for (long row = first; row < last; row++) {
        const block *b = x;
        vf acc[TOGETHER] = {};
        if (kind <= BF16) {
            vf more[TOGETHER] = {}; /* two sums, since each addition waits for the one before */
            for (long k = 0; k < K; k += 2 * W) {
                const vf v0 = load(w->codes, row * K + k, kind == BF16), v1 = load(w->codes, row * K + k + W, kind == BF16);
                __builtin_prefetch(w->codes + (row * K + k) * width(kind == BF16) + AHEAD);
                for (int t = 0; t < tokens; t++) {
                    acc[t] += v0 * load(plain, t * K + k, 0);
                    more[t] += v1 * load(plain, t * K + k + W, 0);
                }
            }
            for (int t = 0; t < tokens; t++) acc[t] += more[t];
        } else {
            const uint8_t *p = w->codes + (kind == BLOCKS4 ? row * K / 2 : row * K);
            const uint16_t *scales = (const uint16_t *)w->scales + row * K / 32;
            __m128i values = _mm_set1_epi8((char)BIAS);
            if (kind == BLOCKS4) values = _mm_xor_si128(values, *(__m128i_u *)w->values);
            for (long k = 0; k < K; k += 4 * W, b += tokens) {
                vi v;
                __builtin_prefetch(p + (kind == BLOCKS4 ? k / 2 : k) + AHEAD);
                if (kind == BLOCKS4) v = pick(values, spread(p + k / 2));
                else v = *(const vi *)(p + k) ^ (int)(BIAS * 0x01010101u);
                const vf s = kind == INT8 ? splat(1) : block_scales(scales + k / 32);
                for (int t = 0; t < tokens; t++) acc[t] += __builtin_convertvector(products(v, b + t), vf) * (s * *(vf *)b[t].scales);
            }
        }
        const float scale = kind == INT8 ? ((const float *)w->scales)[row] : 1;
        for (int t = 0; t < tokens; t++) out[t * stride + row] = sum(acc[t]) * scale;
    }
}

#define FOR_COUNT(KIND, COUNT) \
    case COUNT: multiply(w, KIND, first, last, plain, x, COUNT, to, stride); break;
#define FOR_TOKENS(KIND)                                                                           \
    switch (count) {                                                                               \
        FOR_COUNT(KIND, 1) FOR_COUNT(KIND, 2) FOR_COUNT(KIND, 3) FOR_COUNT(KIND, 4)                 \
        FOR_COUNT(KIND, 5) FOR_COUNT(KIND, 6) FOR_COUNT(KIND, 7) FOR_COUNT(KIND, TOGETHER)          \
    }

/* Rows [first, last) of w times all vectors; out: (tokens, stride). */
static void rows_times(const matrix *w, long first, long last, const vectors *v, float *out, long stride) {
    for (long head = 0; head < v->tokens; head += TOGETHER) {
        const long count = together(v->tokens - head);
        const float *plain = v->plain + head * v->size;
        const block *x = v->blocks + head * v->size / (4 * W);
        float *to = out + head * stride;
        switch (w->kind) {
        case F32: FOR_TOKENS(F32) break;
        case BF16: FOR_TOKENS(BF16) break;
        case INT8: FOR_TOKENS(INT8) break;
        case BLOCKS8: FOR_TOKENS(BLOCKS8) break;
        default: FOR_TOKENS(BLOCKS4)
        }
    }
}

/* Of 32 packed columns of a row: what their codes stand for, in `room` where they aren't stored so; and their scale. */
INLINE const int8_t *block_codes(const matrix *w, const int kind, long row, long k, int8_t room[32]) {
    const long at = row * w->columns + k;
    if (kind != BLOCKS4) return (const int8_t *)w->codes + at;
    const __m128i codes = *(__m128i_u *)(w->codes + at / 2), values = *(__m128i_u *)w->values, low = _mm_set1_epi8(15);
    ((__m128i_u *)room)[0] = _mm_shuffle_epi8(values, _mm_and_si128(codes, low));
    ((__m128i_u *)room)[1] = _mm_shuffle_epi8(values, _mm_and_si128(_mm_srli_epi16(codes, 4), low));
    return room;
}
INLINE float block_scale(const matrix *w, const int kind, long row, long k) {
    return kind == INT8 ? ((const float *)w->scales)[row] : _cvtsh_ss(((const uint16_t *)w->scales)[(row * w->columns + k) / 32]);
}

/* One row of w as plain numbers. */
INLINE void plain_row(const matrix *w, const int kind, long row, void *out, int bf16) {
    for (long k = 0; k < w->columns; k += 32) {
        int8_t room[32];
        const int8_t *p = block_codes(w, kind, row, k, room);
        for (int i = 0; i < 32; i += W) store(out, k + i, bf16, from_bytes(p + i) * block_scale(w, kind, row, k));
    }
}
static void plain(const matrix *w, long row, void *out, int bf16) {
    const long K = w->columns;
    if (w->kind <= BF16) for (long k = 0; k < K; k += W) store(out, k, bf16, load(w->codes, row * K + k, w->kind == BF16));
    else if (w->kind == INT8) plain_row(w, INT8, row, out, bf16);
    else if (w->kind == BLOCKS8) plain_row(w, BLOCKS8, row, out, bf16);
    else plain_row(w, BLOCKS4, row, out, bf16);
}
