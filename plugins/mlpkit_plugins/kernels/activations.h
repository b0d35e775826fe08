/* Activations: the value f(x) and the slope f'(x) of each, written once for all instruction sets.
 *
 * They call row_functions.h, so their bits are the same in vectors of any width, and C exports can compute them too.
 * elementwise_with_numpy.py has the same formulas; c is the parameter of activations that have one.
 *
 * Largest errors: 5 units in the last place for values of at least 2^-118, 2^-23 |x| for gelu, and 2^-22 for
 * slopes. */
#ifndef MLPKIT_ACTIVATIONS_H
#define MLPKIT_ACTIVATIONS_H

#include "row_functions.h"

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

/* Phi(x) + x phi(x) = 1 - d for x > 0, else d: d = exp(-z^2 / 2) (c0 + ... + c10 z^10), z = |x| */
SLOPE(gelu)
{
    NO_PARAMETER;
    float z = fabsf(x) > 14.0f ? 14.0f : fabsf(x), e = mlpkit_exp_below_88f(z * z * -0.5f); /* 0 from 13.3 on */
    float p = fmaf(0x1.b73bc0p-20f, z, -0x1.2808a2p-15f);
    p = fmaf(p, z, 0x1.64e3f6p-12f);
    p = fmaf(p, z, -0x1.03272ap-9f);
    p = fmaf(p, z, 0x1.045d6ep-7f);
    p = fmaf(p, z, -0x1.8e847cp-6f);
    p = fmaf(p, z, 0x1.f50e02p-5f);
    p = fmaf(p, z, -0x1.0f65fcp-3f);
    p = fmaf(p, z, 0x1.ffd522p-3f);
    p = fmaf(p, z, -0x1.988398p-1f);
    p = fmaf(p, z, 0x1.fffffcp-2f);
    return x > 0.0f ? 1.0f - p * e : p * e;
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
    float e = mlpkit_exp_below_88f(-fabsf(x)), r = 1.0f / (1.0f + e), small = e * r;
    float s = x < 0.0f ? small : r, rest = x < 0.0f ? r : small;
    return (rest * x + 1.0f) * s;
}

/* x n / (n + 2), n = e (e + 2), e = exp(x): tanh(log(1 + e)) = n / (n + 2) */
VALUE(mish)
{
    NO_PARAMETER;
    float e = mlpkit_exp_below_88f(x > MISH_IS_X ? MISH_IS_X : x);
    float n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
}

/* (n + 4 x e (1 + e) r) r, r = 1 / (n + 2) */
SLOPE(mish)
{
    NO_PARAMETER;
    float bounded = x > MISH_IS_X ? MISH_IS_X : x, e = mlpkit_exp_within_87f(bounded);
    float n = e * (e + 2.0f), r = 1.0f / (n + 2.0f), slope = (4.0f * e * (e + 1.0f) * r * bounded + n) * r;
    return x < -87.0f ? 0.0f : slope;
}

/* x if x > 0, else c (exp(x) - 1) */
VALUE(elu) { return x > 0.0f ? x : c * mlpkit_expm1_below_0f(x); }

SLOPE(elu) { return x > 0.0f ? 1.0f : c * mlpkit_exp_below_88f(x); }

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
