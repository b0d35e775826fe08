/* Functions of the elements of arrays of float32, whatever their layout. */
#ifndef MLPKIT_FUNCTIONS_H
#define MLPKIT_FUNCTIONS_H

#include "activations.h"
#include "loops.h"

#define LOOP_OF_VALUE(name, parameters) Loop name;
#define LOOP_OF_GRADIENT(name, parameters) Loop name##_gradient;

/* The loops of one instruction set: one for each activation and its gradient, exp, cos, sin, softmax, and layer
 * normalization. */
typedef struct {
    VALUES(LOOP_OF_VALUE)
    SLOPES(LOOP_OF_GRADIENT)
    Loop exp, cos, sin, softmax, normalize_rows, normalize_rows_gradient;
} RowLoops;

/* Set the last of some arrays to a function of the elements of the others, and return it; NULL if that needs NumPy, or
 * with an error set. */
PyObject *apply(Loop loop, PyObject *const *arrays, int count, const double *numbers);

#define FUNCTION_OF_VALUE(name, parameters) PyObject *name##_of(SIGNATURE);
#define FUNCTION_OF_GRADIENT(name, parameters) PyObject *name##_gradient_of(SIGNATURE);

VALUES(FUNCTION_OF_VALUE)
SLOPES(FUNCTION_OF_GRADIENT)
PyObject *exp_of(SIGNATURE);
PyObject *cos_of(SIGNATURE);
PyObject *sin_of(SIGNATURE);
PyObject *softmax(SIGNATURE);
PyObject *normalize_rows(SIGNATURE);
PyObject *normalize_rows_gradient(SIGNATURE);

#endif
