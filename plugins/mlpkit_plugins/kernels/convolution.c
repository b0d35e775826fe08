/* Convolutions of images of float32; NumPy computes those of other arrays. */
#include "arguments.h"
#include "blas_threads.h"
#include "convolve.h"

/* Multiplications from which the GIL is released, and those from which threads share them. */
#define MANY 100000
#define SHARED 500000

/* Read an array of float32 with four axes; gaps may lie along the first one. */
static int read_axes(PyObject *object, int writable, Operand *numbers)
{
    if (!PyArray_Check(object)) {
        return 0;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_TYPE(array) != NPY_FLOAT || PyArray_NDIM(array) != 4 || !PyArray_ISBEHAVED_RO(array) ||
        (writable && !PyArray_ISWRITEABLE(array)) || PyArray_SIZE(array) == 0) {
        return 0;
    }
    npy_intp apart = (npy_intp)sizeof(float);
    for (int axis = 3; axis > 0; axis--) {
        if (PyArray_DIM(array, axis) > 1 && PyArray_STRIDE(array, axis) != apart) {
            return 0;
        }
        apart *= PyArray_DIM(array, axis);
    }
    npy_intp row = PyArray_DIM(array, 0) > 1 ? PyArray_STRIDE(array, 0) : apart;
    *numbers = (Operand){(float *)PyArray_DATA(array), row / (npy_intp)sizeof(float), 1};
    return row >= apart;
}

static npy_intp length(PyObject *array, int axis) { return PyArray_DIM((PyArrayObject *)array, axis); }

/* Read images, whose columns of pixels follow one another. */
static int read_images(PyObject *object, int writable, float **images)
{
    Operand numbers;
    if (!read_axes(object, writable, &numbers) ||
        numbers.row != length(object, 1) * length(object, 2) * length(object, 3)) {
        return 0;
    }
    *images = numbers.data;
    return 1;
}

static int read_row(PyObject *object, int writable, npy_intp columns, float **row)
{
    Matrix matrix;
    *row = NULL;
    if (object == Py_None) {
        return 1;
    }
    if (!read_matrix(object, NPY_FLOAT, writable, &matrix) || matrix.rows != 1 || matrix.columns != columns) {
        return 0;
    }
    *row = (float *)matrix.data;
    return 1;
}

static int read_whole(PyObject *object, ptrdiff_t *number)
{
    *number = PyLong_Check(object) ? PyLong_AsSsize_t(object) : -1;
    if (PyErr_Occurred()) {
        PyErr_Clear();
    }
    return *number >= 0;
}

static int lie_apart(PyObject *object, PyObject *other)
{
    PyArrayObject *x = (PyArrayObject *)object, *y = (PyArrayObject *)other;
    const char *x_end = PyArray_BYTES(x) + PyArray_STRIDE(x, 0) * PyArray_DIM(x, 0);
    const char *y_end = PyArray_BYTES(y) + PyArray_STRIDE(y, 0) * PyArray_DIM(y, 0);
    return x_end <= PyArray_BYTES(y) || y_end <= PyArray_BYTES(x);
}

/* How many patches fit side by side. */
static ptrdiff_t patches_in(ptrdiff_t pixels, ptrdiff_t size, ptrdiff_t stride)
{
    return pixels < size ? 0 : (pixels - size) / stride + 1;
}

/* Read the lengths of images around which so much padding lies, of filters, and of outputs; 0 if they don't match. */
static int read_lengths(PyObject *x, ptrdiff_t padding, PyObject *W, PyObject *stride, PyObject *y, Convolution *of)
{
    if (!read_whole(stride, &of->stride) || of->stride == 0) {
        return 0;
    }
    of->width = length(x, 0) + 2 * padding, of->channels = length(x, 1), of->height = length(x, 2) + 2 * padding;
    of->across = length(y, 0), of->filters = length(y, 1), of->down = length(y, 2);
    of->size = length(W, 3), of->rows = length(x, 3);
    return length(W, 0) == of->filters && length(W, 1) == of->channels && length(W, 2) == of->size &&
           length(y, 3) == of->rows && of->across == patches_in(of->width, of->size, of->stride) &&
           of->down == patches_in(of->height, of->size, of->stride);
}

static int members_for(const Convolution *of) { return multiplications_of(of) < SHARED ? 1 : blas_threads(); }

/* Begin and end a piece of work, during which other threads of Python run, if it is long. */
static PyThreadState *begin(const Convolution *of) { return multiplications_of(of) < MANY ? NULL : PyEval_SaveThread(); }

static PyObject *end(PyThreadState *thread, PyObject *out)
{
    if (thread != NULL) {
        PyEval_RestoreThread(thread);
    }
    return Py_NewRef(out);
}

PyObject *convolution(SIGNATURE)
{
    Convolution of;
    Operand W;
    float *x, *b, *y;
    if (count != 5 || !can_convolve() || !read_images(arguments[0], 0, &x) || !read_axes(arguments[1], 0, &W) ||
        !read_images(arguments[4], 1, &y) ||
        !read_lengths(arguments[0], 0, arguments[1], arguments[3], arguments[4], &of) ||
        !read_row(arguments[2], 0, of.filters, &b) || !lie_apart(arguments[0], arguments[4])) {
        return with_numpy("convolution", arguments, count);
    }
    PyThreadState *thread = begin(&of);
    convolve(&of, x, W, b, y, members_for(&of));
    return end(thread, arguments[4]);
}

PyObject *convolution_inputs_gradient(SIGNATURE)
{
    Convolution of;
    Operand W;
    float *dy, *dx;
    ptrdiff_t padding;
    if (count != 5 || !can_convolve() || !read_images(arguments[0], 0, &dy) || !read_axes(arguments[1], 0, &W) ||
        !read_whole(arguments[3], &padding) || !read_images(arguments[4], 1, &dx) ||
        !read_lengths(arguments[4], padding, arguments[1], arguments[2], arguments[0], &of) ||
        !lie_apart(arguments[0], arguments[4])) {
        return with_numpy("convolution_inputs_gradient", arguments, count);
    }
    PyThreadState *thread = begin(&of);
    convolve_to_inputs(&of, dy, W, padding, dx, members_for(&of));
    return end(thread, arguments[4]);
}

PyObject *convolution_weights_gradient(SIGNATURE)
{
    Convolution of;
    Operand dW;
    float *x, *dy, *db;
    if (count != 5 || !can_convolve() || !read_images(arguments[0], 0, &x) || !read_images(arguments[1], 0, &dy) ||
        !read_axes(arguments[3], 1, &dW) ||
        !read_lengths(arguments[0], 0, arguments[3], arguments[2], arguments[1], &of) ||
        !read_row(arguments[4], 1, of.filters, &db)) {
        return with_numpy("convolution_weights_gradient", arguments, count);
    }
    PyThreadState *thread = begin(&of);
    convolve_to_weights(&of, x, dy, dW, db, members_for(&of));
    return end(thread, arguments[3]);
}
