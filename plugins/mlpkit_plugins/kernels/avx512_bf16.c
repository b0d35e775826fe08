/* Tiles of pairs for x86 processors with AVX512-BF16. */
#include "pairs.h"

#include "instruction_set.h"

/* Whether the compiler can test the processor for it. */
#if defined(COMPILES_AVX) && !defined(__clang__) && __GNUC__ >= 11
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,fma")))
#define FMA(x, y, z) _mm512_dpbf16_ps(z, (__m512bh)(x), (__m512bh)(y)) /* the upper halves first, then the lower ones */
#define B_IS_PADDED 1
#define NOT_ZERO(v)                                                                                                    \
    _mm512_test_epi32_mask(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fff7fff)) /* without the signs */
#include "avx512_vectors.h"

#include "tile_loops.h"

#define DEPTH (2 * LANES)

TARGET static inline __mmask16 first_lanes(ptrdiff_t count) { return MASK_OF(lanes_of(count)); }

/* The pairs of numbers in the same lanes. */
TARGET static inline __m512 paired(__m512 first, __m512 second)
{
    __m512i upper = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first));
    __m512i lower = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second));
    return _mm512_castsi512_ps(_mm512_or_si512(_mm512_slli_epi32(upper, 16), lower));
}

/* Pairs of adjacent numbers, of which there are at most DEPTH, filled up with zeros. */
TARGET static inline __m512 pairs_along(const float *from, ptrdiff_t count)
{
    __m512 first = _mm512_maskz_loadu_ps(first_lanes(count), from);
    __m512 last = _mm512_maskz_loadu_ps(first_lanes(count - LANES), from + LANES);
    return _mm512_castsi512_ps(_mm512_rol_epi32((__m512i)_mm512_cvtne2ps_pbh(last, first), 16));
}

/* Pairs of a number of a row and the one below it; of a number and zero if the row is the last. */
TARGET static inline __m512 pairs_across(const float *from, ptrdiff_t step, ptrdiff_t rows, __mmask16 some)
{
    return paired(_mm512_maskz_loadu_ps(some, from), _mm512_maskz_loadu_ps(rows > 1 ? some : 0, from + step));
}

TARGET static void pair_rows(Operand a, ptrdiff_t rows, ptrdiff_t inner, float *to, ptrdiff_t width)
{
    for (ptrdiff_t i = 0; i < rows; i++) {
        for (ptrdiff_t k = 0; k < inner; k += DEPTH) {
            STORE(to + i * width + k / 2, pairs_along(part_from(a, i, k).data, inner - k));
        }
    }
}

TARGET static void pair_tiles(Operand a, Pieces tiles, ptrdiff_t inner, float *to)
{
    for (ptrdiff_t tile = 0; tile < tiles.count; tile++) {
        ptrdiff_t first = begin_of(tiles, tile), length = length_of(tiles, tile);
        for (ptrdiff_t k = 0; k < inner; k += 2, to += length) { /* more than needed, but in one instruction */
            STORE(to, pairs_across(part_from(a, first, k).data, a.column, inner - k, first_lanes(length)));
        }
    }
}

/* The same for a vector of columns of a B whose columns are contiguous. */
TARGET static void pair_vector_of_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width, float *to)
{
    float lines[LANES * LANES];
    for (ptrdiff_t k = 0; k < inner; k += DEPTH) {
        ptrdiff_t steps = min(ceil_div(inner - k, 2), LANES);
        for (ptrdiff_t j = 0; j < LANES; j++) {
            STORE(lines + j * LANES, j < columns ? pairs_along(part_from(b, k, j).data, inner - k) : ZERO());
        }
        if (steps == LANES) {
            transpose(lines, LANES, to + k / 2 * width, width);
            continue;
        }
        float turned[LANES * LANES];
        transpose(lines, LANES, turned, LANES);
        for (ptrdiff_t i = 0; i < steps; i++) {
            STORE(to + (k / 2 + i) * width, LOAD(turned + i * LANES));
        }
    }
}

TARGET static void pair_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width, float *to)
{
    for (ptrdiff_t j = 0; j < columns; j += LANES) {
        if (b.column != 1) {
            pair_vector_of_columns(part_from(b, 0, j), inner, columns - j, width, to + j);
            continue;
        }
        for (ptrdiff_t k = 0; k < inner; k += 2) {
            STORE(to + k / 2 * width + j,
                  pairs_across(part_from(b, k, j).data, b.row, inner - k, first_lanes(columns - j)));
        }
    }
}

static const Pairs of_avx512_bf16 = {&tiles, pair_rows, pair_tiles, pair_columns};

static int has_avx512_bf16(void)
{
    return instruction_set() == &avx512 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bf16");
}

/* Whether the processor adds a pair in the order that multiply_pairs.h states; manuals leave part of that open: 1 +
 * 2^24 - 2^24 is 0 if 1 and 2^24 are rounded before the last number is added, and 1 in any other order. */
TARGET static int adds_in_order(void)
{
    __m512 large = _mm512_set1_ps(0x1p12f), factors = paired(large, large);
    __m512 sum = FMA(factors, paired(large, _mm512_sub_ps(ZERO(), large)), _mm512_set1_ps(1));
    return _mm512_reduce_add_ps(sum) == 0;
}

const Pairs *pairs(void) { return has_avx512_bf16() && adds_in_order() ? &of_avx512_bf16 : NULL; }
#else
const Pairs *pairs(void) { return NULL; }
#endif
