/* Gemma 2's arithmetic on x86-64 processors with AVX2, AVX-512 or AMX; __init__.py compiles and calls it.

   octavo_step reads a few tokens through the whole network. The others are what a long text needs: matrix products, of
   plain weights only where there are tiles, norms, attention with its rotary positions, GeGLU. Sizes are multiples of 64, heads' of 32. */

#include "numbers.h"
#include "matrix.h"
#include "attention.h"
#include "tiles.h"
#include "pairs.h"

#define LINES 32 /* rows of a matrix that one thread multiplies at a time */
#define TEAM _Pragma("omp parallel num_threads((int)n->threads)")

typedef struct {
    matrix q, k, v, o, gate, up, down;
    const float *norms[4]; /* before and after attention, before and after the MLP; 1 is added already */
    int64_t window;
} layer;
typedef struct {
    const layer *layers;
    const float *norm, *turns; /* turns: of each pair of dimensions, the angle a position */
    matrix embedding;
    int64_t count, hidden, inner, heads, groups, size, bf16, threads;
    float epsilon, scale, softcap, last_softcap, embedding_scale;
} network;

/* ---- one token's norms, GeGLU and rotary positions ---- */

INLINE float inverse_rms(const float *x, long n, float epsilon) {
    vf s = {};
    for (long i = 0; i < n; i += W) s += load(x, i, 0) * load(x, i, 0);
    return 1 / sqrtf(sum(s) / n + epsilon);
}

/* x += norm(y) * after, where there is a y; out = norm(x) * before. x is fp32. */
static void add_norm(const network *n, float *x, const void *y, const float *after, const float *before, void *out, int bf16) {
    const long size = n->hidden;
    if (y) {
        float added[size];
        for (long i = 0; i < size; i += W) store(added, i, 0, load(y, i, bf16));
        const float s = inverse_rms(added, size, n->epsilon);
        for (long i = 0; i < size; i += W) store(x, i, 0, load(x, i, 0) + load(added, i, 0) * s * load(after, i, 0));
    }
    const float s = inverse_rms(x, size, n->epsilon);
    for (long i = 0; i < size; i += W) store(out, i, bf16, load(x, i, 0) * s * load(before, i, 0));
}

/* out = gelu_tanh(gate) * up */
static void geglu(const void *gate, const void *up, void *out, int bf16, long size) {
    for (long i = 0; i < size; i += W) {
        const vf g = load(gate, i, bf16), u = g * (0.797884561f + 0.0356774081f * g * g);
        store(out, i, bf16, g * inverse(1 + vexp(-2 * u)) * load(up, i, bf16));
    }
}

/* Cosines, then sines, (tokens, size / 2) each, of how far the dimensions are turned from `position` on. */
static void turned(const network *n, long position, long tokens, float *out) {
    const long half = n->size / 2;
    for (long i = 0; i < tokens * half; i++) {
        const float angle = (position + i / half) * n->turns[i % half];
        out[i] = cosf(angle);
        out[tokens * half + i] = sinf(angle);
    }
}
static void rotate(const void *in, int in_bf16, void *out, int out_bf16, const float *cosines, const float *sines, long size) {
    for (long i = 0; i < size / 2; i += W) {
        const vf a = load(in, i, in_bf16), b = load(in, i + size / 2, in_bf16), c = load(cosines, i, 0), s = load(sines, i, 0);
        store(out, i, out_bf16, a * c - b * s);
        store(out, i + size / 2, out_bf16, b * c + a * s);
    }
}

/* ---- attention's surroundings ---- */

static job layer_job(const network *n, const cache *caches, long layer, const void *q, long tokens) {
    return (job){.q = q, .caches = caches, .layer = layer, .heads = n->heads / n->groups, .groups = n->groups, .size = n->size,
        .tokens = tokens, .window = n->layers[layer].window, .scale = n->scale, .softcap = n->softcap, .bf16 = n->bf16};
}

