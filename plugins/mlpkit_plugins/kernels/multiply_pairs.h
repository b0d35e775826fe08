/* Matrix products of bfloat16 numbers, summed in float32, with instructions that multiply pairs of numbers. */
#ifndef MLPKIT_MULTIPLY_PAIRS_H
#define MLPKIT_MULTIPLY_PAIRS_H

#include "operand.h"

/* Whether the processor has such instructions. */
int can_multiply_pairs(void);

/* Set C to A B, both rounded to bfloat16, as multiply does, on one thread; A has contiguous rows or columns. Always 1.
 *
 * The product of two bfloat16 numbers is exact in float32, and the two products of a pair are added one after the
 * other, with each sum rounded. So an element has the bits that multiply_vectors computes from rounded factors, if
 * subnormal numbers count as zero there. */
int multiply_pairs(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                   ptrdiff_t columns);

#endif
