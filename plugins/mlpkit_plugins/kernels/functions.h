/* Functions of the elements of float32 arrays of any layout. */
#ifndef MLPKIT_FUNCTIONS_H
#define MLPKIT_FUNCTIONS_H

#include "loops.h"

/* The loops of one instruction set: one for each activation and its gradient, exp, cos, sin, softmax, and layer
 * normalization. */
typedef struct {
#define ACTIVATION(name, parameters) Loop name, name##_gradient;
#include "kernel_list.h"
    Loop exp, cos, sin, softmax, normalize_rows, normalize_rows_gradient;
} RowLoops;

/* Set the last array to a function of the elements of the others, and return it; NULL if NumPy must do it, or with an
 * error set. */
PyObject *apply(Loop loop, PyObject *const *arrays, int count, const double *numbers);

#endif
