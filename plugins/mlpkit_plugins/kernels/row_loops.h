/* Loops of the functions in activations.h, of exp, cos, sin, softmax and layer normalization, for one instruction set:
 * all that a loop calls becomes a part of it. */
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

/* y = sin(x) or cos(x); only rows of numbers up to 2^20 are vector code */
#define WAVE_LOOP(name)                                                                                                \
    TARGET FLATTENED static void name##_of_elements(const Matrix *arrays, const double *Py_UNUSED(numbers))            \
    {                                                                                                                  \
        const Matrix *x = &arrays[0], *y = &arrays[1];                                                                 \
        for (npy_intp i = 0; i < x->rows; i++) {                                                                       \
            const float *from = (const float *)x->data + i * x->stride;                                                \
            float *to = (float *)y->data + i * y->stride;                                                              \
            if (all_within_2_to_20(from, x->columns)) {                                                                \
                INDEPENDENT                                                                                            \
                for (npy_intp j = 0; j < x->columns; j++) {                                                            \
                    to[j] = mlpkit_##name##_within_2_to_20f(from[j]);                                                  \
                }                                                                                                      \
            } else {                                                                                                   \
                for (npy_intp j = 0; j < x->columns; j++) {                                                            \
                    to[j] = mlpkit_##name##f(from[j]);                                                                 \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

TARGET static int all_within_2_to_20(const float *x, npy_intp count)
{
    int beyond = 0; /* or NaN */
    for (npy_intp j = 0; j < count; j++) {
        beyond |= !(fabsf(x[j]) <= 0x1p+20f);
    }
    return !beyond;
}

WAVE_LOOP(cos)
WAVE_LOOP(sin)
VALUE_LOOP(exp, 0)
VALUES(VALUE_LOOP)
SLOPES(GRADIENT_LOOP)

/* As np.maximum: NaN if one of the two is. */
static inline float larger(float x, float y) { return x >= y || x != x ? x : y; }

/* y = e / sum(e), e = exp(x - max x), added from the first class to the last; y may be x */
TARGET FLATTENED static void softmax_of_row(const float *x, npy_intp classes, float *y)
{
    float largest = x[0], sum = 0;
    for (npy_intp j = 1; j < classes; j++) {
        largest = larger(largest, x[j]);
    }
    INDEPENDENT
    for (npy_intp j = 0; j < classes; j++) {
        y[j] = mlpkit_expf(x[j] - largest);
    }
    for (npy_intp j = 0; j < classes; j++) {
        sum += y[j];
    }
    INDEPENDENT
    for (npy_intp j = 0; j < classes; j++) {
        y[j] = y[j] / sum;
    }
}

/* The same for as many rows as a vector has lanes, a row in each lane. */
TARGET FLATTENED static void softmax_of_lanes(const float *x, npy_intp x_row, npy_intp classes, float *y,
                                              npy_intp y_row)
{
    float largest[LANES], sum[LANES] = {0}, e[LANES];
    for (int i = 0; i < LANES; i++) {
        largest[i] = x[i * x_row];
    }
    for (npy_intp j = 1; j < classes; j++) {
        for (int i = 0; i < LANES; i++) {
            largest[i] = larger(largest[i], x[i * x_row + j]);
        }
    }
    for (npy_intp j = 0; j < classes; j++) {
        for (int i = 0; i < LANES; i++) {
            e[i] = mlpkit_expf(x[i * x_row + j] - largest[i]);
            sum[i] += e[i];
        }
        for (int i = 0; i < LANES; i++) {
            y[i * y_row + j] = e[i];
        }
    }
    for (npy_intp j = 0; j < classes; j++) {
        for (int i = 0; i < LANES; i++) {
            y[i * y_row + j] /= sum[i];
        }
    }
}

TARGET FLATTENED static void softmax_of_matrix(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    const Matrix *x = &arrays[0], *y = &arrays[1];
    const float *from = (const float *)x->data;
    float *to = (float *)y->data;
    npy_intp left = x->rows;
    for (; left >= LANES; left -= LANES, from += LANES * x->stride, to += LANES * y->stride) {
        softmax_of_lanes(from, x->stride, x->columns, to, y->stride);
    }
    for (; left > 0; left--, from += x->stride, to += y->stride) {
        softmax_of_row(from, x->columns, to);
    }
}

/* normalized = (x - mean) scale, scale = 1 / sqrt(variance + epsilon), y = normalized gamma + beta; y first holds the
 * squares. */
TARGET FLATTENED static void normalize_rows_of_matrix(const Matrix *arrays, const double *numbers)
{
    npy_intp columns = arrays[0].columns;
    const float *gamma = (const float *)arrays[4].data, *beta = (const float *)arrays[5].data;
    float n = (float)columns, epsilon = (float)numbers[0];
    for (npy_intp i = 0; i < arrays[0].rows; i++) {
        const float *x = (const float *)arrays[0].data + i * arrays[0].stride;
        float *normalized = (float *)arrays[1].data + i * arrays[1].stride;
        float *scale = (float *)arrays[2].data + i * arrays[2].stride;
        float *y = (float *)arrays[3].data + i * arrays[3].stride;
        float mean = mlpkit_sumf(x, (size_t)columns) / n;
        INDEPENDENT
        for (npy_intp j = 0; j < columns; j++) {
            float deviation = x[j] - mean;
            normalized[j] = deviation;
            y[j] = deviation * deviation;
        }
        float variance = mlpkit_sumf(y, (size_t)columns) / n, factor = 1.0f / sqrtf(variance + epsilon);
        *scale = factor;
        INDEPENDENT
        for (npy_intp j = 0; j < columns; j++) {
            float unscaled = normalized[j] * factor;
            normalized[j] = unscaled;
            y[j] = unscaled * gamma[j] + beta[j];
        }
    }
}

/* products = dy normalized, dx = (g - mean(g) - normalized mean(g normalized)) scale, g = dy gamma; products first hold
 * what the means are taken of. */
TARGET FLATTENED static void normalize_rows_gradient_of_matrix(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    npy_intp columns = arrays[0].columns;
    const float *gamma = (const float *)arrays[5].data;
    float n = (float)columns;
    for (npy_intp i = 0; i < arrays[0].rows; i++) {
        const float *dy = (const float *)arrays[0].data + i * arrays[0].stride;
        const float *normalized = (const float *)arrays[1].data + i * arrays[1].stride;
        float scale = *((const float *)arrays[2].data + i * arrays[2].stride);
        float *products = (float *)arrays[3].data + i * arrays[3].stride;
        float *dx = (float *)arrays[4].data + i * arrays[4].stride;
        INDEPENDENT
        for (npy_intp j = 0; j < columns; j++) {
            products[j] = dy[j] * gamma[j];
        }
        float mean = mlpkit_sumf(products, (size_t)columns) / n;
        INDEPENDENT
        for (npy_intp j = 0; j < columns; j++) {
            products[j] = dy[j] * normalized[j] * gamma[j];
        }
        float along = mlpkit_sumf(products, (size_t)columns) / n;
        INDEPENDENT
        for (npy_intp j = 0; j < columns; j++) {
            float upstream = dy[j];
            products[j] = upstream * normalized[j];
            dx[j] = (upstream * gamma[j] - mean - normalized[j] * along) * scale;
        }
    }
}

#define VALUE_MEMBER(name, parameters) .name = name##_of_elements,
#define GRADIENT_MEMBER(name, parameters) .name##_gradient = name##_gradient_of_elements,

static const RowLoops row_loops = {
    VALUES(VALUE_MEMBER) SLOPES(GRADIENT_MEMBER).exp = exp_of_elements,
    .cos = cos_of_elements,
    .sin = sin_of_elements,
    .softmax = softmax_of_matrix,
    .normalize_rows = normalize_rows_of_matrix,
    .normalize_rows_gradient = normalize_rows_gradient_of_matrix,
};
