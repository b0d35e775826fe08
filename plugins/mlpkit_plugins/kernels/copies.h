/* Parts of matrices, copied so that what is used together lies side by side. */
#ifndef MLPKIT_COPIES_H
#define MLPKIT_COPIES_H

#include "cache_line.h"
#include "operand.h"
#include "pieces.h"
#include "tiles.h"

/* Copy rows of A: for each tile the numbers with the same k side by side. Room is needed for MOST_LANES more. */
void copy_rows(Operand a, Pieces tiles, ptrdiff_t inner, float *to);

/* Copy columns of B, each row of them to a row of that width, which is no narrower. */
void copy_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width, const Tiles *tiles, float *to);

/* Numbers that are to be brought near, in so many shares. */
typedef struct {
    const float *first;
    ptrdiff_t step, length;
    Pieces lines;
} Near;

/* A matrix whose rows or columns lie side by side. */
Near near_of(Operand matrix, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t shares);

static inline void bring_near(const Near *numbers, ptrdiff_t share)
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
