/* The rectified linear unit. */
#include "compute_mode.h"
#include "functions.h"

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void rectify_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))                      \
    {                                                                                                                  \
        SET_ELEMENTS(T, x[j] <= 0 ? 0 : x[j])                                                                          \
    }                                                                                                                  \
    VECTORIZED static void keep_where_positive_##NAME(const Matrix *arrays, const double *numbers)                     \
    {                                                                                                                  \
        T one = (T)numbers[0];                                                                                         \
        const Matrix *dy = &arrays[0], *y = &arrays[1], *dx = &arrays[2];                                              \
        for (npy_intp i = 0; i < dy->rows; i++) {                                                                      \
            const T *from = (const T *)dy->data + i * dy->stride;                                                      \
            const T *sign = (const T *)y->data + i * y->stride;                                                        \
            T *to = (T *)dx->data + i * dx->stride;                                                                    \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < dy->columns; j++) {                                                               \
                to[j] = from[j] * (sign[j] > 0 ? one : (T)0);                                                          \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOPS(float, float32)
LOOPS(double, float64)

PyObject *rectify(SIGNATURE)
{
    Matrix all[2];
    int type = count == 2 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_elements(arguments, 2, type, all)) {
        PyObject *result = count == 2 && in_row_order() ? apply(rectify_float32, arguments, 2, NULL) : NULL;
        return result != NULL || PyErr_Occurred() ? result : with_numpy("rectify", arguments, count);
    }
    run(type, BOTH(rectify), all, 2, 2, NULL);
    return Py_NewRef(arguments[1]);
}

PyObject *keep_where_positive(SIGNATURE)
{
    Matrix all[3];
    int type = count == 3 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_elements(arguments, 3, type, all)) {
        return with_numpy("keep_where_positive", arguments, count);
    }
    const double one = 1; /* unknown to the compiler: a product with it flushes subnormal numbers, a copy doesn't */
    run(type, BOTH(keep_where_positive), all, 3, 3, &one);
    return Py_NewRef(arguments[2]);
}
