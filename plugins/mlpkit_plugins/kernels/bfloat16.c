#include "bfloat16.h"

#include "amx.h"

#ifdef COMPILES_AMX
#include "instruction_set.h"
#include "pieces.h"

#include <immintrin.h>
#include <string.h>

#define SPLITS __attribute__((target("avx512f,avx512bw")))

/* The nearest bfloat16, as a float32; ties are rounded away from zero. */
SPLITS static inline __m512 nearest(__m512 x)
{
    __m512i bits = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
    return _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32((int)0xffff0000)));
}

/* As rounded_to_bfloat16. */
SPLITS static inline __m512 rounded(__m512 x)
{
    __m512i bits = _mm512_castps_si512(x), sign = _mm512_set1_epi32((int)SIGN);
    __m512i magnitude = _mm512_andnot_si512(sign, bits);
    __m512i last = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i nearest = _mm512_add_epi32(bits, _mm512_add_epi32(last, _mm512_set1_epi32(0x7fff)));
    __mmask16 is_nan = _mm512_cmpgt_epu32_mask(magnitude, _mm512_set1_epi32(INFINITE));
    __mmask16 is_small = _mm512_cmplt_epu32_mask(magnitude, _mm512_set1_epi32(LEAST_NORMAL));
    nearest = _mm512_mask_mov_epi32(nearest, is_nan, _mm512_set1_epi32(QUIET_NAN));
    return _mm512_castsi512_ps(_mm512_mask_and_epi32(nearest, is_small, bits, sign));
}

/* Write pairs of terms: bfloat16 has the upper half of the bits. */
SPLITS static inline void store_pairs(bfloat16 *to, __m512 first, __m512 second)
{
    __m512i lower = _mm512_srli_epi32(_mm512_castps_si512(first), 16);
    _mm512_store_si512(to, _mm512_mask_blend_epi16(0xaaaaaaaa, lower, _mm512_castps_si512(second)));
}

/* Return a block of 16 by 16 as rows: in place if it is laid out so, otherwise copied and padded with zeros. */
static Operand by_rows(Operand block, ptrdiff_t rows, ptrdiff_t columns, float *copy)
{
    if (rows == TILE_LINES && columns == TILE_LINES) {
        if (block.column == 1) {
            return block;
        }
        avx512.tiles->transpose(block.data, block.column, copy, TILE_LINES);
    }
    else {
        memset(copy, 0, TILE_LINES * TILE_LINES * sizeof(float));
        for (ptrdiff_t i = 0; i < rows; i++) {
            for (ptrdiff_t j = 0; j < columns; j++) {
                copy[i * TILE_LINES + j] = block.data[i * block.row + j * block.column];
            }
        }
    }
    return (Operand){copy, TILE_LINES, 1};
}

/* The bits of 2^50 shifted left by one, which drops the sign. */
#define SHIFTED_BITS_OF_2_TO_50 (((127u + 50) << 23) << 1)

/* Split a tile; one block has the first number of each pair, another the second. Return whether all are below 2^50,
 * which excludes infinity and NaN. */
SPLITS static int split_tile(Operand first, Operand second, bfloat16 *to)
{
    __m512i largest = _mm512_setzero_si512();
    for (ptrdiff_t line = 0; line < TILE_LINES; line++, to += TILE_DEPTH) {
        __m512 x = _mm512_loadu_ps(first.data + line * first.row), y = _mm512_loadu_ps(second.data + line * second.row);
        __m512 x1 = nearest(x), y1 = nearest(y), xs = _mm512_sub_ps(x, x1), ys = _mm512_sub_ps(y, y1);
        __m512 x2 = nearest(xs), y2 = nearest(ys);
        largest = _mm512_max_epu32(largest, _mm512_slli_epi32(_mm512_castps_si512(x), 1));
        largest = _mm512_max_epu32(largest, _mm512_slli_epi32(_mm512_castps_si512(y), 1));
        store_pairs(to, x1, y1);
        store_pairs(to + 2 * TILE_NUMBERS, x2, y2);
        store_pairs(to + 4 * TILE_NUMBERS, _mm512_sub_ps(xs, x2), _mm512_sub_ps(ys, y2));
    }
    return _mm512_cmplt_epu32_mask(largest, _mm512_set1_epi32((int)SHIFTED_BITS_OF_2_TO_50)) == 0xffff;
}

/* Round a tile. */
SPLITS static void round_tile(Operand first, Operand second, bfloat16 *to)
{
    for (ptrdiff_t line = 0; line < TILE_LINES; line++, to += TILE_DEPTH) {
        __m512 x = _mm512_loadu_ps(first.data + line * first.row), y = _mm512_loadu_ps(second.data + line * second.row);
        store_pairs(to, rounded(x), rounded(y));
    }
}

static inline ptrdiff_t within(ptrdiff_t length) { return length < 0 ? 0 : min(length, TILE_LINES); }

/* The block that begins at element [i][k] of a matrix with that many rows and numbers in them, or its transpose. */
static Operand block_at(Operand matrix, ptrdiff_t i, ptrdiff_t k, ptrdiff_t rows, ptrdiff_t inner, int transposed,
                        float *copy)
{
    Operand block = part_from(matrix, i, k);
    ptrdiff_t height = within(rows - i), width = within(inner - k);
    return transposed ? by_rows(transpose_of(block), width, height, copy) : by_rows(block, height, width, copy);
}

/* Split a strip of A, or of B, which is passed as its transpose; its tiles are then transposed back. */
static int split(Operand matrix, ptrdiff_t rows, ptrdiff_t inner, int transposed, int terms, bfloat16 *to)
{
    float first[TILE_LINES * TILE_LINES], second[TILE_LINES * TILE_LINES];
    int bounded = 1;
    for (ptrdiff_t k = 0; k < inner; k += TILE_DEPTH, to += STEP_NUMBERS(terms)) {
        for (ptrdiff_t i = 0; i < STRIP; i += TILE_LINES) {
            Operand even = block_at(matrix, i, k, rows, inner, transposed, first);
            Operand odd = block_at(matrix, i, k + TILE_LINES, rows, inner, transposed, second);
            if (terms == 1) {
                round_tile(even, odd, to + i * TILE_DEPTH);
            }
            else {
                bounded &= split_tile(even, odd, to + i * TILE_DEPTH);
            }
        }
    }
    return bounded;
}

int split_rows(Operand a, ptrdiff_t rows, ptrdiff_t inner, int terms, bfloat16 *to)
{
    return split(a, rows, inner, 0, terms, to);
}

int split_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, int terms, bfloat16 *to)
{
    return split(transpose_of(b), columns, inner, 1, terms, to);
}
#endif
