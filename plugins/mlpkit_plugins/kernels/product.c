/* Matrix products of float32, computed in tiles; NumPy computes those of other arrays. */
#include "arguments.h"
#include "bfloat16.h"
#include "blas_threads.h"
#include "compute_mode.h"
#include "multiply.h"
#include "multiply_vectors.h"

#include <string.h>

/* The smallest products that release the GIL. */
#define MIN_MULTIPLICATIONS_TO_RELEASE_GIL 100000

/* The largest products that are computed here without AMX: BLAS is faster for larger ones, unless many steps can be
 * skipped. If BLAS has its own threads, there is one thread here, and the limit is lower. */
#define MAX_MULTIPLICATIONS 500000000
#define MAX_MULTIPLICATIONS_ALONE 1000000

typedef struct {
    Operand numbers;
    npy_intp rows, columns;
} Factor;

/* Read an array with two axes, or with one, as a matrix with a single row; 0 if products can't use it. */
static int read_factor(PyObject *object, Factor *factor)
{
    if (!PyArray_Check(object)) {
        return 0;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    int axes = PyArray_NDIM(array);
    if (PyArray_TYPE(array) != NPY_FLOAT || axes < 1 || axes > 2 || !PyArray_ISBEHAVED_RO(array)) {
        return 0;
    }
    npy_intp item = PyArray_ITEMSIZE(array);
    factor->columns = PyArray_DIM(array, axes - 1);
    factor->rows = axes == 2 ? PyArray_DIM(array, 0) : 1;
    factor->numbers.data = (float *)PyArray_DATA(array);
    /* The stride of a single row or column may have any value, and is never used. */
    factor->numbers.column = factor->columns > 1 ? PyArray_STRIDE(array, axes - 1) / item : 1;
    factor->numbers.row = factor->rows > 1 ? PyArray_STRIDE(array, 0) / item : factor->columns;
    return factor->rows > 0 && factor->columns > 0 && factor->numbers.row > 0 && factor->numbers.column > 0;
}

static int are_disjoint(const Factor *x, const Factor *y)
{
    return part_from(x->numbers, x->rows - 1, x->columns - 1).data < y->numbers.data ||
           part_from(y->numbers, y->rows - 1, y->columns - 1).data < x->numbers.data;
}

static npy_intp multiplications_of(const Factor *a, const Factor *b) { return a->rows * a->columns * b->columns; }

static int is_for_blas(const Factor *a, const Factor *b)
{
    if (!blas_can_share_team()) {
        return multiplications_of(a, b) > MAX_MULTIPLICATIONS_ALONE;
    }
    return multiplications_of(a, b) > MAX_MULTIPLICATIONS && !suits_amx(a->numbers, a->rows, a->columns, b->columns) &&
           !has_many_zeros(a->numbers, a->rows, a->columns, b->columns);
}

/* Compute a product, plus a row unless that is NULL; 0 if it can't be done here. */
static int compute(PyObject *first, PyObject *second, PyObject *added, PyObject *out, Precision precision)
{
    Factor a, b, c, row = {{NULL, 0, 1}, 1, 0};
    if (!can_multiply() || !read_factor(first, &a) || !read_factor(second, &b) || !read_factor(out, &c) ||
        PyArray_NDIM((PyArrayObject *)second) != 2 ||
        PyArray_NDIM((PyArrayObject *)first) != PyArray_NDIM((PyArrayObject *)out) ||
        !PyArray_ISWRITEABLE((PyArrayObject *)out) || b.rows != a.columns || c.rows != a.rows ||
        c.columns != b.columns || (b.numbers.row != 1 && b.numbers.column != 1) || c.numbers.column != 1 ||
        !are_disjoint(&c, &a) || !are_disjoint(&c, &b)) {
        return 0;
    }
    if (added != NULL && (!read_factor(added, &row) || PyArray_NDIM((PyArrayObject *)added) != 1 ||
                          row.numbers.column != 1 || row.columns != c.columns || !are_disjoint(&c, &row))) {
        return 0;
    }
    if ((precision == ANY_ORDER && is_for_blas(&a, &b)) ||
        (precision == ROUND_FACTORS && !can_round_factors(a.numbers, a.rows, a.columns, b.columns))) {
        return 0;
    }
    if (multiplications_of(&a, &b) < MIN_MULTIPLICATIONS_TO_RELEASE_GIL) {
        multiply(a.numbers, b.numbers, c.numbers, row.numbers.data, a.rows, a.columns, b.columns, 1, precision);
        return 1;
    }
    PyThreadState *thread = PyEval_SaveThread();
    multiply(a.numbers, b.numbers, c.numbers, row.numbers.data, a.rows, a.columns, b.columns, blas_threads(),
             precision);
    PyEval_RestoreThread(thread);
    return 1;
}

/* The same with contiguous copies; -1 with an error set. */
static int compute_on_copies(PyObject *first, PyObject *second, PyObject *added, PyObject *out)
{
    PyObject *operands[] = {first, second, added, out}, *copies[4] = {NULL};
    int count = 0, done = 0;
    for (; count < 4; count++) {
        if (operands[count] != NULL) {
            if (!PyArray_Check(operands[count]) || PyArray_TYPE((PyArrayObject *)operands[count]) != NPY_FLOAT) {
                break;
            }
            copies[count] = float32_copy(operands[count]);
            if (copies[count] == NULL) {
                break;
            }
        }
    }
    if (count == 4 && compute(copies[0], copies[1], copies[2], copies[3], ROW_ORDER)) {
        done = PyArray_CopyInto((PyArrayObject *)out, (PyArrayObject *)copies[3]) < 0 ? -1 : 1;
    }
    for (int i = 0; i < 4; i++) {
        Py_XDECREF(copies[i]);
    }
    return PyErr_Occurred() ? -1 : done;
}

/* Whether to round the factors: two float32 matrices, in a thread that rounds. */
static int rounds(PyObject *first, PyObject *second)
{
    return in_bfloat16() && PyArray_Check(first) && PyArray_Check(second) &&
           PyArray_TYPE((PyArrayObject *)first) == NPY_FLOAT && PyArray_TYPE((PyArrayObject *)second) == NPY_FLOAT &&
           PyArray_NDIM((PyArrayObject *)first) == 2;
}

VECTORIZED static void round_in_place(float *numbers, npy_intp count)
{
    for (npy_intp i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, numbers + i, sizeof(bits));
        bits = rounded_to_bfloat16(bits);
        memcpy(numbers + i, &bits, sizeof(bits));
    }
}

