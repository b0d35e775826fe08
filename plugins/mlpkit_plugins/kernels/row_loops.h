/* Loops of the functions in activations.h, and of two by rows, for one instruction set: all that a loop calls becomes a part of it. */
#include "activations.h"
#include "functions.h"

#define FLATTENED __attribute__((flatten))

/* y = f(x) */
#define VALUE_LOOP(name, parameters)                                                                                   \
    TARGET FLATTENED static void name##_of_elements(const Matrix *arrays, const double *numbers)                       \
    {                                                                                                                  \
        const Matrix *x = &arrays[0], *y = &arrays[1];                                                                 \
        float c = parameters ? (float)numbers[0] : 0;                                                                  \
        for (npy_intp i = 0; i < x->rows; i++) {                                                                       \
            const float *from = (const float *)x->data + i * x->stride;                                                \
            float *to = (float *)y->data + i * y->stride;                                                              \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < x->columns; j++) {                                                                \
                to[j] = name##_value(from[j], c);                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

/* dx = dy f'(x) */
#define GRADIENT_LOOP(name, parameters)                                                                                \
    TARGET FLATTENED static void name##_gradient_of_elements(const Matrix *arrays, const double *numbers)              \
    {                                                                                                                  \
        const Matrix *dy = &arrays[0], *x = &arrays[1], *dx = &arrays[2];                                              \
        float c = parameters ? (float)numbers[0] : 0;                                                                  \
        for (npy_intp i = 0; i < x->rows; i++) {                                                                       \
            const float *slope = (const float *)dy->data + i * dy->stride;                                             \
            const float *from = (const float *)x->data + i * x->stride;                                                \
            float *to = (float *)dx->data + i * dx->stride;                                                            \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < x->columns; j++) {                                                                \
                to[j] = slope[j] * name##_slope(from[j], c);                                                           \
            }                                                                                                          \
        }                                                                                                              \
    }

VALUE(exp)
{
    NO_PARAMETER;
    return mlpkit_expf(x);
}

VALUE_LOOP(exp, 0)
VALUES(VALUE_LOOP)
SLOPES(GRADIENT_LOOP)

TARGET FLATTENED static void mean_of_rows_of_matrix(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    const Matrix *x = &arrays[0], *mean = &arrays[1];
    for (npy_intp i = 0; i < x->rows; i++) {
        float sum = mlpkit_sumf((const float *)x->data + i * x->stride, (size_t)x->columns);
        ((float *)mean->data)[i] = sum / (float)x->columns;
    }
}

#define VALUE_MEMBER(name, parameters) .name = name##_of_elements,
#define GRADIENT_MEMBER(name, parameters) .name##_gradient = name##_gradient_of_elements,

static const RowLoops row_loops = {
    VALUES(VALUE_MEMBER) SLOPES(GRADIENT_MEMBER).exp = exp_of_elements,
    .mean_of_rows = mean_of_rows_of_matrix,
};
