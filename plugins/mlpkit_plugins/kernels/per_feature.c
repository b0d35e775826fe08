/* Layers with numbers for each feature, which is a column of the matrices. */
#include "loops.h"

#define ROW(T, number) ((T *)arrays[number].data + i * arrays[number].stride)

/* Add up a term of each row in the order of rows, as NumPy does; the other array has rows like x, or is a row. */
#define SUM_ROWS(T, last, term)                                                                                        \
    {                                                                                                                  \
        T *sum = (T *)arrays[last].data;                                                                               \
        for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                             \
            sum[j] = 0;                                                                                                \
        }                                                                                                              \
        for (npy_intp i = 0; i < arrays[0].rows; i++) {                                                                \
            const T *x = ROW(T, 0), *other = arrays[1].rows > 1 ? ROW(T, 1) : (const T *)arrays[1].data;               \
            (void)other;                                                                                               \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                         \
                sum[j] += term;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    }

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void prelu_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))                        \
    {                                                                                                                  \
        const T *slope = (const T *)arrays[2].data;                                                                    \
        SET_ELEMENTS(T, x[j] < 0 ? x[j] * slope[j] : x[j])                                                             \
    }                                                                                                                  \
    VECTORIZED static void prelu_gradient_##NAME(const Matrix *arrays, const double *numbers)                          \
    {                                                                                                                  \
        const T *slope = (const T *)arrays[4].data;                                                                    \
        T one = (T)numbers[0];                                                                                         \
        for (npy_intp i = 0; i < arrays[0].rows; i++) {                                                                \
            const T *dy = ROW(T, 0), *x = ROW(T, 1);                                                                   \
            T *products = ROW(T, 2), *dx = ROW(T, 3);                                                                  \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                         \
                T factor = x[j] > 0 ? one : slope[j], upstream = dy[j];                                                \
                products[j] = upstream * (x[j] > 0 ? (T)0 : x[j]);                                                     \
                dx[j] = upstream * factor;                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void lerp_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))                         \
    {                                                                                                                  \
        const T *weight = (const T *)arrays[3].data;                                                                   \
        for (npy_intp i = 0; i < arrays[0].rows; i++) {                                                                \
            const T *x = ROW(T, 0), *end = ROW(T, 1);                                                                  \
            T *y = ROW(T, 2);                                                                                          \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                         \
                y[j] = x[j] + (end[j] - x[j]) * weight[j];                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void lerp_gradient_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))                \
    {                                                                                                                  \
        const T *weight = (const T *)arrays[6].data;                                                                   \
        for (npy_intp i = 0; i < arrays[0].rows; i++) {                                                                \
            const T *dy = ROW(T, 0), *x = ROW(T, 1), *end = ROW(T, 2), *slope = ROW(T, 3);                             \
            T *products = ROW(T, 4), *dx = ROW(T, 5);                                                                  \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                         \
                T upstream = dy[j];                                                                                    \
                products[j] = upstream * (end[j] - x[j]);                                                              \
                dx[j] = upstream * ((slope[j] - 1) * weight[j] + 1);                                                   \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void normalize_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))                    \
    {                                                                                                                  \
        const T *mean = (const T *)arrays[3].data, *scale = (const T *)arrays[4].data;                                 \
        const T *gamma = (const T *)arrays[5].data, *beta = (const T *)arrays[6].data;                                 \
        for (npy_intp i = 0; i < arrays[0].rows; i++) {                                                                \
            const T *x = ROW(T, 0);                                                                                    \
            T *normalized = ROW(T, 1), *y = ROW(T, 2);                                                                 \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                         \
                T unscaled = (x[j] - mean[j]) * scale[j];                                                              \
                normalized[j] = unscaled;                                                                              \
                y[j] = unscaled * gamma[j] + beta[j];                                                                  \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void normalize_gradient_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))           \
    {                                                                                                                  \
        const T *mean = (const T *)arrays[3].data, *along = (const T *)arrays[4].data;                                 \
        const T *factor = (const T *)arrays[5].data;                                                                   \
        for (npy_intp i = 0; i < arrays[0].rows; i++) {                                                                \
            const T *dy = ROW(T, 0), *normalized = ROW(T, 1);                                                          \
            T *dx = ROW(T, 2);                                                                                         \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                         \
                dx[j] = (dy[j] - mean[j] - normalized[j] * along[j]) * factor[j];                                      \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void scale_features_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))               \
    {                                                                                                                  \
        const T *scale = (const T *)arrays[2].data;                                                                    \
        SET_ELEMENTS(T, x[j] * scale[j])                                                                               \
    }                                                                                                                  \
    VECTORIZED static void scale_and_shift_features_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))     \
    {                                                                                                                  \
        const T *scale = (const T *)arrays[2].data, *shift = (const T *)arrays[3].data;                                \
        SET_ELEMENTS(T, x[j] * scale[j] + shift[j])                                                                    \
    }                                                                                                                  \
    VECTORIZED static void feature_sums_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))                 \
    SUM_ROWS(T, 1, x[j])                                                                                               \
    VECTORIZED static void feature_sums_of_products_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))     \
    SUM_ROWS(T, 2, x[j] * other[j])                                                                                    \
    VECTORIZED static void feature_sums_of_squares_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))      \
    SUM_ROWS(T, 2, (x[j] - other[j]) * (x[j] - other[j]))

