/* Reading a minibatch: some rows of an array, as they are or as bytes that become numbers. */
#include "cache_line.h"
#include "loops.h"

#include <string.h>

#define ROWS_AHEAD 4

/* Fetch a row that is copied soon: rows in any order are not where the processor expects them. */
static inline void bring_near(const char *row, npy_intp bytes)
{
    for (npy_intp i = 0; i < bytes; i += CACHE_LINE) {
        __builtin_prefetch(row + i);
    }
}

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
                bring_near((const char *)numbers + indices[i + ROWS_AHEAD] * columns, columns);                        \
            }                                                                                                          \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < columns; j++) {                                                                   \
                to[j] = (T)from[j] * factor;                                                                           \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOPS(float, float32)
LOOPS(double, float64)

static void take_rows_of_any(const Matrix *arrays, const double *Py_UNUSED(none))
{
    npy_intp rows = arrays[0].rows, bytes = arrays[0].columns * arrays[0].item;
    const npy_int64 *indices = (const npy_int64 *)arrays[1].data;
    for (npy_intp i = 0; i < rows; i++) {
        if (i + ROWS_AHEAD < rows) {
            bring_near(arrays[2].data + indices[i + ROWS_AHEAD] * bytes, bytes);
        }
        memcpy(arrays[0].data + i * bytes, arrays[2].data + indices[i] * bytes, (size_t)bytes);
    }
}

/* Read the arrays of a call as matrices: out, positions, and numbers of a dtype; 0 if the loops can't work on them. */
static int read_arrays(PyObject *from, PyObject *at, PyObject *to, int type, Matrix *all)
{
    if (!PyArray_Check(from) || !PyArray_Check(at)) {
        return 0;
    }
    PyArrayObject *numbers = (PyArrayObject *)from, *indices = (PyArrayObject *)at, *out = (PyArrayObject *)to;
    int fits = PyArray_TYPE(numbers) == type && PyArray_NDIM(numbers) >= 1 && PyArray_ISCARRAY_RO(numbers) &&
               PyArray_TYPE(indices) == NPY_INT64 && PyArray_NDIM(indices) == 1 && PyArray_ISCARRAY_RO(indices) &&
               PyArray_ISCARRAY(out) && PyArray_NDIM(out) == PyArray_NDIM(numbers) &&
               PyArray_DIM(out, 0) == PyArray_DIM(indices, 0);
    npy_intp columns = 1;
    for (int axis = 1; fits && axis < PyArray_NDIM(out); axis++) {
        fits = PyArray_DIM(out, axis) == PyArray_DIM(numbers, axis);
        columns *= PyArray_DIM(out, axis);
    }
    if (!fits) {
        return 0;
    }
    npy_intp rows = PyArray_DIM(indices, 0), examples = PyArray_DIM(numbers, 0);
    const npy_int64 *positions = (const npy_int64 *)PyArray_DATA(indices);
    for (npy_intp i = 0; i < rows; i++) {
        if (positions[i] < 0 || positions[i] >= examples) {
            return 0;
        }
    }
    all[0] = (Matrix){PyArray_BYTES(out), rows, columns, columns, PyArray_ITEMSIZE(out)};
    all[1] = (Matrix){PyArray_BYTES(indices), rows, 1, 1, PyArray_ITEMSIZE(indices)};
    all[2] = (Matrix){PyArray_BYTES(numbers), examples, columns, columns, PyArray_ITEMSIZE(numbers)};
    return 1;
}

PyObject *take_scaled(SIGNATURE)
{
    double scale;
    Matrix all[3];
    int type = count == 4 ? floating_type(arguments[3]) : -1;
    if (type < 0 || !read_number(arguments[2], &scale) ||
        !read_arrays(arguments[0], arguments[1], arguments[3], NPY_UINT8, all)) {
        return with_numpy("take_scaled", arguments, count);
    }
    run(type, BOTH(take_scaled), all, 3, 2, &scale);
    return Py_NewRef(arguments[3]);
}

PyObject *take_rows(SIGNATURE)
{
    Matrix all[3];
    int type = count == 3 && PyArray_Check(arguments[2]) ? PyArray_TYPE((PyArrayObject *)arguments[2]) : -1;
    if (type < 0 || !PyTypeNum_ISNUMBER(type) ||
        !read_arrays(arguments[0], arguments[1], arguments[2], type, all)) {
        return with_numpy("take_rows", arguments, count);
    }
    run(NPY_FLOAT, &(Loop){take_rows_of_any}, all, 3, 2, NULL);
    return Py_NewRef(arguments[2]);
}
