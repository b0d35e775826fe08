/* Whether each row is computed in one order, whatever the batch: docs/numerics.md; and whether the factors of products
 * are rounded to bfloat16: docs/training.md. */
#ifndef MLPKIT_COMPUTE_MODE_H
#define MLPKIT_COMPUTE_MODE_H

/* Compute by rows in this thread, until as many calls of end_row_order. */
void begin_row_order(void);
void end_row_order(void);

/* Whether this thread does so, and the processor has the instructions for it. */
int in_row_order(void);

/* Round the factors of matrix products to bfloat16 in this thread, until as many calls of end_bfloat16. */
void begin_bfloat16(void);
void end_bfloat16(void);

/* Whether this thread does so; it doesn't while it computes by rows. */
int in_bfloat16(void);

#endif
