/* Copies of parts of matrices, laid out in the order of use. */
#ifndef MLPKIT_COPIES_H
#define MLPKIT_COPIES_H

#include "cache_line.h"
#include "operand.h"
#include "pieces.h"
#include "tiles.h"

/* Copy rows of A: for each tile, the numbers with the same k are contiguous. The output needs room for MAX_LANES
 * more. */
void copy_rows(Operand a, Pieces tiles, ptrdiff_t inner, float *to);

/* Copy columns of B, each row to a row of at least that width. */
void copy_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width, const Tiles *tiles, float *to);

/* Numbers to prefetch, in shares: one for each tile. */
typedef struct {
    const float *first;
    ptrdiff_t step, length;
    Pieces lines;
} Prefetch;

/* A matrix with contiguous rows or columns. */
Prefetch prefetch_of(Operand matrix, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t shares);

static inline void prefetch_share(const Prefetch *numbers, ptrdiff_t share)
{
    ptrdiff_t begin = begin_of(numbers->lines, share), count = length_of(numbers->lines, share);
    const float *line = numbers->first + begin * numbers->step;
    for (; count > 0; count--, line += numbers->step) {
        for (ptrdiff_t i = 0; i < numbers->length; i += CACHE_LINE / (ptrdiff_t)sizeof(float)) {
            __builtin_prefetch(line + i, 0, 2);
        }
    }
}

#endif
