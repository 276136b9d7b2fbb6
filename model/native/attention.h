/* Attention of some tokens to all that their sequence holds, soft-cap and window exact.

   Softmax needs no running maximum: a capped score is at most 60 (__init__.py sees to that), and fp32 holds exp(60) and its sums. */

#define ROWS 32               /* keys that are worked on together */
#define QUERIES (4 * AT_ONCE) /* and queries, of one head each */
#define SPAN 256              /* keys of a long text weighed before values are added up */
#define ABREAST (W / 4)       /* queries whose scores are summed up at once, as registers allow */

typedef struct {
    uint8_t *store; /* (layer, k or v, groups, capacity, size) */
    int64_t length, capacity;
} cache;
typedef struct { /* one layer's */
    const void *q; /* (sequence, group, tokens * heads made up to QUERIES, size): fp32, or bf16 for tiles */
    void *keys, *values; /* of a long text: panels, or tiles */
    const cache *caches;
    int64_t layer, heads, groups, size, tokens, window; /* heads: of one group; tokens: of one sequence */
    float scale, softcap;
    int bf16; /* the caches */
} job;

INLINE long queries(const job *a) { return made_up(a->tokens * a->heads, QUERIES); }
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
    const job *a, long sequence, long query, int rows, long key, long last, const float *scores, void *out, long stride, int bf16,
    vf *totals) {
    const long lowest = position(a, sequence, query), highest = position(a, sequence, query + rows - 1);
    const int all = key > highest - a->window && key + ROWS <= lowest + 1 && key + ROWS <= last; /* each query sees each key */
    vf at[ROWS / W];
    for (int i = 0; i < ROWS; i++) at[i / W][i % W] = key + i;
    for (int r = 0; r < rows; r++) {
        const long here = all ? 0 : position(a, sequence, query + r), to = here + 1 < last ? here + 1 : last;
        for (int i = 0; i < ROWS / W; i++) {
            vf p = bounded_exp(capped(load(scores, r * ROWS + i * W, 0) * a->scale, a->softcap));
            if (!all) p = where((at[i] > (float)(here - a->window)) & (at[i] < (float)to), p);
            totals[r] += p;
            store(out, r * stride + i * W, bf16, p);
        }
    }
}

/* ---- of a long text, its keys and values in panels of 2 * W columns ---- */

/* The ROWS positions from `key` on: keys as (ROWS / (2 * W), size, 2 * W), values as (size / (2 * W), ROWS, 2 * W). */
static void pack_panels(const job *a, long group, long key, long end) {
    const long D = a->size, at = (group * made_up(end, ROWS) + key) * D;
    const uint8_t *keys = held(a, 0, group, 0), *values = held(a, 0, group, 1);
    float *k = (float *)a->keys + at, *v = (float *)a->values + at;
    for (long j = 0; j < ROWS; j++)
        for (long d = 0; d < D; d += W) {
            vf a_key = {}, a_value = {};
            if (key + j < end) a_key = load(keys, (key + j) * D + d, a->bf16), a_value = load(values, (key + j) * D + d, a->bf16);
            for (int i = 0; i < W; i++) k[(j / (2 * W) * D + d + i) * 2 * W + j % (2 * W)] = a_key[i];
            store(v, (d / (2 * W) * ROWS + j) * 2 * W + d % (2 * W), 0, a_value);
        }
}

/* sums (AT_ONCE, 2 * W) += left (AT_ONCE, depth), its rows `stride` apart, times a panel (depth, 2 * W). */
INLINE void panel_times(const float *left, long stride, const float *panel, long depth, vf sums[AT_ONCE][2]) {
    for (long k = 0; k < depth; k++)
        for (int r = 0; r < AT_ONCE; r++)
            for (int i = 0; i < 2; i++) sums[r][i] += left[r * stride + k] * load(panel, (2 * k + i) * W, 0);
}

