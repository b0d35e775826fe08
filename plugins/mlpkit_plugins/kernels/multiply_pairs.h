/* Matrix products of numbers of bfloat16, summed in float32, with instructions that multiply pairs of them. */
#ifndef MLPKIT_MULTIPLY_PAIRS_H
#define MLPKIT_MULTIPLY_PAIRS_H

#include "operand.h"

/* Whether the processor has such instructions. */
int can_multiply_pairs(void);

/* Set C to A B as multiply does, their elements rounded to bfloat16, on one thread, where one of the steps of A is 1;
 * always 1.
 *
 * A product of two numbers of bfloat16 is exact in float32, and those of a pair are added one after the other, each
 * sum rounded. So an element has the bits that multiply_vectors computes from rounded factors, if subnormal numbers
 * count as zero there. */
int multiply_pairs(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                   ptrdiff_t columns);

#endif
