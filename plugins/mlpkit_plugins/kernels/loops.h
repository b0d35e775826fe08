/* Loops over the elements of arrays; the team shares long ones. */
#ifndef MLPKIT_LOOPS_H
#define MLPKIT_LOOPS_H

#include "arguments.h"

#define MAX_ARRAYS 8

/* A loop over arrays of one dtype. */
typedef void (*Loop)(const Matrix *arrays, const double *numbers);

/* The loop for float32, and the one for float64. */
#define BOTH(loop) ((const Loop[]){loop##_float32, loop##_float64})

/* Call the loop of that dtype, without the GIL if there are many elements.
 *
 * The first arrays, as many as cut says, are split into parts. They have the same number of rows, and the loop must
 * treat each row independently; if they are all the arrays and have a single row, each element. Every part sees the
 * other arrays whole. */
void run(int type, const Loop *loops, const Matrix *arrays, int count, int cut, const double *numbers);

/* The same for a loop that treats each column independently, over arrays with the same number of columns. */
void run_by_columns(int type, const Loop *loops, const Matrix *arrays, int count);

#endif
