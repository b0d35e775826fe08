/* Elements' functions and rows' means: within a row order those of row_functions.h, otherwise NumPy's. */
#include "functions.h"

#include "instruction_set.h"
#include "row_order.h"

/* The loops that compute by rows, if this thread does. */
static const RowLoops *loops_by_rows(void) { return in_row_order() ? instruction_set()->loops : NULL; }

static int is_float32(PyObject *object)
{
    return PyArray_Check(object) && PyArray_TYPE((PyArrayObject *)object) == NPY_FLOAT;
}

/* Read arrays of the same shape and memory order, without gaps, as one long row each; 0 if they aren't such. */
static int read_alike(PyArrayObject *x, PyArrayObject *out, Matrix *all)
{
    int axes = PyArray_NDIM(x);
    npy_intp item = sizeof(float), size = PyArray_SIZE(x), last = 0;
    if (!PyArray_ISBEHAVED_RO(x) || !PyArray_ISBEHAVED(out)) {
        return 0;
    }
    for (int i = 0; i < axes; i++) {
        npy_intp length = PyArray_DIM(x, i), stride = PyArray_STRIDE(x, i);
        if (length > 1 && (stride <= 0 || stride != PyArray_STRIDE(out, i))) {
            return 0;
        }
        last += length > 1 ? (length - 1) * stride : 0;
    }
    if (last != (size - 1) * item) {
        return 0;
    }
    all[0] = (Matrix){PyArray_BYTES(x), 1, size, size, item};
    all[1] = (Matrix){PyArray_BYTES(out), 1, size, size, item};
    return 1;
}

PyObject *apply(Loop loop, PyObject *first, PyObject *second)
{
    PyArrayObject *x = (PyArrayObject *)first, *out = (PyArrayObject *)second;
    if (!is_float32(first) || !is_float32(second) || PyArray_SIZE(x) == 0 || !PyArray_SAMESHAPE(x, out)) {
        return NULL;
    }
    Matrix all[2];
    int matrices = read_matrix(first, NPY_FLOAT, 0, &all[0]) && read_matrix(second, NPY_FLOAT, 1, &all[1]) &&
                   same_shape(all, 2);
    if ((matrices || read_alike(x, out, all)) && apart(&all[1], &all[0])) {
        run(NPY_FLOAT, &loop, all, 2, 2, NULL);
        return Py_NewRef(second);
    }
    PyArrayObject *copy = (PyArrayObject *)float32_copy(first);
    if (copy == NULL) {
        return NULL;
    }
    npy_intp size = PyArray_SIZE(copy);
    all[0] = all[1] = (Matrix){PyArray_BYTES(copy), 1, size, size, sizeof(float)};
    run(NPY_FLOAT, &loop, all, 2, 2, NULL);
    int copied = PyArray_CopyInto(out, copy);
    Py_DECREF(copy);
    return copied < 0 ? NULL : Py_NewRef(second);
}

#define FUNCTION(name)                                                                                                 \
    PyObject *name##_of(SIGNATURE)                                                                                     \
    {                                                                                                                  \
        const RowLoops *loops = count == 2 ? loops_by_rows() : NULL;                                                   \
        PyObject *result = loops != NULL ? apply(loops->name, arguments[0], arguments[1]) : NULL;                      \
        return result != NULL || PyErr_Occurred() ? result : with_numpy(#name, arguments, count);                      \
    }

FUNCTION(exp)
FUNCTION(expm1)
FUNCTION(tanh)
FUNCTION(sigmoid)
FUNCTION(softplus)
FUNCTION(gelu)

PyObject *mean_of_rows(SIGNATURE)
{
    const RowLoops *loops = count == 1 ? loops_by_rows() : NULL;
    if (loops == NULL || !is_float32(arguments[0]) || PyArray_NDIM((PyArrayObject *)arguments[0]) < 2 ||
        PyArray_SIZE((PyArrayObject *)arguments[0]) == 0) {
        return with_numpy("mean_of_rows", arguments, count);
    }
    PyArrayObject *x = (PyArrayObject *)PyArray_FROM_OTF(arguments[0], NPY_FLOAT, NPY_ARRAY_CARRAY_RO);
    if (x == NULL) {
        return NULL;
    }
    npy_intp shape[NPY_MAXDIMS] = {PyArray_DIM(x, 0)}, features = PyArray_SIZE(x) / shape[0];
    for (int axis = 1; axis < PyArray_NDIM(x); axis++) {
        shape[axis] = 1;
    }
    PyObject *mean = PyArray_SimpleNew(PyArray_NDIM(x), shape, NPY_FLOAT);
    if (mean != NULL) {
        Matrix all[2] = {{PyArray_BYTES(x), shape[0], features, features, sizeof(float)},
                         {PyArray_BYTES((PyArrayObject *)mean), shape[0], 1, 1, sizeof(float)}};
        run(NPY_FLOAT, &loops->mean_of_rows, all, 2, shape[0] > 1 ? 2 : 0, NULL);
    }
    Py_DECREF(x);
    return mean;
}
