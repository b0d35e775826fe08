/* Layer normalization: each row gets mean 0 and variance 1. */
#include "functions.h"
#include "instruction_set.h"
#include "row_arguments.h"

PyObject *kernel_normalize_rows(PyObject *const *arguments)
{
    enum { X, GAMMA, BETA, EPSILON, NORMALIZED, SCALE, OUT };
    static const Parameter parameters[] = {{X, OF_X, 0},   {NORMALIZED, OF_X, 1}, {SCALE, OF_ROWS, 1},
                                           {OUT, OF_X, 1}, {GAMMA, OF_A_ROW, 0},  {BETA, OF_A_ROW, 0}};
    double epsilon;
    if (instruction_set() == NULL || !read_number(arguments[EPSILON], &epsilon)) {
        return NULL;
    }
    Loop loop = instruction_set()->loops->normalize_rows;
    return call_on_rows(loop, parameters, 4, 2, &epsilon, arguments) ? Py_NewRef(arguments[OUT]) : NULL;
}

PyObject *kernel_normalize_rows_gradient(PyObject *const *arguments)
{
    enum { DY, NORMALIZED, SCALE, GAMMA, PRODUCTS, OUT };
    static const Parameter parameters[] = {{DY, OF_X, 0},       {NORMALIZED, OF_X, 0}, {SCALE, OF_ROWS, 0},
                                           {PRODUCTS, OF_X, 1}, {OUT, OF_X, 1},        {GAMMA, OF_A_ROW, 0}};
    if (instruction_set() == NULL) {
        return NULL;
    }
    Loop loop = instruction_set()->loops->normalize_rows_gradient;
    return call_on_rows(loop, parameters, 5, 1, NULL, arguments) ? Py_NewRef(arguments[OUT]) : NULL;
}
