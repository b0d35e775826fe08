/* Activations with a trained number for each feature, which is a column of the matrices. */
#include "loops.h"

#define ROW(T, number) ((T *)arrays[number].data + i * arrays[number].stride)

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void prelu_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))                        \
    {                                                                                                                  \
        const T *slope = (const T *)arrays[2].data;                                                                    \
        for (npy_intp i = 0; i < arrays[0].rows; i++) {                                                                \
            const T *x = ROW(T, 0);                                                                                    \
            T *y = ROW(T, 1);                                                                                          \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < arrays[0].columns; j++) {                                                         \
                T scaled = x[j] * slope[j];                                                                            \
                y[j] = x[j] < 0 ? scaled : x[j];                                                                       \
            }                                                                                                          \
        }                                                                                                              \
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
    }

LOOPS(float, float32)
LOOPS(double, float64)

/* Call a loop with arguments as with_numpy.py has them: inputs, trained numbers, outputs. */
static PyObject *call(const char *name, const Loop *loops, int inputs, int outputs, PyObject *const *arguments,
                      Py_ssize_t count)
{
    int arrays = inputs + outputs, type = count == arrays + 1 ? floating_type(arguments[0]) : -1;
    Matrix all[MOST_ARRAYS];
    int readable = type >= 0 && read_matrix(arguments[inputs], type, 0, &all[arrays]) &&
                   PyArray_NDIM((PyArrayObject *)arguments[inputs]) == 1;
    for (int k = 0; k < arrays && readable; k++) {
        PyObject *array = arguments[k < inputs ? k : k + 1];
        readable = read_matrix(array, type, k >= inputs, &all[k]) && PyArray_NDIM((PyArrayObject *)array) == 2 &&
                   all[k].rows == all[0].rows && all[k].columns == all[arrays].columns;
        for (int input = 0; k >= inputs && input < k && readable; input++) {
            readable = apart(&all[k], &all[input]);
        }
    }
    if (!readable) {
        return with_numpy(name, arguments, count);
    }
    const double one = 1; /* unknown to the compiler: a product with it flushes subnormal numbers, a copy doesn't */
    run(type, loops, all, arrays + 1, arrays, &one);
    return Py_NewRef(arguments[count - 1]);
}

PyObject *prelu(SIGNATURE) { return call("prelu", BOTH(prelu), 1, 1, arguments, count); }

PyObject *prelu_gradient(SIGNATURE) { return call("prelu_gradient", BOTH(prelu_gradient), 2, 2, arguments, count); }

PyObject *lerp(SIGNATURE) { return call("lerp", BOTH(lerp), 2, 1, arguments, count); }

PyObject *lerp_gradient(SIGNATURE) { return call("lerp_gradient", BOTH(lerp_gradient), 4, 2, arguments, count); }
