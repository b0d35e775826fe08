/* Matrix products of float32, computed in tiles. */
#ifndef MLPKIT_MULTIPLY_H
#define MLPKIT_MULTIPLY_H

#include "operand.h"

/* Whether the processor has tiles. */
int can_multiply(void);

/* Set C to A B, or to A B with a row added to each of its rows, with A of shape (rows, inner) and B of shape (inner,
 * columns), on up to as many threads as members.
 *
 * One of the steps of B is 1, and so is C's from column to column. An element has the same bits however the product is
 * shared out and whatever tiles the processor has: the inner dimension is cut into as few blocks of up to 256 as there
 * can be; a block is summed from its first number to its last with fused multiply-adds (tiles.h), then the sums of the
 * blocks are added, from the first to the last, and then the row. */
void multiply(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns,
              int members);

#endif