/* out (QUERIES, size) = weights times values, not yet divided by their `totals`, of queries of sequence 0; `end`: keys that are packed. */
static void attend_panels(const job *a, long group, long query, long first, long last, long end, float *out, float *totals) {
    const long D = a->size, at = group * made_up(end, ROWS) * D;
    const float *q = (const float *)a->q + (group * queries(a) + query) * D;
    const float *k = (float *)a->keys + at, *v = (float *)a->values + at;
    float scores[QUERIES * ROWS], p[QUERIES * SPAN];
    vf found[QUERIES] = {};
    memset(out, 0, QUERIES * D * sizeof *out);
    for (long start = first / ROWS * ROWS; start < last; start += SPAN) {
        const long keys = made_up(last - start < SPAN ? last - start : SPAN, ROWS);
        for (long j = 0; j < keys; j += ROWS) {
            for (long i = 0; i < ROWS; i += 2 * W)
                for (long r = 0; r < QUERIES; r += AT_ONCE) {
                    vf sums[AT_ONCE][2] = {};
                    panel_times(q + r * D, D, k + (start + j + i) * D, D, sums);
                    for (int n = 0; n < 2 * AT_ONCE; n++) store(scores, (r + n / 2) * ROWS + i + n % 2 * W, 0, sums[n / 2][n % 2]);
                }
            weigh(a, 0, query, QUERIES, start + j, last, scores, p + j, SPAN, 0, found);
        }
        for (long d = 0; d < D; d += 2 * W)
            for (long r = 0; r < QUERIES; r += AT_ONCE) {
                vf sums[AT_ONCE][2];
                for (int n = 0; n < 2 * AT_ONCE; n++) sums[n / 2][n % 2] = load(out, (r + n / 2) * D + d + n % 2 * W, 0);
                for (long j = 0; j < keys; j += ROWS) panel_times(p + r * SPAN + j, SPAN, v + (start + j) * D + d * ROWS, ROWS, sums);
                for (int n = 0; n < 2 * AT_ONCE; n++) store(out, (r + n / 2) * D + d + n % 2 * W, 0, sums[n / 2][n % 2]);
            }
    }
    for (int r = 0; r < QUERIES; r++) totals[r] = sum(found[r]);
}

/* ---- of a few tokens, in parts that threads share ---- */

/* As attend_panels, of up to QUERIES queries, rows (rows, size) of out, and the keys [first, last) as the cache has them. */
INLINE void attend_plain(
    const job *a, long sequence, long group, long query, int rows, long first, long last, float *out, float *totals, const int bf16) {
    const long D = a->size;
    const float *q = (const float *)a->q + ((sequence * a->groups + group) * queries(a) + query) * D;
    const uint8_t *k = held(a, sequence, group, 0), *v = held(a, sequence, group, 1);
    float p[QUERIES * ROWS];
    vf found[QUERIES] = {};
    memset(out, 0, rows * D * sizeof *out);
    for (long key = first; key < last; key += ROWS) {
        const long keys = last - key < ROWS ? last - key : ROWS;
        for (long i = 0; i < ROWS * D * width(bf16); i += 64) { /* what is needed next */
            __builtin_prefetch(k + (key + ROWS) * D * width(bf16) + i);
            __builtin_prefetch(v + key * D * width(bf16) + i);
        }
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

#define PART 256 /* keys */

typedef struct { /* and what they gave */
    float *out, *totals; /* (sequence, group, block of queries, part, rows, size), (..., rows) */
    long blocks, parts, rows, count;
} parts;

static parts new_parts(const job *a, long sequences) {
    long longest = 0;
    for (long s = 0; s < sequences; s++) longest = a->caches[s].length > longest ? a->caches[s].length : longest;
    const long rows = made_up(a->tokens * a->heads, 4);
    parts p = {.blocks = queries(a) / QUERIES, .parts = made_up(longest + a->tokens, PART) / PART, .rows = rows < QUERIES ? rows : QUERIES};
    p.count = sequences * a->groups * p.blocks * p.parts;
    p.out = malloc(p.count * p.rows * (a->size + 1) * 4);
    p.totals = p.out + p.count * p.rows * a->size;
    return p;
}

static void attend_part(const job *a, const parts *p, long k) {
    const long part = k % p->parts, query = k / p->parts % p->blocks * QUERIES, sequence = k / p->parts / p->blocks / a->groups;
    const long group = k / p->parts / p->blocks % a->groups, end = a->caches[sequence].length + a->tokens;
    long first = first_key(a, sequence, query), last = (part + 1) * PART < end ? (part + 1) * PART : end;
    first = first > part * PART ? first : part * PART;
    const long left = made_up(a->tokens * a->heads - query, 4), rows = left < p->rows ? left : p->rows;
    float *out = p->out + k * p->rows * a->size, *totals = p->totals + k * p->rows;
    if (a->bf16) attend_plain(a, sequence, group, query, rows, first, last, out, totals, 1);
    else attend_plain(a, sequence, group, query, rows, first, last, out, totals, 0);
}

static void join_parts(const job *a, const parts *p, long token, long head, float *y) {
    const long query = token % a->tokens * a->heads + head % a->heads, row = query % QUERIES;
    const long first = ((token / a->tokens * a->groups + head / a->heads) * p->blocks + query / QUERIES) * p->parts;
    float whole = 0;
    for (long k = first; k < first + p->parts; k++) whole += p->totals[k * p->rows + row];
    for (long d = 0; d < a->size; d += W) {
        vf v = {};
        for (long k = first; k < first + p->parts; k++) v += load(p->out, (k * p->rows + row) * a->size + d, 0);
        store(y, d, 0, v / whole);
    }
}
