/* Pairs of bfloat16 numbers, which AVX512-BF16 multiplies and adds to a float32 sum. */
#ifndef MLPKIT_PAIRS_H
#define MLPKIT_PAIRS_H

#include "operand.h"
#include "pieces.h"
#include "tiles.h"

/* float32 numbers are rounded as in rounded_to_bfloat16 (bfloat16.h). A pair takes the place of a float32: two adjacent
 * numbers along the inner dimension; if that ends inside a pair, the second number is zero. */
typedef struct {
    const Tiles *tiles; /* whose numbers are pairs */

    /* Set to[i * width + k / 2] to the pairs of rows of A, whose columns are 1 apart. The width is that of whole
     * vectors. */
    void (*pair_rows)(Operand a, ptrdiff_t rows, ptrdiff_t inner, float *to, ptrdiff_t width);

    /* The same, but for each tile, the pairs with the same k are contiguous. A's rows are 1 apart. Needs room for
     * MAX_LANES more. */
    void (*pair_tiles)(Operand a, Pieces tiles, ptrdiff_t inner, float *to);

    /* Set to[k / 2 * width + j] to the pairs of columns of B. The width is that of whole vectors. */
    void (*pair_columns)(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width, float *to);
} Pairs;

/* NULL if the processor doesn't have these instructions, or they aren't used. */
const Pairs *pairs(void);

#endif
