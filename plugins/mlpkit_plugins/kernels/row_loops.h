/* Loops of the functions in row_functions.h, for one instruction set: all that a loop calls becomes a part of it. */
#include "functions.h"
#include "row_functions.h"

#define FLATTENED __attribute__((flatten))

#define LOOP(name)                                                                                                     \
    TARGET FLATTENED static void name##_of_elements(const Matrix *arrays, const double *Py_UNUSED(numbers))            \
    {                                                                                                                  \
        const Matrix *x = &arrays[0], *y = &arrays[1];                                                                 \
        for (npy_intp i = 0; i < x->rows; i++) {                                                                       \
            const float *from = (const float *)x->data + i * x->stride;                                                \
            float *to = (float *)y->data + i * y->stride;                                                              \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < x->columns; j++) {                                                                \
                to[j] = mlpkit_##name##f(from[j]);                                                                     \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOP(exp)
LOOP(expm1)
LOOP(tanh)
LOOP(sigmoid)
LOOP(softplus)
LOOP(gelu)

TARGET FLATTENED static void mean_of_rows_of_matrix(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    const Matrix *x = &arrays[0], *mean = &arrays[1];
    for (npy_intp i = 0; i < x->rows; i++) {
        float sum = mlpkit_sumf((const float *)x->data + i * x->stride, (size_t)x->columns);
        ((float *)mean->data)[i] = sum / (float)x->columns;
    }
}

static const RowLoops row_loops = {
    .exp = exp_of_elements,
    .expm1 = expm1_of_elements,
    .tanh = tanh_of_elements,
    .sigmoid = sigmoid_of_elements,
    .softplus = softplus_of_elements,
    .gelu = gelu_of_elements,
    .mean_of_rows = mean_of_rows_of_matrix,
};
