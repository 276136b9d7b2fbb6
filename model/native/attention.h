/* Attention of some tokens to all that their sequence holds, soft-cap and window exact.

   Softmax needs no running maximum: a capped score is at most 60 (__init__.py sees to that), and fp32 holds exp(60) and its sums. */

#include <sys/syscall.h>
#include <unistd.h>

#define ROWS 32           /* queries, of one head each, that are worked on together; keys as well */
#define ABREAST (W / 4)   /* queries whose scores are summed up at once, as registers allow */

typedef struct {
    uint8_t *store; /* (layer, k or v, groups, capacity, size) */
    int64_t length, capacity;
} cache;
typedef struct { /* one layer's */
    const void *q; /* (sequence, group, tokens * heads made up to ROWS, size): fp32, or bf16 for tiles */
    const uint16_t *key_tiles, *value_tiles;
    const cache *caches;
    int64_t layer, heads, groups, size, tokens, window; /* heads: of one group; tokens: of one sequence */
    float scale, softcap;
    int bf16; /* the caches */
} job;

INLINE long queries(const job *a) { return made_up(a->tokens * a->heads, ROWS); }
INLINE long position(const job *a, long sequence, long query) { return a->caches[sequence].length + query / a->heads; }
INLINE long first_key(const job *a, long sequence, long query) {
    const long first = position(a, sequence, query) - a->window + 1;
    return first > 0 ? first : 0;
}
/* Where a group's keys (which = 0) or values (1) begin. */
INLINE uint8_t *held(const job *a, long sequence, long group, int which) {
    const cache *c = a->caches + sequence;
    return c->store + ((a->layer * 2 + which) * a->groups + group) * c->capacity * a->size * width(a->bf16);
}

/* Scores of `rows` queries from `query` on, with the ROWS keys from `key` on, to exp(capped score): 0 where a query sees no key. */
INLINE void weigh(
    const job *a, long sequence, long query, int rows, long key, long last, const float *scores, void *out, long stride, int bf16, vf *totals) {
    vf at[ROWS / W];
    for (int i = 0; i < ROWS; i++) at[i / W][i % W] = key + i;
    for (int r = 0; r < rows; r++) {
        const long here = position(a, sequence, query + r), from = here - a->window + 1, to = here + 1 < last ? here + 1 : last;
        for (int i = 0; i < ROWS / W; i++) {
            vf p = vexp(capped(load(scores, r * ROWS + i * W, 0) * a->scale, a->softcap));
            if (key < from || key + ROWS > to) p = where((at[i] >= (float)from) & (at[i] < (float)to), p);
            totals[r] += p;
            store(out, r * stride + i * W, bf16, p);
        }
    }
}

/* out (rows, size) = weights times values, not yet divided by their `totals`, of the keys [first, last) and up to ROWS queries. */
INLINE void attend_plain(
    const job *a, long sequence, long group, long query, int rows, long first, long last, float *out, float *totals, const int bf16) {
    const long D = a->size;
    const float *q = (const float *)a->q + ((sequence * a->groups + group) * queries(a) + query) * D;
    const uint8_t *k = held(a, sequence, group, 0), *v = held(a, sequence, group, 1);
    float p[ROWS * ROWS];
    vf found[ROWS] = {};
    memset(out, 0, rows * D * sizeof *out);
    for (long key = first; key < last; key += ROWS) {
        const long keys = last - key < ROWS ? last - key : ROWS;
        for (int r = 0; r < rows; r += ABREAST)
            for (long j = 0; j < keys; j += 4) {
                vf acc[ABREAST][4] = {};
                long at[4];
                for (int i = 0; i < 4; i++) at[i] = (key + (j + i < keys ? j + i : keys - 1)) * D;
                for (long d = 0; d < D; d += W) {
                    vf here[4];
                    for (int i = 0; i < 4; i++) here[i] = load(k, at[i] + d, bf16);
                    for (int n = 0; n < ABREAST; n++)
                        for (int i = 0; i < 4; i++) acc[n][i] += load(q, (r + n) * D + d, 0) * here[i];
                }
                for (int n = 0; n < ABREAST; n++) *(__m128_u *)(p + (r + n) * ROWS + j) = sums(acc[n]);
            }
        weigh(a, sequence, query, rows, key, last, p, p, ROWS, 0, found);
        for (long d = 0; d < D; d += 2 * W)
            for (int r = 0; r < rows; r += 4) {
                vf acc[4][2];
                for (int i = 0; i < 8; i++) acc[i / 2][i % 2] = load(out, (r + i / 2) * D + d + i % 2 * W, 0);
                for (long j = 0; j < keys; j++) {
                    const vf v0 = load(v, (key + j) * D + d, bf16), v1 = load(v, (key + j) * D + d + W, bf16);
                    for (int i = 0; i < 4; i++) {
                        acc[i][0] += p[(r + i) * ROWS + j] * v0;
                        acc[i][1] += p[(r + i) * ROWS + j] * v1;
                    }
                }
                for (int i = 0; i < 8; i++) store(out, (r + i / 2) * D + d + i % 2 * W, 0, acc[i / 2][i % 2]);
            }
    }
    for (int r = 0; r < rows; r++) totals[r] = sum(found[r]);
}

