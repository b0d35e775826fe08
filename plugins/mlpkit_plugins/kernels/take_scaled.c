/* Reading a minibatch of bytes as numbers. */
#include "cache_line.h"
#include "loops.h"

#define ROWS_AHEAD 4

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void take_scaled_##NAME(const Matrix *arrays, const double *scale)                               \
    {                                                                                                                  \
        T factor = (T)scale[0];                                                                                        \
        T *out = (T *)arrays[0].data;                                                                                  \
        npy_intp rows = arrays[0].rows, columns = arrays[0].columns;                                                   \
        const npy_int64 *indices = (const npy_int64 *)arrays[1].data;                                                  \
        const npy_uint8 *numbers = (const npy_uint8 *)arrays[2].data;                                                  \
        for (npy_intp i = 0; i < rows; i++) {                                                                          \
            const npy_uint8 *from = numbers + indices[i] * columns;                                                    \
            T *to = out + i * columns;                                                                                 \
            if (i + ROWS_AHEAD < rows) {                                                                               \
                const npy_uint8 *later = numbers + indices[i + ROWS_AHEAD] * columns;                                  \
                for (npy_intp j = 0; j < columns; j += CACHE_LINE) {                                                   \
                    __builtin_prefetch(later + j);                                                                     \
                }                                                                                                      \
            }                                                                                                          \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < columns; j++) {                                                                   \
                to[j] = (T)from[j] * factor;                                                                           \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOPS(float, float32)
LOOPS(double, float64)

PyObject *take_scaled(SIGNATURE)
{
    double scale;
    int type = count == 4 ? floating_type(arguments[3]) : -1;
    if (type < 0 || !PyArray_Check(arguments[0]) || !PyArray_Check(arguments[1]) ||
        !read_number(arguments[2], &scale)) {
        return with_numpy("take_scaled", arguments, count);
    }
    PyArrayObject *numbers = (PyArrayObject *)arguments[0], *indices = (PyArrayObject *)arguments[1];
    PyArrayObject *out = (PyArrayObject *)arguments[3];
    int fits = PyArray_TYPE(numbers) == NPY_UINT8 && PyArray_NDIM(numbers) >= 1 && PyArray_ISCARRAY_RO(numbers) &&
               PyArray_TYPE(indices) == NPY_INT64 && PyArray_NDIM(indices) == 1 && PyArray_ISCARRAY_RO(indices) &&
               PyArray_ISCARRAY(out) && PyArray_NDIM(out) == PyArray_NDIM(numbers) &&
               PyArray_DIM(out, 0) == PyArray_DIM(indices, 0);
    npy_intp columns = 1;
    for (int axis = 1; fits && axis < PyArray_NDIM(out); axis++) {
        fits = PyArray_DIM(out, axis) == PyArray_DIM(numbers, axis);
        columns *= PyArray_DIM(out, axis);
    }
    if (!fits) {
        return with_numpy("take_scaled", arguments, count);
    }
    npy_intp rows = PyArray_DIM(indices, 0), examples = PyArray_DIM(numbers, 0);
    const npy_int64 *positions = (const npy_int64 *)PyArray_DATA(indices);
    for (npy_intp i = 0; i < rows; i++) {
        if (positions[i] < 0 || positions[i] >= examples) {
            return with_numpy("take_scaled", arguments, count);
        }
    }
    Matrix all[] = {
        {PyArray_BYTES(out), rows, columns, columns, PyArray_ITEMSIZE(out)},
        {PyArray_BYTES(indices), rows, 1, 1, PyArray_ITEMSIZE(indices)},
        {PyArray_BYTES(numbers), examples, columns, columns, PyArray_ITEMSIZE(numbers)},
    };
    run(type, BOTH(take_scaled), all, 3, 2, &scale);
    return Py_NewRef(arguments[3]);
}
