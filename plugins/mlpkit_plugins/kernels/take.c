/* Taking a minibatch: some rows of an array, copied, or converted from bytes and scaled. */
#include "cache_line.h"
#include "loops.h"

#include <string.h>

#define ROWS_TO_PREFETCH 4

/* Prefetch a row that is copied soon: the processor can't predict the order of rows. */
static inline void prefetch_row(const char *row, npy_intp bytes)
{
    for (npy_intp i = 0; i < bytes; i += CACHE_LINE) {
        __builtin_prefetch(row + i);
    }
}

#define LOOPS "take_loops.h"
#include "floating_types.h"

static void take_rows_of_any(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    const Matrix *out = &arrays[0], *examples = &arrays[2];
    const npy_int64 *indices = (const npy_int64 *)arrays[1].data;
    npy_intp rows = out->rows, bytes = out->columns * out->item;
    for (npy_intp i = 0; i < rows; i++) {
        if (i + ROWS_TO_PREFETCH < rows) {
            prefetch_row(examples->data + indices[i + ROWS_TO_PREFETCH] * bytes, bytes);
        }
        memcpy(out->data + i * bytes, examples->data + indices[i] * bytes, (size_t)bytes);
    }
}

/* Read the arrays of a call as matrices: out, indices, and numbers of a dtype; 0 if the loops can't work on them. */
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

PyObject *kernel_take_scaled(PyObject *const *arguments)
{
    enum { NUMBERS, INDICES, SCALE, OUT };
    double scale;
    Matrix arrays[3];
    int type = floating_type(arguments[OUT]);
    if (type < 0 || !read_number(arguments[SCALE], &scale) ||
        !read_arrays(arguments[NUMBERS], arguments[INDICES], arguments[OUT], NPY_UINT8, arrays)) {
        return NULL;
    }
    run(type, BOTH(take_scaled), arrays, 3, 2, &scale);
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_take_rows(PyObject *const *arguments)
{
    enum { NUMBERS, INDICES, OUT };
    Matrix arrays[3];
    int type = PyArray_Check(arguments[OUT]) ? PyArray_TYPE((PyArrayObject *)arguments[OUT]) : -1;
    if (type < 0 || !PyTypeNum_ISNUMBER(type) ||
        !read_arrays(arguments[NUMBERS], arguments[INDICES], arguments[OUT], type, arrays)) {
        return NULL;
    }
    run(NPY_FLOAT, &(Loop){take_rows_of_any}, arrays, 3, 2, NULL);
    return Py_NewRef(arguments[OUT]);
}