#if defined __AMX_BF16__ && W == 16
#define TILES 1
#define SPAN 256 /* keys weighed before values are added up */
static int tiles_allowed(void) { return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18) == 0; }

/* Tiles of 16 rows of 64 bytes: 0 to 3 are sums, 4 and 5 of the left matrix, 6 and 7 of the right one. */
INLINE void configure_tiles(void) {
    static const struct { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; } shape = {
        .palette = 1, .bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&shape);
}
/* Sums of 32 rows and 32 columns += left (32, 32) times right, two packed tiles. */
#define ADD_PRODUCTS(left, stride, right)                                                              \
    do {                                                                                               \
        _tile_loadd(4, left, 2 * (stride)); _tile_loadd(5, (left) + 16 * (stride), 2 * (stride));      \
        _tile_loadd(6, right, 64); _tile_loadd(7, (right) + 512, 64);                                  \
        _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7); \
    } while (0)
#define EACH_SUM(what, p, stride)                                                                                 \
    do {                                                                                                          \
        what(0, p, 4 * (stride)); what(1, (p) + 16, 4 * (stride));                                                \
        what(2, (p) + 16 * (stride), 4 * (stride)); what(3, (p) + 16 * (stride) + 16, 4 * (stride));              \
    } while (0)

/* Keys and values of the 32 positions from `key` on, in the order in which tiles multiply them: pairs of bf16, 16 of them a row. */
static void pack(const job *a, long group, long key, long last) {
    const long D = a->size, at = (group * made_up(last, ROWS) + key) * D;
    const uint16_t *keys = (const uint16_t *)held(a, 0, group, 0), *values = (const uint16_t *)held(a, 0, group, 1);
    uint32_t *k = (uint32_t *)(a->key_tiles + at), *v = (uint32_t *)(a->value_tiles + at);
    for (long d = 0; d < D; d += 32)
        for (int half = 0; half < 2; half++, k += 256, v += 256)
            for (int i = 0; i < 16; i++) {
                for (int n = 0; n < 16; n++) {
                    const long j = key + half * 16 + n;
                    k[i * 16 + n] = j < last ? *(const uint32_t *)(keys + j * D + d + 2 * i) : 0;
                }
                const long j = key + 2 * i;
                vu low = {}, high = {};
                if (j < last) low = __builtin_convertvector(*(const vh *)(values + j * D + d + 16 * half), vu);
                if (j + 1 < last) high = __builtin_convertvector(*(const vh *)(values + (j + 1) * D + d + 16 * half), vu);
                *(vu *)(v + i * 16) = low | high << 16;
            }
}

/* As attend_plain, for ROWS queries of sequence 0, all in bf16; `end`: keys that are packed. */
static void attend_tiles(const job *a, long group, long query, long first, long last, long end, float *out, float *totals) {
    const long D = a->size;
    const uint16_t *q = (const uint16_t *)a->q + (group * queries(a) + query) * D;
    const uint16_t *k = a->key_tiles + group * made_up(end, ROWS) * D, *v = a->value_tiles + group * made_up(end, ROWS) * D;
    float scores[ROWS * ROWS] __attribute__((aligned(64)));
    uint16_t p[ROWS * SPAN] __attribute__((aligned(64)));
    vf found[ROWS] = {};
    configure_tiles();
    memset(out, 0, ROWS * D * sizeof *out);
    for (long start = first / ROWS * ROWS; start < last; start += SPAN) {
        const long keys = made_up(last - start < SPAN ? last - start : SPAN, ROWS);
        for (long j = 0; j < keys; j += ROWS) {
            _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
            for (long d = 0; d < D; d += 32) ADD_PRODUCTS(q + d, D, k + (start + j) * D + d * 32);
            EACH_SUM(_tile_stored, scores, ROWS);
            weigh(a, 0, query, ROWS, start + j, last, scores, p + j, SPAN, 1, found);
        }
        for (long d = 0; d < D; d += 32) {
            EACH_SUM(_tile_loadd, out + d, D);
            for (long j = 0; j < keys; j += ROWS) ADD_PRODUCTS(p + j, SPAN, v + (start + j) * D + d * 32);
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