/* One head of a token: q's turned, into `q`; k's turned and v's, into the cache. Heads: q's, then k's, then v's. */
static void place(
    const job *a, long token, long head, const void *from, int bf16, void *q, int q_bf16, const float *cosines, const float *sines) {
    const long D = a->size, H = a->heads * a->groups, sequence = token / a->tokens, t = token % a->tokens;
    const long at = (a->caches[sequence].length + t) * D;
    if (head < H) {
        const long query = (sequence * a->groups + head / a->heads) * queries(a) + t * a->heads + head % a->heads;
        rotate(from, bf16, (uint8_t *)q + query * D * width(q_bf16), q_bf16, cosines, sines, D);
    } else if (head < H + a->groups) {
        rotate(from, bf16, held(a, sequence, head - H, 0) + at * width(a->bf16), a->bf16, cosines, sines, D);
    } else {
        uint8_t *v = held(a, sequence, head - H - a->groups, 1) + at * width(a->bf16);
        for (long i = 0; i < D; i += W) store(v, i, a->bf16, load(from, i, bf16));
    }
}

/* ---- what long texts need ---- */

void octavo_turned(const network *n, int64_t position, int64_t tokens, float *out) { turned(n, position, tokens, out); }

void octavo_embed(const network *n, const int64_t *ids, int64_t tokens, float *out) {
    for (long t = 0; t < tokens; t++) {
        plain(&n->embedding, ids[t], out + t * n->hidden, 0);
        for (long i = 0; i < n->hidden; i++) out[t * n->hidden + i] *= n->embedding_scale;
    }
}

void octavo_add_norm(const network *n, float *x, const void *y, const float *after, const float *before, void *out, int64_t tokens) {
    const long bytes = n->hidden * width(n->bf16);
#pragma omp parallel for schedule(dynamic, 16) num_threads((int)n->threads)
    for (long t = 0; t < tokens; t++)
        add_norm(n, x + t * n->hidden, y ? (const uint8_t *)y + t * bytes : NULL, after, before, (uint8_t *)out + t * bytes, n->bf16);
}

int octavo_tiles(void) { return tiles_allowed(); }

/* x (tokens, columns) times `count` matrices, side by side: out (tokens, rows of all). Plain ones need tiles. */
void octavo_multiply(const network *n, const matrix *w, int64_t count, const void *x, int64_t tokens, void *out) {
#if TILES
    if (n->bf16 && tiles_allowed()) return tiles_multiply(w, count, x, tokens, out, n->threads);
#endif
    pairs_multiply(w, count, x, n->bf16, tokens, out, n->threads);
}

/* gate: (tokens, stride), inner of them used; so is up. out: (tokens, inner). */
void octavo_geglu(const network *n, const void *gate, const void *up, int64_t stride, void *out, int64_t tokens) {
    const long bytes = width(n->bf16), inner = n->inner;
#pragma omp parallel for schedule(dynamic, 16) num_threads((int)n->threads)
    for (long t = 0; t < tokens; t++)
        geglu((uint8_t *)gate + t * stride * bytes, (uint8_t *)up + t * stride * bytes, (uint8_t *)out + t * inner * bytes, n->bf16, inner);
}

/* Of one sequence. qkv: (tokens, (heads + 2 * groups) * size); cosines, and sines behind them: by octavo_turned; y: (tokens,
   heads * size), of which the first `skipped` aren't needed. */
