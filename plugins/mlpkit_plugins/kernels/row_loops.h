/* Loops of activations, exp, cos, sin, softmax and layer normalization for one instruction set. The compiler inlines
 * all that a loop calls. */
#include "activations.h"
#include "functions.h"

#define FLATTENED __attribute__((flatten))

VALUE(exp)
{
    NO_PARAMETER;
    return mlpkit_expf(x);
}

typedef float Function(float x, float c);

static inline float *row_of(const Matrix *matrix, npy_intp i) { return (float *)matrix->data + i * matrix->stride; }

/* y = f(x) */
TARGET INLINED void set_elements(const Matrix *arrays, float c, Function *f)
{
    const Matrix *x = &arrays[0], *y = &arrays[1];
    for (npy_intp i = 0; i < x->rows; i++) {
        const float *from = row_of(x, i);
        float *to = row_of(y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < x->columns; j++) {
            to[j] = f(from[j], c);
        }
    }
}

/* dx = dy f'(x) */
TARGET INLINED void set_gradients(const Matrix *arrays, float c, Function *slope)
{
    const Matrix *dy = &arrays[0], *x = &arrays[1], *dx = &arrays[2];
    for (npy_intp i = 0; i < x->rows; i++) {
        const float *upstream = row_of(dy, i);
        const float *from = row_of(x, i);
        float *to = row_of(dx, i);
        INDEPENDENT
        for (npy_intp j = 0; j < x->columns; j++) {
            to[j] = upstream[j] * slope(from[j], c);
        }
    }
}

#define VALUE_LOOP(name, parameters)                                                                                   \
    TARGET FLATTENED static void name##_of_elements(const Matrix *arrays, const double *numbers)                       \
    {                                                                                                                  \
        set_elements(arrays, parameters ? (float)numbers[0] : 0, name##_value);                                        \
    }
#define ACTIVATION(name, parameters)                                                                                   \
    VALUE_LOOP(name, parameters)                                                                                       \
    TARGET FLATTENED static void name##_gradient_of_elements(const Matrix *arrays, const double *numbers)              \
    {                                                                                                                  \
        set_gradients(arrays, parameters ? (float)numbers[0] : 0, name##_slope);                                       \
    }
#include "kernel_list.h"

VALUE_LOOP(exp, 0)

TARGET static int all_within_2_to_20(const float *x, npy_intp count)
{
    int beyond = 0; /* or NaN */
    for (npy_intp j = 0; j < count; j++) {
        beyond |= !(fabsf(x[j]) <= 0x1p+20f);
    }
    return !beyond;
}

/* y = sin(x) or cos(x); rows with numbers beyond 2^20 aren't vectorized */
TARGET INLINED void set_waves(const Matrix *arrays, float (*wave_within)(float x), float (*wave)(float x))
{
    const Matrix *x = &arrays[0], *y = &arrays[1];
    for (npy_intp i = 0; i < x->rows; i++) {
        const float *from = row_of(x, i);
        float *to = row_of(y, i);
        if (all_within_2_to_20(from, x->columns)) {
            INDEPENDENT
            for (npy_intp j = 0; j < x->columns; j++) {
                to[j] = wave_within(from[j]);
            }
        }
        else {
            for (npy_intp j = 0; j < x->columns; j++) {
                to[j] = wave(from[j]);
            }
        }
    }
}

TARGET FLATTENED static void cos_of_elements(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    set_waves(arrays, mlpkit_cos_within_2_to_20f, mlpkit_cosf);
}

TARGET FLATTENED static void sin_of_elements(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    set_waves(arrays, mlpkit_sin_within_2_to_20f, mlpkit_sinf);
}

/* Like np.maximum: NaN if either is. */
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

/* The same for as many rows as a vector has lanes, one row per lane. */
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

/* normalized = (x - mean) scale, scale = 1 / sqrt(variance + epsilon), y = normalized gamma + beta; y holds the squares
 * first. */
TARGET FLATTENED static void normalize_rows_of_matrix(const Matrix *arrays, const double *numbers)
{
    const Matrix *xs = &arrays[0], *all_normalized = &arrays[1], *scales = &arrays[2], *ys = &arrays[3];
    const float *gamma = (const float *)arrays[4].data, *beta = (const float *)arrays[5].data;
    npy_intp columns = xs->columns;
    float n = (float)columns, epsilon = (float)numbers[0];
    for (npy_intp i = 0; i < xs->rows; i++) {
        const float *x = row_of(xs, i);
        float *normalized = row_of(all_normalized, i), *scale = row_of(scales, i), *y = row_of(ys, i);
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

/* products = dy normalized, dx = (g - mean(g) - normalized mean(g normalized)) scale, g = dy gamma; products hold the
 * terms of the means first. */
TARGET FLATTENED static void normalize_rows_gradient_of_matrix(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    const Matrix *dys = &arrays[0], *all_normalized = &arrays[1], *scales = &arrays[2];
    const Matrix *all_products = &arrays[3], *dxs = &arrays[4];
    const float *gamma = (const float *)arrays[5].data;
    npy_intp columns = dys->columns;
    float n = (float)columns;
    for (npy_intp i = 0; i < dys->rows; i++) {
        const float *dy = row_of(dys, i), *normalized = row_of(all_normalized, i);
        float scale = *row_of(scales, i), *products = row_of(all_products, i), *dx = row_of(dxs, i);
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

static const RowLoops row_loops = {
#define ACTIVATION(name, parameters) .name = name##_of_elements, .name##_gradient = name##_gradient_of_elements,
#include "kernel_list.h"
    .exp = exp_of_elements,
    .cos = cos_of_elements,
    .sin = sin_of_elements,
    .softmax = softmax_of_matrix,
    .normalize_rows = normalize_rows_of_matrix,
    .normalize_rows_gradient = normalize_rows_gradient_of_matrix,
};
