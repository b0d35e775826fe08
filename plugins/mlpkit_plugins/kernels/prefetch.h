/* Reading parts of a matrix into the L2 cache before they are used. */
#ifndef MLPKIT_PREFETCH_H
#define MLPKIT_PREFETCH_H

#include "cache_line.h"
#include "operand.h"
#include "pieces.h"

/* Numbers to prefetch, in shares: one for each tile. */
typedef struct {
    const float *first;
    ptrdiff_t step, length;
    Pieces lines;
} Prefetch;

/* A matrix with contiguous rows or columns. */
static inline Prefetch prefetch_of(Operand matrix, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t shares)
{
    if (matrix.column == 1) {
        return (Prefetch){matrix.data, matrix.row, columns, cut_into(shares, rows)};
    }
    return (Prefetch){matrix.data, matrix.column, rows, cut_into(shares, columns)};
}

static inline void prefetch_share(const Prefetch *numbers, ptrdiff_t share)
{
    ptrdiff_t begin = begin_of(numbers->lines, share), count = length_of(numbers->lines, share);
    const float *line = numbers->first + begin * numbers->step;
    for (; count > 0; count--, line += numbers->step) {
        for (ptrdiff_t i = 0; i < numbers->length; i += CACHE_LINE / (ptrdiff_t)sizeof(float)) {
            __builtin_prefetch(line + i, 0, 2);
        }
        __builtin_prefetch(line + numbers->length - 1, 0, 2); /* rarely aligned, so it ends in one more cache line */
    }
}

#endif
