#include "copies.h"

#include "vectorized.h"

#include <string.h>

/* Static: GCC exports the resolver of any other function with clones. */
VECTORIZED static void copy_rows_in_vectors(Operand a, Pieces tiles, ptrdiff_t inner, float *to)
{
    ptrdiff_t rows = begin_of(tiles, tiles.count);
    for (ptrdiff_t tile = 0; tile < tiles.count; tile++) {
        ptrdiff_t first = begin_of(tiles, tile), length = length_of(tiles, tile);
        const float *from = a.data + first * a.row;
        int has_room = a.row == 1 && first + MAX_LANES <= rows;
        for (ptrdiff_t k = 0; k < inner; k++, from += a.column, to += length) {
            if (has_room) {
                memcpy(to, from, MAX_LANES * sizeof(float)); /* more than needed, but in one instruction */
                continue;
            }
            for (ptrdiff_t i = 0; i < length; i++) {
                to[i] = from[i * a.row];
            }
        }
    }
}

VECTORIZED static void copy_columns_in_vectors(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width,
                                               const Tiles *tiles, float *to)
{
    if (b.column == 1) {
        ptrdiff_t more = ceil_div(columns, MAX_LANES) * MAX_LANES, k = 0;
        for (; k * b.row + more <= (inner - 1) * b.row + columns; k++) { /* more than needed, but whole vectors */
            for (ptrdiff_t j = 0; j < more; j += MAX_LANES) {
                memcpy(to + k * width + j, b.data + k * b.row + j, MAX_LANES * sizeof(float));
            }
        }
        for (; k < inner; k++) {
            for (ptrdiff_t j = 0; j < columns; j++) {
                to[k * width + j] = b.data[k * b.row + j];
            }
        }
        return;
    }
    ptrdiff_t whole = columns / tiles->lanes * tiles->lanes, j = 0, transposed = inner / tiles->lanes * tiles->lanes;
    for (; j < columns; j += j < whole ? tiles->lanes : 1) {
        const float *from = b.data + j * b.column;
        ptrdiff_t k = 0;
        for (; j < whole && k < transposed; k += tiles->lanes) {
            tiles->transpose(from + k, b.column, to + k * width + j, width);
        }
        for (; k < inner; k++) {
            for (ptrdiff_t i = 0; i < (j < whole ? tiles->lanes : 1); i++) {
                to[k * width + j + i] = from[k + i * b.column];
            }
        }
    }
}

void copy_rows(Operand a, Pieces tiles, ptrdiff_t inner, float *to) { copy_rows_in_vectors(a, tiles, inner, to); }

void copy_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width, const Tiles *tiles, float *to)
{
    copy_columns_in_vectors(b, inner, columns, width, tiles, to);
}
