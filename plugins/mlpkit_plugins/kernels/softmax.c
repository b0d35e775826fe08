/* Softmax and cross-entropy on transposed logits: classes along the first axis, so that rows fill vectors. */
#include "compute_mode.h"
#include "functions.h"
#include "instruction_set.h"
#include "row_arguments.h"

#define BLOCK 256

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void shift_transposed_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))             \
    {                                                                                                                  \
        const Matrix *x = &arrays[0], *p = &arrays[1];                                                                 \
        T largest[BLOCK];                                                                                              \
        npy_intp classes = p->rows;                                                                                    \
        for (npy_intp begin = 0; begin < x->rows; begin += BLOCK) {                                                    \
            npy_intp length = x->rows - begin < BLOCK ? x->rows - begin : BLOCK;                                       \
            const T *from = (const T *)x->data + begin * x->stride;                                                    \
            for (npy_intp c = 0; c < classes; c++) {                                                                   \
                T *to = (T *)p->data + c * p->stride + begin;                                                          \
                for (npy_intp i = 0; i < length; i++) {                                                                \
                    T element = from[i * x->stride + c];                                                               \
                    to[i] = element;                                                                                   \
                    largest[i] = c == 0 || !(largest[i] >= element || largest[i] != largest[i]) ? element : largest[i]; \
                }                                                                                                      \
            }                                                                                                          \
            for (npy_intp c = 0; c < classes; c++) {                                                                   \
                T *to = (T *)p->data + c * p->stride + begin;                                                          \
                INDEPENDENT                                                                                            \
                for (npy_intp i = 0; i < length; i++) {                                                                \
                    to[i] = to[i] - largest[i];                                                                        \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static npy_intp pick_labels_##NAME(const Matrix *p, const npy_int64 *t, const Matrix *out)                         \
    {                                                                                                                  \
        for (npy_intp i = 0; i < p->columns; i++) {                                                                    \
            if (t[i] < 0 || t[i] >= p->rows) {                                                                         \
                return i;                                                                                              \
            }                                                                                                          \
            ((T *)out->data)[i] = ((const T *)p->data)[t[i] * p->stride + i];                                          \
        }                                                                                                              \
        return -1;                                                                                                     \
    }                                                                                                                  \
    VECTORIZED static void normalize_columns_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))            \
    {                                                                                                                  \
        const Matrix *p = &arrays[0];                                                                                  \
        T *sum = (T *)arrays[1].data;                                                                                  \
        for (npy_intp c = 0; c < p->rows; c++) {                                                                       \
            const T *from = (const T *)p->data + c * p->stride;                                                        \
            INDEPENDENT                                                                                                \
            for (npy_intp i = 0; i < p->columns; i++) {                                                                \
                sum[i] = c == 0 ? from[i] : sum[i] + from[i];                                                          \
            }                                                                                                          \
        }                                                                                                              \
        for (npy_intp c = 0; c < p->rows; c++) {                                                                       \
            T *to = (T *)p->data + c * p->stride;                                                                      \
            INDEPENDENT                                                                                                \
            for (npy_intp i = 0; i < p->columns; i++) {                                                                \
                to[i] = to[i] / sum[i];                                                                                \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void cross_entropy_gradient_##NAME(const Matrix *arrays, const double *numbers)                  \
    {                                                                                                                  \
        const Matrix *p = &arrays[0], *dx = &arrays[1];                                                                \
        const npy_int64 *t = (const npy_int64 *)arrays[2].data;                                                        \
        T factor = (T)numbers[0];                                                                                      \
        for (npy_intp c = 0; c < p->rows; c++) {                                                                       \
            const T *from = (const T *)p->data + c * p->stride;                                                        \
            T *to = (T *)dx->data + c;                                                                                 \
            for (npy_intp i = 0; i < p->columns; i++) {                                                                \
                to[i * dx->stride] = (t[i] == c ? from[i] - 1 : from[i]) * factor;                                     \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOPS(float, float32)
LOOPS(double, float64)

/* Read class numbers: one per row, contiguous. */
static int read_labels(PyObject *object, npy_intp rows, Matrix *labels)
{
    return PyArray_Check(object) && PyArray_NDIM((PyArrayObject *)object) == 1 &&
           PyArray_DIM((PyArrayObject *)object, 0) == rows && read_matrix(object, NPY_INT64, 0, labels);
}

PyObject *shift_transposed(SIGNATURE)
{
    Matrix all[2], *x = &all[0], *p = &all[1];
    int type = count == 2 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, x) || !read_matrix(arguments[1], type, 1, p) ||
        x->rows != p->columns || x->columns != p->rows || p->data == x->data || !apart(p, x)) {
        return with_numpy("shift_transposed", arguments, count);
    }
    run(type, BOTH(shift_transposed), all, 2, 0, NULL);
    return Py_NewRef(arguments[1]);
}

PyObject *pick_labels(SIGNATURE)
{
    Matrix p, t, out;
    int type = count == 3 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, &p) || !read_matrix(arguments[2], type, 1, &out) ||
        out.rows != 1 || out.columns != p.columns || !read_labels(arguments[1], p.columns, &t)) {
        return with_numpy("pick_labels", arguments, count);
    }
    const npy_int64 *labels = (const npy_int64 *)t.data;
    npy_intp wrong = type == NPY_FLOAT ? pick_labels_float32(&p, labels, &out) : pick_labels_float64(&p, labels, &out);
    if (wrong >= 0) {
        return PyErr_Format(PyExc_IndexError, "label %lld is out of range for %zd classes", (long long)labels[wrong],
                            (Py_ssize_t)p.rows);
    }
    return Py_NewRef(arguments[2]);
}

PyObject *normalize_columns(SIGNATURE)
{
    Matrix all[2], *p = &all[0], *total = &all[1];
    int type = count == 2 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 1, p) || !read_matrix(arguments[1], type, 1, total) ||
        total->rows != 1 || total->columns != p->columns || p->data == total->data || !apart(total, p)) {
        return with_numpy("normalize_columns", arguments, count);
    }
    run(type, BOTH(normalize_columns), all, 2, 0, NULL);
    return Py_NewRef(arguments[1]);
}

PyObject *cross_entropy_gradient(SIGNATURE)
{
    Matrix all[3], *p = &all[0], *dx = &all[1], *t = &all[2];
    double scale;
    int type = count == 4 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, p) || !read_matrix(arguments[3], type, 1, dx) ||
        !read_number(arguments[2], &scale) || dx->rows != p->columns || dx->columns != p->rows || dx->data == p->data ||
        !apart(dx, p) || !read_labels(arguments[1], p->columns, t)) {
        return with_numpy("cross_entropy_gradient", arguments, count);
    }
    run(type, BOTH(cross_entropy_gradient), all, 3, 0, &scale);
    return Py_NewRef(arguments[3]);
}

PyObject *softmax(SIGNATURE)
{
    static const Parameter parameters[] = {{0, OF_X, 0}, {1, OF_X, 1}};
    if (count != 2 || !in_row_order()) {
        return with_numpy("softmax", arguments, count);
    }
    return call_on_rows("softmax", &instruction_set()->loops->softmax, parameters, 2, 0, NULL, arguments, count);
}