static PyObject *rounded_copy(PyObject *array)
{
    PyObject *copy = float32_copy(array);
    if (copy != NULL) {
        round_in_place(PyArray_DATA((PyArrayObject *)copy), PyArray_SIZE((PyArrayObject *)copy));
    }
    return copy;
}

/* Compute a product with rounded factors. NumPy gets rounded copies, since it rounds nothing by itself here. */
static PyObject *compute_rounded(const char *name, PyObject *first, PyObject *second, PyObject *added, PyObject *out)
{
    if (compute(first, second, added, out, ROUND_FACTORS)) {
        return Py_NewRef(out);
    }
    PyObject *a = rounded_copy(first), *b = a == NULL ? NULL : rounded_copy(second), *result = NULL;
    if (b != NULL && compute(a, b, added, out, ROUNDED_FACTORS)) {
        result = Py_NewRef(out);
    }
    else if (b != NULL) {
        result = added == NULL ? with_numpy(name, (PyObject *[]){a, b, out}, 3)
                               : with_numpy(name, (PyObject *[]){a, b, added, out}, 4);
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

static PyObject *compute_in_mode(const char *name, PyObject *first, PyObject *second, PyObject *added, PyObject *out)
{
    if (rounds(first, second)) {
        return compute_rounded(name, first, second, added, out);
    }
    int done = compute(first, second, added, out, in_row_order() ? ROW_ORDER : ANY_ORDER);
    if (!done && in_row_order()) { /* NumPy would add in another order */
        done = compute_on_copies(first, second, added, out);
    }
    return done > 0 ? Py_NewRef(out) : NULL;
}

PyObject *kernel_product(PyObject *const *arguments)
{
    enum { A, B, OUT };
    return compute_in_mode("product", arguments[A], arguments[B], NULL, arguments[OUT]);
}

PyObject *kernel_product_plus_row(PyObject *const *arguments)
{
    enum { A, B, ROW, OUT };
    return compute_in_mode("product_plus_row", arguments[A], arguments[B], arguments[ROW], arguments[OUT]);
}