void octavo_attend(
    const network *n, const cache *c, int64_t layer, const void *qkv, const float *cosines, void *y, int64_t tokens, int64_t skipped) {
    const long D = n->size, H = n->heads, all = H + 2 * n->groups, G = H / n->groups, end = c->length + tokens, packed = made_up(end, ROWS);
    const int tiles = TILES && n->bf16 && tiles_allowed();
    job a = layer_job(n, c, layer, NULL, tokens);
    uint8_t *q = calloc(n->groups * queries(&a) * D, width(tiles));
    uint8_t *room = aligned_alloc(64, 2 * n->groups * packed * D * width(tiles));
    a.q = q, a.keys = room, a.values = room + n->groups * packed * D * width(tiles);
    TEAM {
        float out[QUERIES * D] __attribute__((aligned(64))), totals[QUERIES];
#pragma omp for schedule(dynamic, 16)
        for (long t = 0; t < tokens; t++)
            for (long h = 0; h < all; h++) {
                const float *turn = cosines + t * D / 2;
                place(&a, t, h, (const uint8_t *)qkv + (t * all + h) * D * width(n->bf16), n->bf16, q, tiles, turn, turn + tokens * D / 2);
            }
#pragma omp for collapse(2) schedule(dynamic, 1)
        for (long g = 0; g < n->groups; g++)
            for (long key = first_key(&a, 0, 0) / ROWS * ROWS; key < end; key += ROWS) {
#if TILES
                if (tiles) pack_tiles(&a, g, key, end);
                else
#endif
                pack_panels(&a, g, key, end);
            }
#pragma omp for collapse(2) schedule(dynamic, 1)
        for (long query = queries(&a) - QUERIES; query > skipped * G - QUERIES; query -= QUERIES) /* the longest first */
            for (long g = 0; g < n->groups; g++) {
                const long rows = tokens * G - query < QUERIES ? tokens * G - query : QUERIES;
                const long first = first_key(&a, 0, query), last = position(&a, 0, query + rows - 1) + 1;
#if TILES
                if (tiles) attend_tiles(&a, g, query, first, last, end, out, totals);
                else
#endif
                attend_panels(&a, g, query, first, last, end, out, totals);
                for (long r = 0; r < rows; r++)
                    for (long d = 0; d < D; d += W)
                        store(y, ((query + r) / G * H + g * G + (query + r) % G) * D + d, n->bf16, load(out, r * D + d, 0) / totals[r]);
            }
    }
    free(q);
    free(room);
}

/* ---- a step: some tokens through the whole network ---- */

/* The logits of h's tokens; by a whole team. */
static void head(const network *n, vectors *h, float *logits) {
    const long all = n->embedding.rows;
    float some[h->tokens * LINES];
    EACH (long t = 0; t < h->tokens; t++) quantise(h, t, 0, n->hidden);
    EACH (long r = 0; r < all; r += LINES) {
        const long last = r + LINES < all ? r + LINES : all;
        rows_times(&n->embedding, r, last, h, some - r, LINES);
        for (long t = 0; t < h->tokens; t++)
            for (long i = r; i < last; i++) logits[t * all + i] = n->last_softcap * tanhf(some[t * LINES + i - r] / n->last_softcap);
    }
}

/* hidden: (tokens, hidden), after the last norm. */
void octavo_head(const network *n, const void *hidden, int64_t tokens, float *logits) {
    vectors h = new_vectors(n->hidden, tokens);
    for (long i = 0; i < tokens * n->hidden; i += W) store(h.plain, i, 0, load(hidden, i, n->bf16));
    TEAM head(n, &h, logits);
    release(&h);
}

typedef struct {
    const network *n;
    const cache *caches;
    long tokens, total; /* of each sequence, and of all */
    vectors h, y, g;    /* what is multiplied by q, k, v, gate and up; by o; by down */
    float *x, *o;       /* (total, hidden): the residual stream, and what is added to it next */
    float *qkv, *q;     /* (total, (heads + 2 * groups) * size), and q as a job has it */
    float *gate, *up;   /* (total, inner) */
    float *turns;       /* of each sequence, by `turned` */
    parts p;
} step;

