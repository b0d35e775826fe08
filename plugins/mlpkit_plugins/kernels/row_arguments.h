/* Calls of kernels whose loops treat each row of float32 arrays independently. */
#ifndef MLPKIT_ROW_ARGUMENTS_H
#define MLPKIT_ROW_ARGUMENTS_H

#include "loops.h"

/* Shapes of arrays: that of x; a number per row of x; that of a row. */
enum Shape { OF_X, OF_ROWS, OF_A_ROW };

/* An array of a loop: the index of its argument, its shape, and whether it is an output. */
typedef struct {
    int argument;
    enum Shape shape;
    int output;
} Parameter;

/* Call a loop with the arguments of a kernel, of any layout; the first one is x. Return whether it was called; if not,
 * an error may be set. The arrays that are cut come first and have a row for each of x; then come those of the shape of
 * a row. */
int call_on_rows(Loop loop, const Parameter *parameters, int cut, int of_a_row, const double *number,
                 PyObject *const *arguments);

#endif
