/* Matrix products of float32. */
#ifndef MLPKIT_MULTIPLY_H
#define MLPKIT_MULTIPLY_H

#include "operand.h"

/* Whether the processor supports these products. */
int can_multiply(void);

/* How elements are computed. */
typedef enum {
    ANY_ORDER,       /* with AMX, if that is faster */
    ROW_ORDER,       /* in the same order in any batch */
    ROUND_FACTORS,   /* from factors that it rounds to bfloat16 */
    ROUNDED_FACTORS, /* from factors that are already rounded */
} Precision;

/* Whether the processor has AMX, and AMX is faster for this product. */
int suits_amx(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* Whether the processor has bfloat16 instructions for a product with this A. */
int can_round_factors(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns);

/* Set C to A B, or to A B with a row added to each of its rows, with A of shape (rows, inner) and B of shape (inner,
 * columns), on up to as many threads as members. ROUND_FACTORS needs can_round_factors.
 *
 * B has contiguous rows or columns, C contiguous rows. An element has the same bits on any number of threads;
 * multiply_vectors.h, multiply_amx.h and multiply_pairs.h state the order of addition. */
void multiply(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns,
              int members, Precision precision);

#endif
