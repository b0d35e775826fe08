/* The product of a single row of float32. */
#ifndef MLPKIT_MULTIPLY_ROW_H
#define MLPKIT_MULTIPLY_ROW_H

#include "operand.h"

/* Whether multiply_row is for this product: a single row, and a B with contiguous rows that are longer than a tile. */
int suits_multiply_row(Operand b, ptrdiff_t rows, ptrdiff_t columns);

/* Set a row of C to A B as multiply does, in the order of multiply_vectors.h, on up to as many threads as members. */
void multiply_row(Operand a, Operand b, float *c, const float *row, ptrdiff_t inner, ptrdiff_t columns, int members);

#endif
