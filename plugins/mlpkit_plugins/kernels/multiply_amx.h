/* Matrix products of float32 with AMX, which multiplies bfloat16 numbers. */
#ifndef MLPKIT_MULTIPLY_AMX_H
#define MLPKIT_MULTIPLY_AMX_H

#include "operand.h"

/* Set C to A B as multiply does, on one thread; A has contiguous rows or columns. 0 if a number is infinite, NaN, or at
 * least 2^50.
 *
 * Each number is split into three bfloat16 numbers (bfloat16.h). Of the nine products of two numbers' terms, all
 * exact, the six largest are added up; the other three are together at most 2^-23 of the whole, and mostly far less:
 *
 *     x y = x1 y3 + x1 y2 + x2 y2 + x2 y1 + x3 y1 + x1 y1
 *
 * An element has the same bits on any number of threads. The inner dimension is cut into steps of 32 numbers, and the
 * steps into the fewest blocks of up to 16. In a block, the six sums of 32 products are added step by step, in that
 * order; then the sums of the blocks are added from first to last. The row's number comes before all others. Of each 32
 * products, AMX adds up the first 16 and the last 16, then the two sums; it treats sums below 2^-126 as zero.
 *
 * Source: Henry, Tang and Heinecke, Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
 * Computations, 2019. */
int multiply_amx(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* The same with numbers of any size rounded to bfloat16 (bfloat16.h) instead of split; always 1. The product of two
 * numbers is exact, and the order of addition is the same. */
int multiply_amx_rounded(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                         ptrdiff_t columns);

#endif