/* One layer; by a whole team. */
static void step_layer(step *s, long i) {
    const network *n = s->n;
    const layer *l = n->layers + i;
    const long D = n->size, H = n->heads, G = n->groups, all = H + 2 * G, hidden = n->hidden, inner = n->inner, total = s->total;
    const job a = layer_job(n, s->caches, i, s->q, s->tokens);
    EACH (long t = 0; t < total; t++) {
        const float *added = i ? s->o + t * hidden : NULL, *after = i ? l[-1].norms[3] : NULL;
        add_norm(n, s->x + t * hidden, added, after, l->norms[0], s->h.plain + t * hidden, 0);
        quantise(&s->h, t, 0, hidden);
    }
    EACH (long r = 0; r < all * D; r += LINES) {
        const matrix *w = r < H * D ? &l->q : r < (H + G) * D ? &l->k : &l->v;
        const long from = r < H * D ? 0 : r < (H + G) * D ? H * D : (H + G) * D;
        rows_times(w, r - from, r - from + LINES, &s->h, s->qkv + from, all * D);
    }
    EACH (long k = 0; k < total * all; k++) {
        const long t = k / all;
        const float *turn = s->turns + t / s->tokens * s->tokens * D + t % s->tokens * D / 2;
        place(&a, t, k % all, s->qkv + k * D, 0, s->q, 0, turn, turn + s->tokens * D / 2);
    }
    EACH (long k = 0; k < s->p.count; k++) attend_part(&a, &s->p, k);
    EACH (long k = 0; k < total * H; k++) {
        join_parts(&a, &s->p, k / H, k % H, s->y.plain + k * D);
        quantise(&s->y, k / H, k % H * D, D);
    }
    EACH (long r = 0; r < hidden; r += LINES) rows_times(&l->o, r, r + LINES, &s->y, s->o, hidden);
    EACH (long t = 0; t < total; t++) {
        add_norm(n, s->x + t * hidden, s->o + t * hidden, l->norms[1], l->norms[2], s->h.plain + t * hidden, 0);
        quantise(&s->h, t, 0, hidden);
    }
    EACH (long r = 0; r < inner; r += LINES) {
        rows_times(&l->gate, r, r + LINES, &s->h, s->gate, inner);
        rows_times(&l->up, r, r + LINES, &s->h, s->up, inner);
        for (long t = 0; t < total; t++) {
            geglu(s->gate + t * inner + r, s->up + t * inner + r, s->g.plain + t * inner + r, 0, LINES);
            quantise(&s->g, t, r, LINES);
        }
    }
    EACH (long r = 0; r < hidden; r += LINES) rows_times(&l->down, r, r + LINES, &s->g, s->o, hidden);
}

/* Reads `tokens` more tokens into each of the caches; ids: (sequences, tokens), logits: (sequences, kept, vocabulary). */
void octavo_step(
    const network *n, const cache *caches, int64_t sequences, const int64_t *ids, int64_t tokens, int64_t kept, float *logits) {
    const long D = n->size, all = n->heads + 2 * n->groups, hidden = n->hidden, total = sequences * tokens;
    const job any = layer_job(n, caches, 0, NULL, tokens);
    step s = {.n = n, .caches = caches, .tokens = tokens, .total = total, .p = new_parts(&any, sequences)};
    s.h = new_vectors(hidden, total), s.y = new_vectors(n->heads * D, total), s.g = new_vectors(n->inner, total);
    s.x = calloc(total * hidden, 4), s.o = calloc(total * hidden, 4);
    s.qkv = calloc(total * all * D, 4), s.q = calloc(sequences * n->groups * queries(&any) * D, 4);
    s.gate = calloc(total * n->inner, 4), s.up = calloc(total * n->inner, 4), s.turns = calloc(total * D, 4);
    vectors ends = new_vectors(hidden, sequences * kept);
    octavo_embed(n, ids, total, s.x);
    for (long i = 0; i < sequences; i++) turned(n, caches[i].length, tokens, s.turns + i * tokens * D);
    TEAM {
        for (long i = 0; i < n->count; i++) step_layer(&s, i);
        EACH (long t = 0; t < total; t++) {
            const long place = t % tokens - (tokens - kept); /* among those kept */
            add_norm(n, s.x + t * hidden, s.o + t * hidden, n->layers[n->count - 1].norms[3], n->norm, s.h.plain + t * hidden, 0);
            if (place >= 0) memcpy(ends.plain + (t / tokens * kept + place) * hidden, s.h.plain + t * hidden, hidden * 4);
        }
        head(n, &ends, logits);
    }
    release(&s.h), release(&s.y), release(&s.g), release(&ends);
    free(s.p.out), free(s.x), free(s.o), free(s.qkv), free(s.q), free(s.gate), free(s.up), free(s.turns);
}
