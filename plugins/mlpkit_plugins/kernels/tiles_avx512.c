/* Tiles for x86 processors with AVX-512: 32 registers of 16 numbers. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define VECTOR __m512
#define LANES 16
#define MASK __mmask16
#define MASK_OF(n) ((__mmask16)((1u << (n)) - 1))
#define LOAD(p) _mm512_loadu_ps(p)
#define LOAD_SOME(p, mask) load_some(p, mask)
#define STORE_SOME(p, mask, v) _mm512_mask_storeu_ps(p, mask, v)
#define ZERO() _mm512_setzero_ps()
#define BROADCAST(p) _mm512_set1_ps(*(p))
#define ADD(x, y) _mm512_add_ps(x, y)
#define FMA(x, y, z) _mm512_fmadd_ps(x, y, z)
#define NOT_ZERO(v) _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ)


/* Written out, since GCC would keep the mask where it keeps numbers, and move it at every use. */
TARGET static inline __m512 load_some(const float *from, __mmask16 mask)
{
    __m512 v;
    __asm__("vmovups %1, %0%{%2%}%{z%}" : "=v"(v) : "m"(*(const float(*)[16])from), "Yk"(mask));
    return v;
}

#include "tile_loops.h"

#define UP_TO_6(VECTORS)                                                                                               \
    TILE(1, VECTORS) TILE(2, VECTORS) TILE(3, VECTORS) TILE(4, VECTORS) TILE(5, VECTORS) TILE(6, VECTORS)
#define UP_TO_9(VECTORS) UP_TO_6(VECTORS) TILE(7, VECTORS) TILE(8, VECTORS) TILE(9, VECTORS)
#define UP_TO_14(VECTORS)                                                                                              \
    UP_TO_9(VECTORS) TILE(10, VECTORS) TILE(11, VECTORS) TILE(12, VECTORS) TILE(13, VECTORS) TILE(14, VECTORS)
UP_TO_14(1)
UP_TO_14(2)
UP_TO_9(3)
UP_TO_6(4)

TARGET static void transpose(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row)
{
    __m512 x[16], y[16];
    EACH(i, 16) x[i] = _mm512_loadu_ps(from + i * from_row);
    /* Pairs of rows, then fours within each quarter of a vector, then the quarters. */
    EACH(i, 8)
    {
        y[2 * i] = _mm512_unpacklo_ps(x[2 * i], x[2 * i + 1]);
        y[2 * i + 1] = _mm512_unpackhi_ps(x[2 * i], x[2 * i + 1]);
    }
    EACH(i, 4)
    {
        __m512d a = _mm512_castps_pd(y[4 * i]), b = _mm512_castps_pd(y[4 * i + 1]);
        __m512d c = _mm512_castps_pd(y[4 * i + 2]), d = _mm512_castps_pd(y[4 * i + 3]);
        x[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
        x[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
        x[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
        x[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
    EACH(i, 4)
    {
        y[i] = _mm512_shuffle_f32x4(x[i], x[i + 4], 0x88);
        y[i + 4] = _mm512_shuffle_f32x4(x[i], x[i + 4], 0xdd);
        y[i + 8] = _mm512_shuffle_f32x4(x[i + 8], x[i + 12], 0x88);
        y[i + 12] = _mm512_shuffle_f32x4(x[i + 8], x[i + 12], 0xdd);
    }
    EACH(i, 8)
    {
        _mm512_storeu_ps(to + i * to_row, _mm512_shuffle_f32x4(y[i], y[i + 8], 0x88));
        _mm512_storeu_ps(to + (i + 8) * to_row, _mm512_shuffle_f32x4(y[i], y[i + 8], 0xdd));
    }
}

#define ROWS_UP_TO_6(V) tile_1_by_##V, tile_2_by_##V, tile_3_by_##V, tile_4_by_##V, tile_5_by_##V, tile_6_by_##V
#define ROWS_UP_TO_9(V) ROWS_UP_TO_6(V), tile_7_by_##V, tile_8_by_##V, tile_9_by_##V
#define ROWS_UP_TO_14(V)                                                                                               \
    ROWS_UP_TO_9(V), tile_10_by_##V, tile_11_by_##V, tile_12_by_##V, tile_13_by_##V, tile_14_by_##V

const Tiles tiles_avx512 = {
    .instructions = "AVX-512",
    .lanes = LANES,
    .vectors = 3,
    .most_vectors = 4,
    .rows = {0, 14, 14, 9, 6},
    .tiles = {{NULL},
              {NULL, ROWS_UP_TO_14(1)},
              {NULL, ROWS_UP_TO_14(2)},
              {NULL, ROWS_UP_TO_9(3)},
              {NULL, ROWS_UP_TO_6(4)}},
    .steps_of = steps_of,
    .transpose = transpose,
};
#endif
