/* Steps of optimizers. */
#include "loops.h"

#include <float.h>
#include <math.h>

/* Subnormal numbers become 0. */
#define FLUSHED(x, NORMAL) ((x) < (NORMAL) && (x) > -(NORMAL) ? 0 : (x))

#define LOOPS(T, NAME, ROOT, NORMAL)                                                                                   \
    VECTORIZED static void descend_##NAME(const Matrix *arrays, const double *numbers)                                 \
    {                                                                                                                  \
        T factor = (T)numbers[0];                                                                                      \
        T *to = (T *)arrays[0].data;                                                                                   \
        const T *slope = (const T *)arrays[1].data;                                                                    \
        INDEPENDENT                                                                                                    \
        for (npy_intp i = 0; i < arrays[0].columns; i++) {                                                             \
            to[i] = to[i] - slope[i] * factor;                                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void descend_adaptively_##NAME(const Matrix *arrays, const double *numbers)                      \
    {                                                                                                                  \
        double beta1 = numbers[0], beta2 = numbers[1], least = sqrt(NORMAL / (1 - beta2));                             \
        T kept1 = (T)beta1, new1 = (T)(1 - beta1), kept2 = (T)beta2, new2 = (T)(1 - beta2);                            \
        T scale = (T)(1 / sqrt(numbers[3])), epsilon = (T)(numbers[4] > least ? numbers[4] : least);                   \
        T length = (T)(numbers[5] / numbers[2]), kept = (T)numbers[6];                                                 \
        T *to = (T *)arrays[0].data, *m = (T *)arrays[2].data, *v = (T *)arrays[3].data;                               \
        const T *slope = (const T *)arrays[1].data;                                                                    \
        INDEPENDENT                                                                                                    \
        for (npy_intp i = 0; i < arrays[0].columns; i++) {                                                             \
            T first = m[i] * kept1 + slope[i] * new1, second = v[i] * kept2 + slope[i] * slope[i] * new2;              \
            m[i] = FLUSHED(first, NORMAL);                                                                             \
            v[i] = FLUSHED(second, NORMAL);                                                                            \
            to[i] = to[i] * kept - m[i] / (ROOT(v[i]) * scale + epsilon) * length;                                     \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void flush_subnormal_##NAME(const Matrix *arrays, const double *Py_UNUSED(numbers))              \
    {                                                                                                                  \
        T *x = (T *)arrays[0].data;                                                                                    \
        INDEPENDENT                                                                                                    \
        for (npy_intp i = 0; i < arrays[0].columns; i++) {                                                             \
            x[i] = FLUSHED(x[i], NORMAL);                                                                              \
        }                                                                                                              \
    }

LOOPS(float, float32, sqrtf, FLT_MIN)
LOOPS(double, float64, sqrt, DBL_MIN)

/* Read arrays of one shape, all contiguous and without overlap; those after the second are written to. */
static int read_blocks(PyObject *const *arguments, int count, int type, Matrix *blocks)
{
    for (int i = 0; i < count; i++) {
        if (!read_matrix(arguments[i], type, i != 1, &blocks[i])) {
            return 0;
        }
        for (int j = 0; j < i; j++) {
            if (blocks[i].data == blocks[j].data || !apart(&blocks[i], &blocks[j])) {
                return 0;
            }
        }
    }
    return same_shape(blocks, count) && blocks[0].rows == 1;
}

PyObject *descend(SIGNATURE)
{
    Matrix blocks[2];
    double length;
    int type = count == 3 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_number(arguments[2], &length) || !read_blocks(arguments, 2, type, blocks)) {
        return with_numpy("descend", arguments, count);
    }
    run(type, BOTH(descend), blocks, 2, 2, &length);
    Py_RETURN_NONE;
}

PyObject *descend_adaptively(SIGNATURE)
{
    Matrix blocks[4];
    double numbers[7];
    int type = count == 11 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_blocks(arguments, 4, type, blocks)) {
        return with_numpy("descend_adaptively", arguments, count);
    }
    for (int i = 0; i < 7; i++) {
        if (!read_number(arguments[4 + i], &numbers[i])) {
            return with_numpy("descend_adaptively", arguments, count);
        }
    }
    run(type, BOTH(descend_adaptively), blocks, 4, 4, numbers);
    Py_RETURN_NONE;
}

PyObject *flush_subnormal(SIGNATURE)
{
    Matrix block;
    int type = count == 1 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_matrix(arguments[0], type, 1, &block) || !same_shape(&block, 1) || block.rows != 1) {
        return with_numpy("flush_subnormal", arguments, count);
    }
    run(type, BOTH(flush_subnormal), &block, 1, 1, NULL);
    Py_RETURN_NONE;
}