LOOPS(float, float32)
LOOPS(double, float64)

/* Call a loop with arguments as with_numpy.py has them: inputs, numbers of the features, outputs. */
static PyObject *call(const char *name, const Loop *loops, int inputs, int of_features, int outputs,
                      PyObject *const *arguments, Py_ssize_t count)
{
    int arrays = inputs + outputs, type = count == arrays + of_features ? floating_type(arguments[0]) : -1;
    int readable = type >= 0;
    Matrix all[MOST_ARRAYS];
    for (int k = 0; k < arrays && readable; k++) {
        PyObject *array = arguments[k < inputs ? k : k + of_features];
        readable = read_matrix(array, type, k >= inputs, &all[k]) && PyArray_NDIM((PyArrayObject *)array) == 2 &&
                   all[k].rows == all[0].rows && all[k].columns == all[0].columns;
        for (int before = 0; k >= inputs && before < k && readable; before++) {
            readable = apart(&all[k], &all[before]);
        }
    }
    for (int k = 0; k < of_features && readable; k++) {
        PyObject *row = arguments[inputs + k];
        readable = read_matrix(row, type, 0, &all[arrays + k]) && PyArray_NDIM((PyArrayObject *)row) == 1 &&
                   all[arrays + k].columns == all[0].columns;
        for (int output = inputs; output < arrays && readable; output++) {
            readable = all[output].data != all[arrays + k].data && apart(&all[output], &all[arrays + k]);
        }
    }
    if (!readable) {
        return with_numpy(name, arguments, count);
    }
    const double one = 1; /* unknown to the compiler: a product with it flushes subnormal numbers, a copy doesn't */
    run(type, loops, all, arrays + of_features, arrays, &one);
    return Py_NewRef(arguments[count - 1]);
}

/* Call a loop that sums columns: out is a row apart from the matrices, which have at least one row and two columns, as
 * NumPy adds up a single column in another order. */
static PyObject *sum(const char *name, const Loop *loops, int others, int scratch, PyObject *const *arguments,
                     Py_ssize_t count)
{
    int type = count == 2 + others + scratch ? floating_type(arguments[0]) : -1;
    Matrix all[3];
    int readable = type >= 0;
    for (int k = 0; k < 2 + others && readable; k++) {
        PyObject *array = arguments[k <= others ? k : count - 1];
        int is_output = k > others;
        readable = read_matrix(array, type, is_output, &all[k]) && all[k].columns == all[0].columns &&
                   (all[k].rows == all[0].rows || all[k].rows == 1) &&
                   (!is_output || (PyArray_NDIM((PyArrayObject *)array) == 1));
        for (int before = 0; is_output && before < k && readable; before++) {
            readable = all[k].data != all[before].data && apart(&all[k], &all[before]);
        }
    }
    if (!readable || PyArray_NDIM((PyArrayObject *)arguments[0]) != 2 || all[0].rows == 0 || all[0].columns < 2) {
        return with_numpy(name, arguments, count);
    }
    run_by_columns(type, loops, all, 2 + others);
    return Py_NewRef(arguments[count - 1]);
}

#define SUM(name, others, scratch)                                                                                     \
    PyObject *name(SIGNATURE)                                                                                          \
    {                                                                                                                  \
        return sum(#name, BOTH(name), others, scratch, arguments, count);                                              \
    }

#define KERNEL(name, inputs, of_features, outputs)                                                                     \
    PyObject *name(SIGNATURE)                                                                                          \
    {                                                                                                                  \
        return call(#name, BOTH(name), inputs, of_features, outputs, arguments, count);                                \
    }

KERNEL(prelu, 1, 1, 1)
KERNEL(prelu_gradient, 2, 1, 2)
KERNEL(lerp, 2, 1, 1)
KERNEL(lerp_gradient, 4, 1, 2)
KERNEL(normalize, 1, 4, 2)
KERNEL(scale_features, 1, 1, 1)
KERNEL(scale_and_shift_features, 1, 2, 1)
KERNEL(normalize_gradient, 2, 3, 1)
SUM(feature_sums, 0, 0)
SUM(feature_sums_of_products, 1, 1)
SUM(feature_sums_of_squares, 1, 1)
