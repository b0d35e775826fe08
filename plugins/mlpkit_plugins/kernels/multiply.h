/* Matrix products of float32. */
#ifndef MLPKIT_MULTIPLY_H
#define MLPKIT_MULTIPLY_H

#include "operand.h"

/* Whether the processor supports these products. */
int can_multiply(void);

/* Whether the processor has AMX, and it computes the product faster. */
int suits_amx(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* Set C to A B, or to A B with a row added to each of its rows, with A of shape (rows, inner) and B of shape (inner,
 * columns), on up to as many threads as members, and with AMX if it is allowed and suits.
 *
 * One of the steps of B is 1, and so is C's from column to column. An element has the same bits however the product is
 * shared out; multiply_vectors.h and multiply_amx.h say how it is added up. */
void multiply(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns,
              int members, int may_use_amx);

#endif
