/* Whether each row is computed in one order, whatever the batch: docs/numerics.md. */
#ifndef MLPKIT_ROW_ORDER_H
#define MLPKIT_ROW_ORDER_H

/* Compute by rows in this thread, until as many calls of end_row_order. */
void begin_row_order(void);
void end_row_order(void);

/* Whether this thread does so, and the processor has the instructions for it. */
int in_row_order(void);

#endif
