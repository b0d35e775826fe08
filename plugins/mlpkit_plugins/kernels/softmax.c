/* Softmax and cross-entropy on transposed logits: with classes along the first axis, vectors run along rows. */
#include "compute_mode.h"
#include "functions.h"
#include "instruction_set.h"
#include "row_arguments.h"

/* The number of rows whose largest logits are kept at once. */
#define ROWS_PER_BLOCK 256

#define LOOPS "softmax_loops.h"
#include "floating_types.h"

/* Read class numbers: one per row, contiguous. */
static int read_labels(PyObject *object, npy_intp rows, Matrix *labels)
{
    return PyArray_Check(object) && PyArray_NDIM((PyArrayObject *)object) == 1 &&
           PyArray_DIM((PyArrayObject *)object, 0) == rows && read_matrix(object, NPY_INT64, 0, labels);
}

PyObject *kernel_shift_transposed(PyObject *const *arguments)
{
    enum { X, OUT };
    Matrix arrays[2], *x = &arrays[0], *out = &arrays[1];
    int type = floating_type(arguments[X]);
    if (type < 0 || !read_matrix(arguments[X], type, 0, x) || !read_matrix(arguments[OUT], type, 1, out) ||
        x->rows != out->columns || x->columns != out->rows || out->data == x->data || !is_safe_output(out, x)) {
        return NULL;
    }
    run(type, BOTH(shift_transposed), arrays, 2, 0, NULL);
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_pick_labels(PyObject *const *arguments)
{
    enum { P, LABELS, OUT };
    Matrix p, t, out;
    int type = floating_type(arguments[P]);
    if (type < 0 || !read_matrix(arguments[P], type, 0, &p) || !read_matrix(arguments[OUT], type, 1, &out) ||
        out.rows != 1 || out.columns != p.columns || !read_labels(arguments[LABELS], p.columns, &t)) {
        return NULL;
    }
    const npy_int64 *labels = (const npy_int64 *)t.data;
    npy_intp wrong = type == NPY_FLOAT ? pick_labels_float32(&p, labels, &out) : pick_labels_float64(&p, labels, &out);
    if (wrong >= 0) {
        return PyErr_Format(PyExc_IndexError, "label %lld is out of range for %zd classes", (long long)labels[wrong],
                            (Py_ssize_t)p.rows);
    }
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_normalize_columns(PyObject *const *arguments)
{
    enum { P, TOTAL };
    Matrix arrays[2], *p = &arrays[0], *total = &arrays[1];
    int type = floating_type(arguments[P]);
    if (type < 0 || !read_matrix(arguments[P], type, 1, p) || !read_matrix(arguments[TOTAL], type, 1, total) ||
        total->rows != 1 || total->columns != p->columns || p->data == total->data || !is_safe_output(total, p)) {
        return NULL;
    }
    run(type, BOTH(normalize_columns), arrays, 2, 0, NULL);
    return Py_NewRef(arguments[TOTAL]);
}

PyObject *kernel_cross_entropy_gradient(PyObject *const *arguments)
{
    enum { P, LABELS, SCALE, OUT };
    Matrix arrays[3], *p = &arrays[0], *dx = &arrays[1], *t = &arrays[2];
    double scale;
    int type = floating_type(arguments[P]);
    if (type < 0 || !read_matrix(arguments[P], type, 0, p) || !read_matrix(arguments[OUT], type, 1, dx) ||
        !read_number(arguments[SCALE], &scale) || dx->rows != p->columns || dx->columns != p->rows ||
        dx->data == p->data || !is_safe_output(dx, p) || !read_labels(arguments[LABELS], p->columns, t)) {
        return NULL;
    }
    run(type, BOTH(cross_entropy_gradient), arrays, 3, 0, &scale);
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_softmax(PyObject *const *arguments)
{
    enum { X, OUT };
    static const Parameter parameters[] = {{X, OF_X, 0}, {OUT, OF_X, 1}};
    if (!in_row_order()) {
        return NULL;
    }
    Loop loop = instruction_set()->loops->softmax;
    return call_on_rows(loop, parameters, 2, 0, NULL, arguments) ? Py_NewRef(arguments[OUT]) : NULL;
}
