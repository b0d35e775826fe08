/* Matrix products of float32 with AMX, which multiplies numbers of bfloat16. */
#ifndef MLPKIT_MULTIPLY_AMX_H
#define MLPKIT_MULTIPLY_AMX_H

#include "operand.h"

/* Set C to A B as multiply does, on one thread, where one of the steps of A is 1; 0 if a number is infinite, no number,
 * or 2^50 and more.
 *
 * Each number is split into three of bfloat16 (bfloat16.h). Of the nine products of two numbers' terms the six largest
 * are added up, each of them exact; what is left out is at most 2^-23 of all nine, and mostly far less:
 *
 *     x y = x1 y3 + x1 y2 + x2 y2 + x2 y1 + x3 y1 + x1 y1
 *
 * An element has the same bits however the product is shared out. The inner dimension is cut into steps of 32 numbers,
 * these into as few blocks of up to 16 as there can be; in a block, the six sums of 32 products are added step by step,
 * in that order; then the sums of the blocks are, from the first to the last. The row's number comes before all others.
 * Of each 32, AMX adds up the first 16 and the last 16, then the two; sums below 2^-126 it takes for zero.
 *
 * Source: Henry, Tang and Heinecke, Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
 * Computations, 2019. */
int multiply_amx(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* The same with each number rounded to bfloat16 (bfloat16.h) rather than split, whatever it is; always 1. The product
 * of two numbers is exact, and sums are added in the same order. */
int multiply_amx_rounded(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                         ptrdiff_t columns);

#endif
