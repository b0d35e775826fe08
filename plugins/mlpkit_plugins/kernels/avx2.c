/* Kernels for x86 processors with AVX2 and FMA: 16 registers of 8 numbers. */
#include "instruction_set.h"

#ifdef COMPILES_AVX
#include <immintrin.h>

#define INSTRUCTION_SET avx2
#define NAME "AVX2"
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define VECTOR __m256
#define MASK Mask
#define MASK_OF(n) mask_of(n)
#define LOAD(p) _mm256_loadu_ps(p)
#define LOAD_SOME(p, mask) _mm256_maskload_ps(p, (mask).lanes)
#define LOAD_FOURS(p, step) _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps((p) + (step)), 1)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define STORE_SOME(p, mask, v) store_some(p, (mask).count, v)
#define ZERO() _mm256_setzero_ps()
#define BROADCAST(p) _mm256_broadcast_ss(p)
#define ADD(x, y) _mm256_add_ps(x, y)
#define FMA(x, y, z) _mm256_fmadd_ps(x, y, z)
#define ZIP_LOW(x, y) _mm256_unpacklo_ps(x, y)
#define ZIP_HIGH(x, y) _mm256_unpackhi_ps(x, y)
#define NOT_ZERO(v) _mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NEQ_UQ))
#define ROWS_OF_1 6
#define ROWS_OF_2 6
#define ROWS_OF_3 4
#define ROWS_OF_4 0
#define B_IS_PADDED 0
#define MASKS_ARE_FAST 0
#define MIN_SUMS 8

typedef struct {
    __m256i lanes;
    int count;
} Mask;

TARGET static inline Mask mask_of(int count)
{
    return (Mask){_mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), count};
}

/* In parts: a masked store takes ten times as long on AMD's processors. */
TARGET static inline void store_some(float *to, int count, __m256 v)
{
    if (count == 8) {
        _mm256_storeu_ps(to, v);
        return;
    }
    __m128 part = _mm256_castps256_ps128(v);
    if (count & 4) {
        _mm_storeu_ps(to, part);
        part = _mm256_extractf128_ps(v, 1);
        to += 4;
    }
    if (count & 2) {
        _mm_storel_pi((__m64 *)to, part);
        part = _mm_movehl_ps(part, part);
        to += 2;
    }
    if (count & 1) {
        _mm_store_ss(to, part);
    }
}

#include "vector_kernels.h"
#endif
