/* Tiles for x86 processors with AVX2 and FMA: 16 registers of 8 numbers. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR __m256
#define LANES 8
#define MASK __m256i
#define MASK_OF(n) _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD(p) _mm256_loadu_ps(p)
#define LOAD_SOME(p, mask) _mm256_maskload_ps(p, mask)
#define STORE_SOME(p, mask, v) _mm256_maskstore_ps(p, mask, v)
#define ZERO() _mm256_setzero_ps()
#define BROADCAST(p) _mm256_broadcast_ss(p)
#define ADD(x, y) _mm256_add_ps(x, y)
#define FMA(x, y, z) _mm256_fmadd_ps(x, y, z)
#define NOT_ZERO(v) _mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NEQ_UQ))
#include "tile_loops.h"

#define UP_TO_4(VECTORS) TILE(1, VECTORS) TILE(2, VECTORS) TILE(3, VECTORS) TILE(4, VECTORS)
#define UP_TO_6(VECTORS) UP_TO_4(VECTORS) TILE(5, VECTORS) TILE(6, VECTORS)
UP_TO_6(1)
UP_TO_6(2)
UP_TO_4(3)

TARGET static void transpose(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row)
{
    __m256 x[8], y[8];
    EACH(i, 8) x[i] = _mm256_loadu_ps(from + i * from_row);
    /* Pairs of rows, then fours within each half of a vector, then the halves. */
    EACH(i, 4)
    {
        y[2 * i] = _mm256_unpacklo_ps(x[2 * i], x[2 * i + 1]);
        y[2 * i + 1] = _mm256_unpackhi_ps(x[2 * i], x[2 * i + 1]);
    }
    EACH(i, 2)
    {
        x[4 * i] = _mm256_shuffle_ps(y[4 * i], y[4 * i + 2], 0x44);
        x[4 * i + 1] = _mm256_shuffle_ps(y[4 * i], y[4 * i + 2], 0xee);
        x[4 * i + 2] = _mm256_shuffle_ps(y[4 * i + 1], y[4 * i + 3], 0x44);
        x[4 * i + 3] = _mm256_shuffle_ps(y[4 * i + 1], y[4 * i + 3], 0xee);
    }
    EACH(i, 4)
    {
        _mm256_storeu_ps(to + i * to_row, _mm256_permute2f128_ps(x[i], x[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * to_row, _mm256_permute2f128_ps(x[i], x[i + 4], 0x31));
    }
}

#define ROWS_UP_TO_4(V) tile_1_by_##V, tile_2_by_##V, tile_3_by_##V, tile_4_by_##V
#define ROWS_UP_TO_6(V) ROWS_UP_TO_4(V), tile_5_by_##V, tile_6_by_##V

const Tiles tiles_avx2 = {
    .instructions = "AVX2",
    .lanes = LANES,
    .vectors = 2,
    .most_vectors = 3,
    .rows = {0, 6, 6, 4},
    .tiles = {{NULL}, {NULL, ROWS_UP_TO_6(1)}, {NULL, ROWS_UP_TO_6(2)}, {NULL, ROWS_UP_TO_4(3)}},
    .steps_of = steps_of,
    .transpose = transpose,
};
#endif
