/* Matrix products of float32. */
#ifndef MLPKIT_MULTIPLY_H
#define MLPKIT_MULTIPLY_H

#include "operand.h"

/* Whether the processor supports these products. */
int can_multiply(void);

/* How an element is computed. */
typedef enum {
    ANY_ORDER,       /* with AMX, if that suits */
    ROW_ORDER,       /* in the order that a row has in any batch */
    ROUND_FACTORS,   /* from factors that are rounded to bfloat16 */
    ROUNDED_FACTORS, /* the same, if they are so already */
} Precision;

/* Whether the processor has AMX, and it computes the product faster. */
int suits_amx(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* Whether the processor has instructions that multiply numbers of bfloat16 for a product with such an A. */
int can_round_factors(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* Set C to A B, or to A B with a row added to each of its rows, with A of shape (rows, inner) and B of shape (inner,
 * columns), on up to as many threads as members. ROUND_FACTORS needs can_round_factors.
 *
 * One of the steps of B is 1, and so is C's from column to column. An element has the same bits however the product is
 * shared out; multiply_vectors.h, multiply_amx.h and multiply_pairs.h say how it is added up. */
void multiply(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns,
              int members, Precision precision);

#endif
