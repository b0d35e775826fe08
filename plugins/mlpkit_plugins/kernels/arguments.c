#include "arguments.h"

/* More pixels than any image has along a side, and few enough that sums and products don't overflow. */
#define MAX_COUNT 1000000000

int floating_type(PyObject *object)
{
    if (!PyArray_Check(object)) {
        return -1;
    }
    int type = PyArray_TYPE((PyArrayObject *)object);
    return type == NPY_FLOAT || type == NPY_DOUBLE ? type : -1;
}

int read_matrix(PyObject *object, int type, int writable, Matrix *matrix)
{
    if (!PyArray_Check(object)) {
        return 0;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    int axes = PyArray_NDIM(array);
    npy_intp item = PyArray_ITEMSIZE(array);
    if (PyArray_TYPE(array) != type || axes == 0 || !PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array) ||
        (writable && !PyArray_ISWRITEABLE(array))) {
        return 0;
    }
    matrix->data = PyArray_BYTES(array);
    matrix->item = item;
    if (axes == 2 && PyArray_STRIDE(array, 1) == item && PyArray_STRIDE(array, 0) % item == 0 &&
        PyArray_STRIDE(array, 0) >= PyArray_DIM(array, 1) * item) {
        matrix->rows = PyArray_DIM(array, 0);
        matrix->columns = PyArray_DIM(array, 1);
        matrix->stride = PyArray_STRIDE(array, 0) / item;
        return 1;
    }
    if (!PyArray_IS_C_CONTIGUOUS(array)) {
        return 0;
    }
    matrix->columns = PyArray_DIM(array, axes - 1);
    matrix->rows = matrix->columns ? PyArray_SIZE(array) / matrix->columns : 0;
    matrix->stride = matrix->columns;
    return 1;
}

int same_shape(Matrix *matrices, int count)
{
    int gaps = 0;
    for (int i = 0; i < count; i++) {
        if (matrices[i].rows != matrices[0].rows || matrices[i].columns != matrices[0].columns) {
            return 0;
        }
        gaps |= matrices[i].stride != matrices[i].columns;
    }
    for (int i = 0; i < count && !gaps; i++) {
        matrices[i].columns *= matrices[i].rows;
        matrices[i].stride = matrices[i].columns;
        matrices[i].rows = matrices[i].columns ? 1 : 0;
    }
    return 1;
}

int is_safe_output(const Matrix *output, const Matrix *input)
{
    if (output->data == input->data) {
        return output->stride == input->stride || output->rows <= 1;
    }
    npy_intp length = (output->rows ? (output->rows - 1) * output->stride + output->columns : 0) * output->item;
    npy_intp other = (input->rows ? (input->rows - 1) * input->stride + input->columns : 0) * input->item;
    return output->data + length <= input->data || input->data + other <= output->data;
}

/* Bytes from the first element of an array to the end of its last one; no stride is negative. */
static npy_intp extent_of(PyArrayObject *array)
{
    npy_intp extent = PyArray_ITEMSIZE(array);
    for (int i = 0; i < PyArray_NDIM(array); i++) {
        extent += (PyArray_DIM(array, i) - 1) * PyArray_STRIDE(array, i);
    }
    return extent;
}

int disjoint(PyObject *output, PyObject *const *inputs, int count)
{
    PyArrayObject *out = (PyArrayObject *)output;
    for (int i = 0; i < count; i++) {
        PyArrayObject *in = (PyArrayObject *)inputs[i];
        if (inputs[i] != Py_None && PyArray_BYTES(out) < PyArray_BYTES(in) + extent_of(in) &&
            PyArray_BYTES(in) < PyArray_BYTES(out) + extent_of(out)) {
            return 0;
        }
    }
    return 1;
}

int read_images(PyObject *object, int type, int writable, Matrix *images)
{
    PyArrayObject *array = (PyArrayObject *)object;
    if (!read_matrix(object, type, writable, images) || PyArray_NDIM(array) != 4 || PyArray_SIZE(array) == 0) {
        return 0;
    }
    images->rows = PyArray_DIM(array, 0);
    images->stride = images->columns = PyArray_SIZE(array) / images->rows;
    return 1;
}

