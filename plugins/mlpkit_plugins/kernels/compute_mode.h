/* Modes of a thread: one order of computation for each row, whatever the batch (docs/numerics.md), and products of
 * factors rounded to bfloat16 (docs/training.md). */
#ifndef MLPKIT_COMPUTE_MODE_H
#define MLPKIT_COMPUTE_MODE_H

/* Enter and leave row order in this thread; calls nest. */
void begin_row_order(void);
void end_row_order(void);

/* Whether this thread is in row order, and the processor has the instructions for it. */
int in_row_order(void);

/* Begin and end rounding the factors of matrix products to bfloat16 in this thread; calls nest. */
void begin_bfloat16(void);
void end_bfloat16(void);

/* Whether this thread rounds factors; in row order it doesn't. */
int in_bfloat16(void);

#endif
