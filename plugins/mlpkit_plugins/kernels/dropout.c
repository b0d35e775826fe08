/* Dropout. */
#include "functions.h"

#include <math.h>

/* Numbers that a chance, which has 16 bits, may be. */
#define CHANCES 65536

VECTORIZED static void drop_float32(const Matrix *arrays, const double *numbers)
{
    const Matrix *x = &arrays[0], *chance = &arrays[1], *y = &arrays[2];
    int dropped = (int)rint(CHANCES * numbers[0]);
    float scale = (float)(1 / (1 - numbers[0]));
    for (npy_intp i = 0; i < x->rows; i++) {
        const float *from = (const float *)x->data + i * x->stride;
        const npy_uint16 *drawn = (const npy_uint16 *)chance->data + i * chance->stride;
        float *to = (float *)y->data + i * y->stride;
        INDEPENDENT
        for (npy_intp j = 0; j < x->columns; j++) {
            to[j] = from[j] * (drawn[j] >= dropped ? scale : 0);
        }
    }
}

static int read_arrays(PyObject *x, PyObject *chance, PyObject *out, Matrix *all)
{
    return read_matrix(x, NPY_FLOAT, 0, &all[0]) && read_matrix(chance, NPY_UINT16, 0, &all[1]) &&
           read_matrix(out, NPY_FLOAT, 1, &all[2]) && same_shape(all, 3) && apart(&all[2], &all[0]) && all[0].columns > 0;
}

PyObject *drop(SIGNATURE)
{
    double rate;
    Matrix all[3];
    if (count == 4 && read_number(arguments[2], &rate) && read_arrays(arguments[0], arguments[1], arguments[3], all)) {
        run(NPY_FLOAT, (const Loop[]){drop_float32}, all, 3, 3, &rate);
        return Py_NewRef(arguments[3]);
    }
    return with_numpy("drop", arguments, count);
}