/* Read arrays of the same shape and memory layout, without gaps, as one long row each; 0 for other arrays. */
static int read_alike(PyObject *const *arrays, int count, int type, Matrix *all)
{
    PyArrayObject *out = (PyArrayObject *)arrays[count - 1];
    for (int k = 0; k < count; k++) {
        PyArrayObject *array = (PyArrayObject *)arrays[k];
        if (floating_type(arrays[k]) != type || floating_type(arrays[count - 1]) != type ||
            !PyArray_SAMESHAPE(array, out) ||
            (k + 1 < count ? !PyArray_ISBEHAVED_RO(array) : !PyArray_ISBEHAVED(array))) {
            return 0;
        }
    }
    npy_intp item = PyArray_ITEMSIZE(out), size = PyArray_SIZE(out), last = 0;
    for (int i = 0; i < PyArray_NDIM(out); i++) {
        npy_intp length = PyArray_DIM(out, i), stride = PyArray_STRIDE(out, i);
        for (int k = 0; k < count; k++) {
            if (length > 1 && (stride <= 0 || stride != PyArray_STRIDE((PyArrayObject *)arrays[k], i))) {
                return 0;
            }
        }
        last += length > 1 ? (length - 1) * stride : 0;
    }
    for (int k = 0; k < count; k++) {
        all[k] = (Matrix){PyArray_BYTES((PyArrayObject *)arrays[k]), 1, size, size, item};
    }
    return last == (size - 1) * item;
}

int read_elements(PyObject *const *arrays, int count, int type, Matrix *all)
{
    int matrices = 1;
    for (int k = 0; k < count && matrices; k++) {
        matrices = read_matrix(arrays[k], type, k + 1 == count, &all[k]);
    }
    int readable = (matrices && same_shape(all, count)) || read_alike(arrays, count, type, all);
    for (int k = 0; k + 1 < count && readable; k++) {
        readable = is_safe_output(&all[count - 1], &all[k]);
    }
    return readable;
}

npy_intp first_length(PyObject *object)
{
    return PyArray_Check(object) && PyArray_NDIM((PyArrayObject *)object) ? PyArray_DIM((PyArrayObject *)object, 0) : 0;
}

void *elements(PyObject *object, int type, int axes, const npy_intp *lengths)
{
    PyArrayObject *array = (PyArrayObject *)object;
    int fits =
        PyArray_Check(object) && PyArray_TYPE(array) == type && PyArray_NDIM(array) == axes && PyArray_ISCARRAY(array);
    for (int axis = 0; fits && axis < axes; axis++) {
        fits = PyArray_DIM(array, axis) == lengths[axis];
    }
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "an array has another dtype or shape, or gaps");
        return NULL;
    }
    return PyArray_DATA(array);
}

PyObject *float32_copy(PyObject *array)
{
    return PyArray_FROM_OTF(array, NPY_FLOAT, NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY);
}

int read_number(PyObject *object, double *number)
{
    if (!PyFloat_CheckExact(object)) {
        return 0;
    }
    *number = PyFloat_AsDouble(object);
    return 1;
}

int read_count(PyObject *object, npy_intp *number)
{
    *number = PyLong_Check(object) ? PyLong_AsSsize_t(object) : -1;
    if (*number < 0) {
        PyErr_Clear();
    }
    return *number >= 0 && *number <= MAX_COUNT;
}

PyObject *with_numpy(const char *name, PyObject *const *arguments, Py_ssize_t count)
{
    static PyObject *library;
    if (library == NULL) {
        library = PyImport_ImportModule("mlpkit_plugins.kernels.with_numpy");
    }
    PyObject *function = library == NULL ? NULL : PyObject_GetAttrString(library, name);
    PyObject *tuple = function == NULL ? NULL : PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyTuple_SetItem(tuple, i, Py_NewRef(arguments[i]));
    }
    PyObject *result = tuple == NULL ? NULL : PyObject_CallObject(function, tuple);
    Py_XDECREF(tuple);
    Py_XDECREF(function);
    return result;
}
