/* Functions of the elements of arrays of float32, whatever their layout. */
#ifndef MLPKIT_FUNCTIONS_H
#define MLPKIT_FUNCTIONS_H

#include "loops.h"

/* The loops of one instruction set: one for each function, and the mean of each row. */
typedef struct {
    Loop exp, expm1, tanh, sigmoid, softplus, gelu, mean_of_rows;
} RowLoops;

/* Set out to a function of each element of x, and return it; NULL if that needs NumPy, or with an error set. */
PyObject *apply(Loop loop, PyObject *x, PyObject *out);

#endif
