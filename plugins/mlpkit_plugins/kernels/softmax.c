/* Softmax and cross-entropy on transposed logits: classes along the first axis, so that rows fill vectors. */
#include "arguments.h"

#define BLOCK 256

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void shift_transposed_##NAME(const Matrix *x, const Matrix *p)                                   \
    {                                                                                                                  \
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
    VECTORIZED static void normalize_columns_##NAME(const Matrix *p, const Matrix *total)                              \
    {                                                                                                                  \
        T *sum = (T *)total->data;                                                                                     \
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
    VECTORIZED static void cross_entropy_gradient_##NAME(const Matrix *p, const npy_int64 *t, double scale,            \
                                                         const Matrix *dx)                                             \
    {                                                                                                                  \
        T factor = (T)scale;                                                                                           \
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

/* Read class numbers: one for each row, side by side. */
static const npy_int64 *read_labels(PyObject *object, npy_intp rows)
{
    if (!PyArray_Check(object)) {
        return NULL;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_TYPE(array) != NPY_INT64 || PyArray_NDIM(array) != 1 || PyArray_DIM(array, 0) != rows ||
        !PyArray_ISCARRAY_RO(array)) {
        return NULL;
    }
    return (const npy_int64 *)PyArray_DATA(array);
}

PyObject *shift_transposed(SIGNATURE)
{
    Matrix x, p;
    int type = count == 2 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, &x) || !read_matrix(arguments[1], type, 1, &p) ||
        x.rows != p.columns || x.columns != p.rows || p.data == x.data || !apart(&p, &x, item_of(type))) {
        return with_numpy("shift_transposed", arguments, count);
    }
    RUN(type, x.rows * x.columns, shift_transposed, &x, &p);
    return Py_NewRef(arguments[1]);
}

PyObject *pick_labels(SIGNATURE)
{
    Matrix p, out;
    const npy_int64 *t = NULL;
    int type = count == 3 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, &p) || !read_matrix(arguments[2], type, 1, &out) ||
        out.rows != 1 || out.columns != p.columns || (t = read_labels(arguments[1], p.columns)) == NULL) {
        return with_numpy("pick_labels", arguments, count);
    }
    npy_intp wrong = type == NPY_FLOAT ? pick_labels_float32(&p, t, &out) : pick_labels_float64(&p, t, &out);
    if (wrong >= 0) {
        return PyErr_Format(PyExc_IndexError, "label %lld is out of range for %zd classes", (long long)t[wrong],
                            (Py_ssize_t)p.rows);
    }
    return Py_NewRef(arguments[2]);
}

PyObject *normalize_columns(SIGNATURE)
{
    Matrix p, total;
    int type = count == 2 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 1, &p) || !read_matrix(arguments[1], type, 1, &total) ||
        total.rows != 1 || total.columns != p.columns || p.data == total.data || !apart(&total, &p, item_of(type))) {
        return with_numpy("normalize_columns", arguments, count);
    }
    RUN(type, p.rows * p.columns, normalize_columns, &p, &total);
    return Py_NewRef(arguments[1]);
}

PyObject *cross_entropy_gradient(SIGNATURE)
{
    Matrix p, dx;
    double scale;
    const npy_int64 *t = NULL;
    int type = count == 4 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, &p) || !read_matrix(arguments[3], type, 1, &dx) ||
        !read_number(arguments[2], &scale) || dx.rows != p.columns || dx.columns != p.rows || dx.data == p.data ||
        !apart(&dx, &p, item_of(type)) || (t = read_labels(arguments[1], p.columns)) == NULL) {
        return with_numpy("cross_entropy_gradient", arguments, count);
    }
    RUN(type, p.rows * p.columns, cross_entropy_gradient, &p, t, scale, &dx);
    return Py_NewRef(arguments[3]);
}
