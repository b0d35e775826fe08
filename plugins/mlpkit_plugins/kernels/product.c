/* Matrix products of BLAS, called with less ceremony than by np.matmul. */
#include "arguments.h"

/* Numbers of a product up to which less ceremony pays: PyArray_MatrixProduct2 sets its output to zero first. */
#define LARGEST 4096

/* Multiplications above which with_numpy.py may compute halves. */
#define SMALL 1000000

/* Whether BLAS can read a matrix, or its transpose, where it lies. */
static int lies_plainly(PyArrayObject *array, int type)
{
    return PyArray_TYPE(array) == type && PyArray_ISBEHAVED_RO(array) &&
           (PyArray_IS_C_CONTIGUOUS(array) || PyArray_IS_F_CONTIGUOUS(array));
}

PyObject *product(SIGNATURE)
{
    int type = count == 3 ? floating_type(arguments[2]) : -1;
    if (type < 0 || !PyArray_Check(arguments[0]) || !PyArray_Check(arguments[1])) {
        return with_numpy("product", arguments, count);
    }
    PyArrayObject *a = (PyArrayObject *)arguments[0], *b = (PyArrayObject *)arguments[1];
    PyArrayObject *out = (PyArrayObject *)arguments[2];
    /* A matrix of a single row or column is for np.matmul, which may take another routine of BLAS for it. */
    int axes = PyArray_NDIM(a);
    if ((axes != 1 && axes != 2) || PyArray_NDIM(b) != 2 || PyArray_NDIM(out) != axes ||
        (axes == 2 && (PyArray_DIM(a, 0) < 2 || PyArray_DIM(out, 0) != PyArray_DIM(a, 0))) ||
        PyArray_DIM(b, 0) < 2 || PyArray_DIM(b, 1) < 2 || PyArray_DIM(a, axes - 1) != PyArray_DIM(b, 0) ||
        PyArray_DIM(out, axes - 1) != PyArray_DIM(b, 1) || !lies_plainly(a, type) || !lies_plainly(b, type) ||
        !PyArray_ISCARRAY(out) || PyArray_SIZE(out) > LARGEST ||
        PyArray_SIZE(out) * PyArray_DIM(b, 0) > SMALL) {
        return with_numpy("product", arguments, count);
    }
    return PyArray_MatrixProduct2(arguments[0], arguments[1], out);
}
