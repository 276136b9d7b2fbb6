/* Products of long texts with packed weights, where there are no tiles: of 16-bit integers, two columns at a time, twice as many in an
   instruction as of floats. A token's numbers are rounded to 16 bits with one scale; the weights' codes stay what they are, and their
   blocks' sums are exact. */

#define CHUNK 48                  /* tokens that one thread multiplies at a time, with BAND rows */
#define BAND 64
#define UNPACKED (1 << 22) /* numbers of a matrix that are unpacked at a time: they stay in the processor's cache */

#if W == 16
INLINE vi add_pairs(vi sum, vi a, vi b) { return (vi)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b); }
#elif defined __AVXVNNI__
INLINE vi add_pairs(vi sum, vi a, vi b) { return (vi)_mm256_dpwssd_avx_epi32((__m256i)sum, (__m256i)a, (__m256i)b); }
#else
INLINE vi add_pairs(vi sum, vi a, vi b) { return sum + (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b); }
#endif

/* A token's numbers to pairs of codes, AT_ONCE apart; gives their scale. */
static float round_token(const void *x, int bf16, long columns, int32_t *out) {
    int32_t codes[columns / 2];
    vf high = {};
    for (long k = 0; k < columns; k += W) high = most(high, most(load(x, k, bf16), -load(x, k, bf16)));
    float top = 0;
    for (int i = 0; i < W; i++) top = high[i] > top ? high[i] : top;
    const float inverse = top > 0 ? 32767 / top : 0;
    for (long k = 0; k < columns; k += W) /* the nearest whole number is in the lowest bits of the sum */
        *(vh *)(codes + k / 2) = __builtin_convertvector((vu)(load(x, k, bf16) * inverse + 12582912.f), vh);
    for (long k = 0; k < columns / 2; k++) out[k * AT_ONCE] = codes[k];
    return top / 32767;
}

/* 2 * W rows of w from `row` on: their codes, (columns / 2, rows) pairs, and their scales, (columns / 32, rows). */
static void pack_pairs(const matrix *w, long row, int32_t *out, float *scales) {
    for (int r = 0; r < 2 * W; r++)
        for (long k = 0; k < w->columns; k += 32) {
            int8_t room[32];
            const int8_t *codes = block_codes(w, w->kind, row + r, k, room);
            int32_t pairs[16];
            for (int i = 0; i < 2; i++) ((__m256i_u *)pairs)[i] = _mm256_cvtepi8_epi16(((const __m128i_u *)codes)[i]);
            for (int i = 0; i < 16; i++) out[(k / 2 + i) * 2 * W + r] = pairs[i];
            scales[k / 32 * 2 * W + r] = block_scale(w, w->kind, row + r, k);
        }
}

/* AT_ONCE tokens times 2 * W rows. */
INLINE void pairs_times(const int32_t *x, const int32_t *w, const float *scales, long columns, vf all[AT_ONCE][2]) {
    for (long k = 0; k < columns / 2; k += 16, scales += 2 * W) {
        vi acc[AT_ONCE][2] = {};
        for (int i = 0; i < 16; i++, x += AT_ONCE, w += 2 * W)
            for (int t = 0; t < AT_ONCE; t++)
                for (int n = 0; n < 2; n++) acc[t][n] = add_pairs(acc[t][n], *(const vi *)(w + n * W), x[t] - (vi){});
        for (int t = 0; t < AT_ONCE; t++)
            for (int n = 0; n < 2; n++) all[t][n] += __builtin_convertvector(acc[t][n], vf) * load(scales, n * W, 0);
    }
}

/* x (tokens, columns) times `count` packed matrices, side by side: out (tokens, rows of all). */
static void pairs_multiply(const matrix *w, long count, const void *x, int bf16, long tokens, void *out, long threads) {
    const long K = w->columns, lines = UNPACKED / K / BAND * BAND;
    long all = 0;
    for (long i = 0; i < count; i++) all += w[i].rows;
    int32_t *left = aligned_alloc(64, made_up(tokens, CHUNK) * K * 2), *right = aligned_alloc(64, lines * K * 2);
    float *x_scales = malloc(tokens * 4), *w_scales = malloc(lines * K / 32 * 4);
#pragma omp parallel num_threads((int)threads)
    {
        EACH (long t = 0; t < tokens; t++)
            x_scales[t] = round_token(
                (const uint8_t *)x + t * K * width(bf16), bf16, K, left + t / AT_ONCE * AT_ONCE * K / 2 + t % AT_ONCE);
        for (long i = 0, from = 0; i < count; from += w[i++].rows)
            for (long first = 0; first < w[i].rows; first += lines) {
                const long rows = w[i].rows - first < lines ? w[i].rows - first : lines, to = from + first;
                EACH (long r = 0; r < rows; r += 2 * W) pack_pairs(w + i, first + r, right + r * K / 2, w_scales + r * K / 32);
#pragma omp for collapse(2) schedule(dynamic, 1)
                for (long chunk = 0; chunk < tokens; chunk += CHUNK)
                    for (long part = 0; part < rows; part += BAND)
                        for (long r = part; r < part + BAND && r < rows; r += 2 * W)
                            for (long t = chunk; t < chunk + CHUNK && t < tokens; t += AT_ONCE) {
                                vf sums[AT_ONCE][2] = {};
                                pairs_times(left + t * K / 2, right + r * K / 2, w_scales + r * K / 32, K, sums);
                                for (long i = 0; i < AT_ONCE && t + i < tokens; i++)
                                    for (int n = 0; n < 2; n++)
                                        store(out, (t + i) * all + to + r + n * W, bf16, sums[i][n] * x_scales[t + i]);
                            }
            }
    }
    free(left), free(right), free(x_scales), free(w_scales);
}
