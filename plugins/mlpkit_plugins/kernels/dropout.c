/* Dropout. */
#include "functions.h"

#include <math.h>

/* The number of values of a chance, which has 16 bits. */
#define CHANCES 65536

VECTORIZED static void drop_float32(const Matrix *arrays, const double *numbers)
{
    const Matrix *x = &arrays[0], *chance = &arrays[1], *out = &arrays[2];
    double rate = numbers[0];
    int dropped = (int)rint(CHANCES * rate);
    float scale = (float)(1 / (1 - rate));
    for (npy_intp i = 0; i < x->rows; i++) {
        const float *from = (const float *)x->data + i * x->stride;
        const npy_uint16 *drawn = (const npy_uint16 *)chance->data + i * chance->stride;
        float *to = (float *)out->data + i * out->stride;
        INDEPENDENT
        for (npy_intp j = 0; j < x->columns; j++) {
            to[j] = from[j] * (drawn[j] >= dropped ? scale : 0);
        }
    }
}

static int read_arrays(PyObject *x, PyObject *chance, PyObject *out, Matrix *arrays)
{
    Matrix *read_x = &arrays[0], *read_chance = &arrays[1], *read_out = &arrays[2];
    return read_matrix(x, NPY_FLOAT, 0, read_x) && read_matrix(chance, NPY_UINT16, 0, read_chance) &&
           read_matrix(out, NPY_FLOAT, 1, read_out) && same_shape(arrays, 3) && is_safe_output(read_out, read_x) &&
           read_x->columns > 0;
}

PyObject *kernel_drop(PyObject *const *arguments)
{
    enum { X, CHANCE, RATE, OUT };
    double rate;
    Matrix arrays[3];
    if (!read_number(arguments[RATE], &rate) || !read_arrays(arguments[X], arguments[CHANCE], arguments[OUT], arrays)) {
        return NULL;
    }
    run(NPY_FLOAT, (const Loop[]){drop_float32}, arrays, 3, 3, &rate);
    return Py_NewRef(arguments[OUT]);
}
