/* Loops over the elements of arrays, split among the team if there are many. */
#ifndef MLPKIT_LOOPS_H
#define MLPKIT_LOOPS_H

#include "arguments.h"

#define MAX_ARRAYS 8

/* A loop over arrays of one dtype. */
typedef void (*Loop)(const Matrix *arrays, const double *numbers);

/* The loop for float32, and the one for float64. */
#define BOTH(loop) ((const Loop[]){loop##_float32, loop##_float64})

/* Call the loop of that dtype; the GIL is released if there are many elements.
 *
 * The first arrays, as many as are cut, have one number of rows, and the loop treats each row by itself; if they are
 * all the arrays and have a single row, it treats each element by itself: a loop that doesn't must not be cut then. The
 * others are seen whole by every part. */
void run(int type, const Loop *loops, const Matrix *arrays, int count, int cut, const double *numbers);

/* The same for a loop that treats each column by itself, over arrays with one number of columns. */
void run_by_columns(int type, const Loop *loops, const Matrix *arrays, int count);

#endif
