/* Matrix products of float32 with vector instructions. */
#ifndef MLPKIT_MULTIPLY_VECTORS_H
#define MLPKIT_MULTIPLY_VECTORS_H

#include "operand.h"

/* The most numbers of the inner dimension in a block. */
#define NUMBERS_PER_BLOCK 256

/* Whether there are tiles for the processor's vectors. */
int can_multiply_vectors(void);

/* Whether many steps can be skipped, as for images with a dark border, one-hot columns or outputs of Relu, judging by
 * samples along the diagonal of A. */
int has_many_zeros(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* Whether all numbers are finite, after rounding to bfloat16 too: zero times anything else is NaN, which must not be
 * skipped. */
int is_finite(Operand b, ptrdiff_t inner, ptrdiff_t columns);

/* Set C to A B as multiply does, on one thread; always 1.
 *
 * An element has the same bits on any number of threads and with tiles of any size: the inner dimension is cut into
 * the fewest blocks; a block is summed from its first number to its last with fused multiply-adds (tiles.h), then the
 * sums of the blocks are added from first to last, and then the row. */
int multiply_vectors(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                     ptrdiff_t columns);

#endif
