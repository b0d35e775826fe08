/* Convolutions of images of float32; NumPy computes those of other arrays. */
#include "arguments.h"
#include "blas_threads.h"
#include "convolve.h"

/* The smallest convolutions that release the GIL, and that use several threads. */
#define MIN_MULTIPLICATIONS_TO_RELEASE_GIL 100000
#define MIN_MULTIPLICATIONS_FOR_THREADS 500000

static npy_intp length(PyObject *array, int axis) { return PyArray_DIM((PyArrayObject *)array, axis); }

/* Read filters: an array with four axes, contiguous but for gaps between filters. */
static int read_filters(PyObject *object, int writable, Operand *filters)
{
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_TYPE(array) != NPY_FLOAT || PyArray_NDIM(array) != 4 ||
        !PyArray_ISBEHAVED_RO(array) || (writable && !PyArray_ISWRITEABLE(array))) {
        return 0;
    }
    npy_intp step = PyArray_ITEMSIZE(array);
    for (int axis = 3; axis > 0; axis--) {
        if (length(object, axis) > 1 && PyArray_STRIDE(array, axis) != step) {
            return 0;
        }
        step *= length(object, axis);
    }
    npy_intp row = length(object, 0) > 1 ? PyArray_STRIDE(array, 0) : step;
    *filters = (Operand){(float *)PyArray_DATA(array), row / PyArray_ITEMSIZE(array), 1};
    return row >= step;
}

static int read_floats(PyObject *object, int writable, Matrix *images)
{
    return read_images(object, NPY_FLOAT, writable, images);
}

/* Read a row of that length; None becomes NULL. */
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

/* The number of patches that fit side by side. */
static ptrdiff_t patches_in(ptrdiff_t pixels, ptrdiff_t size, ptrdiff_t stride)
{
    return pixels < size ? 0 : (pixels - size) / stride + 1;
}

/* Read the lengths of images with that padding, of filters, and of outputs; 0 if they don't match. */
static int read_lengths(PyObject *x, ptrdiff_t padding, PyObject *W, PyObject *stride, PyObject *y, Convolution *of)
{
    if (!read_count(stride, &of->stride) || of->stride == 0) {
        return 0;
    }
    of->width = length(x, 0) + 2 * padding, of->channels = length(x, 1), of->height = length(x, 2) + 2 * padding;
    of->across = length(y, 0), of->filters = length(y, 1), of->down = length(y, 2);
    of->size = length(W, 3), of->rows = length(x, 3);
    return of->size > 0 && length(W, 0) == of->filters && length(W, 1) == of->channels && length(W, 2) == of->size &&
           length(y, 3) == of->rows && of->across == patches_in(of->width, of->size, of->stride) &&
           of->down == patches_in(of->height, of->size, of->stride);
}

static int members_for(const Convolution *of)
{
    return multiplications_of(of) < MIN_MULTIPLICATIONS_FOR_THREADS ? 1 : blas_threads();
}

/* Release the GIL before a long convolution, and take it back afterwards. */
static PyThreadState *begin(const Convolution *of)
{
    return multiplications_of(of) < MIN_MULTIPLICATIONS_TO_RELEASE_GIL ? NULL : PyEval_SaveThread();
}

static PyObject *end(PyThreadState *thread, PyObject *out)
{
    if (thread != NULL) {
        PyEval_RestoreThread(thread);
    }
    return Py_NewRef(out);
}

PyObject *kernel_convolution(PyObject *const *arguments)
{
    enum { X, WEIGHTS, BIAS, STRIDE, OUT };
    Convolution of;
    Operand W;
    Matrix x, y;
    float *b;
    if (!can_convolve() || !read_floats(arguments[X], 0, &x) || !read_filters(arguments[WEIGHTS], 0, &W) ||
        !read_floats(arguments[OUT], 1, &y) ||
        !read_lengths(arguments[X], 0, arguments[WEIGHTS], arguments[STRIDE], arguments[OUT], &of) ||
        !read_row(arguments[BIAS], 0, of.filters, &b) || !disjoint(arguments[OUT], arguments, 3)) {
        return NULL;
    }
    PyThreadState *thread = begin(&of);
    convolve(&of, (const float *)x.data, W, b, (float *)y.data, members_for(&of));
    return end(thread, arguments[OUT]);
}

PyObject *kernel_convolution_inputs_gradient(PyObject *const *arguments)
{
    enum { DY, WEIGHTS, STRIDE, PADDING, OUT };
    Convolution of;
    Operand W;
    Matrix dy, dx;
    ptrdiff_t padding;
    if (!can_convolve() || !read_floats(arguments[DY], 0, &dy) || !read_filters(arguments[WEIGHTS], 0, &W) ||
        !read_count(arguments[PADDING], &padding) || !read_floats(arguments[OUT], 1, &dx) ||
        !read_lengths(arguments[OUT], padding, arguments[WEIGHTS], arguments[STRIDE], arguments[DY], &of) ||
        !disjoint(arguments[OUT], arguments, 2)) {
        return NULL;
    }
    PyThreadState *thread = begin(&of);
    convolve_to_inputs(&of, (const float *)dy.data, W, padding, (float *)dx.data, members_for(&of));
    return end(thread, arguments[OUT]);
}

PyObject *kernel_convolution_weights_gradient(PyObject *const *arguments)
{
    enum { X, DY, STRIDE, DW, DB };
    Convolution of;
    Operand dW;
    Matrix x, dy;
    float *db;
    if (!can_convolve() || !read_floats(arguments[X], 0, &x) || !read_floats(arguments[DY], 0, &dy) ||
        !read_filters(arguments[DW], 1, &dW) ||
        !read_lengths(arguments[X], 0, arguments[DW], arguments[STRIDE], arguments[DY], &of) ||
        !read_row(arguments[DB], 1, of.filters, &db) || !disjoint(arguments[DW], arguments, 2) ||
        (db != NULL && (!disjoint(arguments[DB], arguments, 2) || !disjoint(arguments[DB], arguments + DW, 1)))) {
        return NULL;
    }
    PyThreadState *thread = begin(&of);
    convolve_to_weights(&of, (const float *)x.data, (const float *)dy.data, dW, db, members_for(&of));
    return end(thread, arguments[DW]);
}
