/* The vectors of AVX-512 for vector_kernels.h: 32 registers of 16 numbers. The including file defines TARGET, FMA,
 * B_IS_PADDED and NOT_ZERO. */
#include <immintrin.h>

#define LANES 16
#define VECTOR __m512
#define MASK __mmask16
#define MASK_OF(n) ((__mmask16)((1u << (n)) - 1))
#define LOAD(p) _mm512_loadu_ps(p)
#define LOAD_SOME(p, mask) load_some(p, mask)
#define LOAD_FOURS(p, step) load_fours(p, step)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define STORE_SOME(p, mask, v) _mm512_mask_storeu_ps(p, mask, v)
#define ZERO() _mm512_setzero_ps()
#define BROADCAST(p) _mm512_set1_ps(*(p))
#define ADD(x, y) _mm512_add_ps(x, y)
#define ZIP_LOW(x, y) _mm512_unpacklo_ps(x, y)
#define ZIP_HIGH(x, y) _mm512_unpackhi_ps(x, y)
#define ROWS_OF_1 14
#define ROWS_OF_2 14
#define ROWS_OF_3 9
#define ROWS_OF_4 6
#define MASKS_ARE_FAST 1
#define MIN_SUMS 8

/* In assembly: GCC would keep the mask in a general register and move it at every use. */
TARGET static inline __m512 load_some(const float *from, __mmask16 mask)
{
    __m512 v;
    __asm__("vmovups %1, %0%{%2%}%{z%}" : "=v"(v) : "m"(*(const float (*)[16])from), "Yk"(mask));
    return v;
}

TARGET static inline __m512 load_fours(const float *from, ptrdiff_t step)
{
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(from));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(from + step), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 2 * step), 2);
    return _mm512_insertf32x4(v, _mm_loadu_ps(from + 3 * step), 3);
}
