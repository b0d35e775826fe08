/* Activations: each one's value f(x) and slope f'(x), stated once for all instruction sets.
 *
 * They are made of row_functions.h, so that their bits are the same in every vector, and exports to C can compute them
 * too. with_numpy.py has the same formulas; c is the parameter of activations that have one.
 *
 * Errors: of values, 5 units in the last place from 2^-118 on, and 2^-23 |x| of gelu; of slopes, 2^-22. */
#ifndef MLPKIT_ACTIVATIONS_H
#define MLPKIT_ACTIVATIONS_H

#include "row_functions.h"

/* EACH(name, numbers) for each function of x, with so many parameters. */
#define VALUES(EACH)                                                                                                   \
    EACH(sigmoid, 0)                                                                                                   \
    EACH(tanh, 0)                                                                                                      \
    EACH(softplus, 0)                                                                                                  \
    EACH(gelu, 0)                                                                                                      \
    EACH(silu, 0)                                                                                                      \
    EACH(mish, 0)                                                                                                      \
    EACH(selu, 0)                                                                                                      \
    EACH(elu, 1)                                                                                                       \
    EACH(leaky_relu, 1)

/* EACH(name, numbers) for each slope: of y for sigmoid and tanh, of x for the others. */
#define SLOPES(EACH)                                                                                                   \
    EACH(sigmoid, 0)                                                                                                   \
    EACH(tanh, 0)                                                                                                      \
    EACH(softplus, 0)                                                                                                  \
    EACH(gelu, 0)                                                                                                      \
    EACH(silu, 0)                                                                                                      \
    EACH(mish, 0)                                                                                                      \
    EACH(selu, 0)                                                                                                      \
    EACH(elu, 1)                                                                                                       \
    EACH(leaky_relu, 1)

#define VALUE(name) static inline float name##_value(float x, float c)
#define SLOPE(name) static inline float name##_slope(float x, float c)
#define NO_PARAMETER (void)c

#define SELU_ALPHA 1.6732632423543772f
#define SELU_SCALE 1.0507009873554805f
#define MISH_IS_X 25.0f /* from here on */

VALUE(sigmoid)
{
    NO_PARAMETER;
    return mlpkit_sigmoidf(x);
}

/* y (1 - y) */
static inline float sigmoid_slope(float y, float c)
{
    NO_PARAMETER;
    return (1.0f - y) * y;
}

VALUE(tanh)
{
    NO_PARAMETER;
    return mlpkit_tanhf(x);
}

/* 1 - y^2 */
static inline float tanh_slope(float y, float c)
{
    NO_PARAMETER;
    return 1.0f - y * y;
}

VALUE(softplus)
{
    NO_PARAMETER;
    return mlpkit_softplusf(x);
}

SLOPE(softplus)
{
    NO_PARAMETER;
    return mlpkit_sigmoidf(x);
}

VALUE(gelu)
{
    NO_PARAMETER;
    return mlpkit_geluf(x);
}

/* (1 + erf(x / sqrt(2))) / 2 + x exp(-x^2 / 2) / sqrt(2 pi) */
SLOPE(gelu)
{
    NO_PARAMETER;
    float distribution = mlpkit_erff(x / 0x1.6a09e6p+0f) * 0.5f + 0.5f;
    float density = mlpkit_expf(x * x * -0.5f) * 0x1.988454p-2f;
    return distribution + x * density;
}

/* x sigmoid(x) */
VALUE(silu)
{
    NO_PARAMETER;
    return x * mlpkit_sigmoidf(x);
}

/* s (1 + x (1 - s)), s = sigmoid(x), with 1 - s = sigmoid(-x), which keeps its digits */
SLOPE(silu)
{
    NO_PARAMETER;
    float e = mlpkit_expf(-fabsf(x)), r = 1.0f / (1.0f + e), small = e * r;
    float s = x < 0.0f ? small : r, rest = x < 0.0f ? r : small;
    return (rest * x + 1.0f) * s;
}

/* x n / (n + 2), n = e (e + 2), e = exp(x): tanh(log(1 + e)) = n / (n + 2) */
VALUE(mish)
{
    NO_PARAMETER;
    float e = mlpkit_expf(x > MISH_IS_X ? MISH_IS_X : x);
    float n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
}

/* (n + 4 x e (1 + e) r) r, r = 1 / (n + 2) */
SLOPE(mish)
{
    NO_PARAMETER;
    float bounded = x > MISH_IS_X ? MISH_IS_X : x, e = mlpkit_expf(bounded);
    float n = e * (e + 2.0f), r = 1.0f / (n + 2.0f);
    return (4.0f * e * (e + 1.0f) * r * bounded + n) * r;
}

/* max(x, 0) + c (exp(min(x, 0)) - 1) */
VALUE(elu) { return (x > 0.0f ? x : 0.0f) + c * mlpkit_expm1f(x > 0.0f ? 0.0f : x); }

SLOPE(elu) { return x > 0.0f ? 1.0f : c * mlpkit_expf(x); }

VALUE(selu)
{
    NO_PARAMETER;
    return SELU_SCALE * elu_value(x, SELU_ALPHA);
}

SLOPE(selu)
{
    NO_PARAMETER;
    return SELU_SCALE * elu_slope(x, SELU_ALPHA);
}

/* max(x, c x) */
VALUE(leaky_relu) { return x > c * x ? x : c * x; }

SLOPE(leaky_relu) { return x > 0.0f ? 1.0f : c; }

#endif
