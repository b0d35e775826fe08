/* Copies of parts of matrices, laid out in the order of use. */
#ifndef MLPKIT_COPIES_H
#define MLPKIT_COPIES_H

#include "operand.h"
#include "pieces.h"
#include "tiles.h"

/* Copy rows of A: for each tile, the numbers with the same k are contiguous. The output needs room for MAX_LANES
 * more. */
void copy_rows(Operand a, Pieces tiles, ptrdiff_t inner, float *to);

/* Copy columns of B, each row to a row of at least that width. */
void copy_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t width, const Tiles *tiles, float *to);

#endif
