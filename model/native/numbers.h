/* Registers of W floats, on AVX-512 or AVX2, and what is done with them. Arrays are bf16 or fp32, sums fp32. */

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined __AVX512F__ && defined __AVX512BW__ && defined __AVX512DQ__ && defined __AVX512VL__ && defined __AVX512VNNI__
#define W 16
#else
#define W 8
#endif
#define AT_ONCE (W == 16 ? 8 : 6) /* rows whose sums with 2 * W columns fill the registers */
#define INLINE static inline __attribute__((always_inline))
#define EACH _Pragma("omp for schedule(dynamic, 1)") for

typedef float vf __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef int vi __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef unsigned vu __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef uint16_t vh __attribute__((vector_size(2 * W), aligned(2), may_alias));

INLINE vf load(const void *p, long i, int bf16) {
    if (bf16) return (vf)(__builtin_convertvector(*(const vh *)((const uint16_t *)p + i), vu) << 16);
    return *(const vf *)((const float *)p + i);
}
INLINE void store(void *p, long i, int bf16, vf x) {
    if (!bf16) {
        *(vf *)((float *)p + i) = x;
        return;
    }
#if W == 16 && defined __AVX512BF16__
    _mm256_storeu_si256((__m256i *)((uint16_t *)p + i), (__m256i)_mm512_cvtneps_pbh(x));
#else
    const vu u = (vu)x, nearest = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    *(vh *)((uint16_t *)p + i) = __builtin_convertvector(nearest, vh);
#endif
}
INLINE long width(int bf16) { return bf16 ? 2 : 4; } /* bytes of a number */
INLINE long made_up(long n, long to) { return (n + to - 1) / to * to; }
INLINE vf splat(float x) { return x - (vf){}; }
INLINE vf where(vi mask, vf x) { return (vf)(mask & (vi)x); } /* x, or 0 */

#if W == 16
INLINE vf least(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf most(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf near_inverse(vf x) { return _mm512_rcp14_ps(x); }
INLINE __m256 halved(vf x) { return _mm512_castps512_ps256(x) + _mm512_extractf32x8_ps(x, 1); }
#else
INLINE vf least(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf most(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf near_inverse(vf x) { return _mm256_rcp_ps(x); }
INLINE __m256 halved(vf x) { return x; }
#endif
INLINE vf inverse(vf x) { /* relative error 2e-7, as that of what follows */
    const vf y = near_inverse(x);
    return y * (2 - x * y);
}
INLINE __m128 sums(const vf x[4]) {
    __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(halved(x[0]), halved(x[1])), _mm256_hadd_ps(halved(x[2]), halved(x[3])));
    return _mm256_castps256_ps128(all) + _mm256_extractf128_ps(all, 1);
}
INLINE float sum(vf x) {
    __m128 q = _mm256_castps256_ps128(halved(x)) + _mm256_extractf128_ps(halved(x), 1);
    q += _mm_movehl_ps(q, q);
    return q[0] + q[1];
}

INLINE vf bounded_exp(vf x) { /* of -87 to 88 */
    const vf shifted = x * 1.44269504f + 12582912.f, n = shifted - 12582912.f, r = x - n * 0.693145752f - n * 1.42860677e-6f;
    const vf p = 1 + r * (1 + r * (1.f / 2 + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r * (1.f / 720 + r * (1.f / 5040)))))));
    return (vf)((vi)p + ((vi)shifted << 23)); /* n is in the lowest bits of `shifted` */
}
INLINE vf vexp(vf x) { return bounded_exp(least(most(x, splat(-87)), splat(88))); }
INLINE vf capped(vf x, float cap) { return cap - 2 * cap * inverse(vexp(x * (2 / cap)) + 1); } /* cap * tanh(x / cap) */
