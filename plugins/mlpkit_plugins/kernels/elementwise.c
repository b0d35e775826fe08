/* Sums with a row, and the rectified linear unit. */
#include "arguments.h"

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void add_row_##NAME(const Matrix *x, const Matrix *row, const Matrix *y)                         \
    {                                                                                                                  \
        const T *added = (const T *)row->data;                                                                         \
        for (npy_intp i = 0; i < x->rows; i++) {                                                                       \
            const T *from = (const T *)x->data + i * x->stride;                                                        \
            T *to = (T *)y->data + i * y->stride;                                                                      \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < x->columns; j++) {                                                                \
                to[j] = from[j] + added[j];                                                                           \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void rectify_##NAME(const Matrix *x, const Matrix *y)                                            \
    {                                                                                                                  \
        for (npy_intp i = 0; i < x->rows; i++) {                                                                       \
            const T *from = (const T *)x->data + i * x->stride;                                                        \
            T *to = (T *)y->data + i * y->stride;                                                                      \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < x->columns; j++) {                                                                \
                to[j] = from[j] <= 0 ? 0 : from[j];                                                                    \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void keep_where_positive_##NAME(const Matrix *dy, const Matrix *y, const Matrix *dx)             \
    {                                                                                                                  \
        for (npy_intp i = 0; i < dy->rows; i++) {                                                                      \
            const T *from = (const T *)dy->data + i * dy->stride;                                                      \
            const T *sign = (const T *)y->data + i * y->stride;                                                        \
            T *to = (T *)dx->data + i * dx->stride;                                                                    \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < dy->columns; j++) {                                                               \
                to[j] = from[j] * (sign[j] > 0 ? (T)1 : (T)0);                                                         \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOPS(float, float32)
LOOPS(double, float64)

PyObject *add_row(SIGNATURE)
{
    Matrix x, row, y;
    int type = count == 3 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, &x) || !read_matrix(arguments[1], type, 0, &row) ||
        !read_matrix(arguments[2], type, 1, &y) || row.rows != 1 || row.columns != x.columns || x.rows != y.rows ||
        x.columns != y.columns || !apart(&y, &x, item_of(type)) || !apart(&y, &row, item_of(type))) {
        return with_numpy("add_row", arguments, count);
    }
    RUN(type, x.rows * x.columns, add_row, &x, &row, &y);
    return Py_NewRef(arguments[2]);
}

PyObject *rectify(SIGNATURE)
{
    Matrix x, y;
    Matrix *matrices[] = {&x, &y};
    int type = count == 2 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, &x) || !read_matrix(arguments[1], type, 1, &y) ||
        !same_shape(matrices, 2) || !apart(&y, &x, item_of(type))) {
        return with_numpy("rectify", arguments, count);
    }
    RUN(type, x.rows * x.columns, rectify, &x, &y);
    return Py_NewRef(arguments[1]);
}

PyObject *keep_where_positive(SIGNATURE)
{
    Matrix dy, y, dx;
    Matrix *matrices[] = {&dy, &y, &dx};
    int type = count == 3 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 0, &dy) || !read_matrix(arguments[1], type, 0, &y) ||
        !read_matrix(arguments[2], type, 1, &dx) || !same_shape(matrices, 3) || !apart(&dx, &dy, item_of(type)) ||
        !apart(&dx, &y, item_of(type))) {
        return with_numpy("keep_where_positive", arguments, count);
    }
    RUN(type, dy.rows * dy.columns, keep_where_positive, &dy, &y, &dx);
    return Py_NewRef(arguments[2]);
}
