/* Dropout. */
#include "functions.h"

VECTORIZED static void drop_float32(const Matrix *arrays, const double *numbers)
{
    const Matrix *x = &arrays[0], *chance = &arrays[1], *y = &arrays[2];
    float rate = (float)numbers[0], scale = (float)(1 / (1 - numbers[0]));
    for (npy_intp i = 0; i < x->rows; i++) {
        const float *from = (const float *)x->data + i * x->stride;
        const float *drawn = (const float *)chance->data + i * chance->stride;
        float *to = (float *)y->data + i * y->stride;
        INDEPENDENT
        for (npy_intp j = 0; j < x->columns; j++) {
            to[j] = from[j] * (drawn[j] >= rate ? scale : 0);
        }
    }
}

PyObject *drop(SIGNATURE)
{
    double rate;
    PyObject *result = NULL;
    if (count == 4 && read_number(arguments[2], &rate)) {
        PyObject *const arrays[] = {arguments[0], arguments[1], arguments[3]};
        result = apply(drop_float32, arrays, 3, &rate);
    }
    return result != NULL || PyErr_Occurred() ? result : with_numpy("drop", arguments, count);
}
