/* Matrix products of float32 with vector instructions. */
#ifndef MLPKIT_MULTIPLY_VECTORS_H
#define MLPKIT_MULTIPLY_VECTORS_H

#include "operand.h"

/* The inner dimension is cut into blocks of at most so many numbers. */
#define NUMBERS_PER_BLOCK 256

/* Whether there are tiles for the processor's vectors. */
int can_multiply_vectors(void);

/* Whether many steps can be left out, as for images with a dark border, one-hot columns or outputs of Relu, going by
 * samples along the diagonal of A. */
int has_many_zeros(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* Whether no number is infinite or NaN, or infinite once it is rounded to bfloat16: zero times that is NaN, which must
 * not be left out. */
int is_finite(Operand b, ptrdiff_t inner, ptrdiff_t columns);

/* Set C to A B as multiply does, on one thread; always 1.
 *
 * An element has the same bits however the product is shared out and whatever tiles the processor has: the inner
 * dimension is cut into as few blocks as there can be; a block is summed from its first number to its last
 * with fused multiply-adds (tiles.h), then the sums of the blocks are added, from the first to the last, and then the
 * row. */
int multiply_vectors(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                     ptrdiff_t columns);

#endif
