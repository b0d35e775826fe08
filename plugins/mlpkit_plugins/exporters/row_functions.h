/* Functions of a number that give the same bits on every machine: all are made of operations of IEEE 754's float32
 * that are rounded to the nearest, one by one, and of fmaf. C99; compile it without -ffast-math.
 *
 * Each statement rounds once and constants are exact, so that neither the wider registers of 32-bit x86 nor a compiler
 * that fuses multiplications with additions changes a bit. There are no branches but in sin and cos, so that loops
 * become vector code.
 * Errors are at most 2.5 units in the last place, and a result below 2^-126 in magnitude is 0, unless it equals its
 * argument. gelu is what its formula gives, with an error of at most 2^-23 x. Infinities and NaN are treated as in
 * C99. */
#ifndef MLPKIT_ROW_FUNCTIONS_H
#define MLPKIT_ROW_FUNCTIONS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t mlpkit_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float mlpkit_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x = n ln 2 + r, n whole and |r| <= ln(2) / 2: returns exp(r) - 1 = r + r^2 (c0 + ... + c4 r^4), and sets the last
 * bits of turned to n, as far as |x| < 100. */
static inline float mlpkit_reduced_expm1f(float x, uint32_t *turned)
{
    float z = fmaf(x, 0x1.715476p+0f, 0x1.8p+23f); /* x / ln 2, rounded to a whole number in the last bits */
    float n = z - 0x1.8p+23f;
    float r = fmaf(n, -0x1.62e400p-1f, x); /* ln 2 in two parts; the first one times n is exact */
    float square, p;
    r = fmaf(n, -0x1.7f7d1cp-20f, r);
    square = r * r;
    p = fmaf(0x1.6d7a4ep-10f, r, 0x1.123994p-7f);
    p = fmaf(p, r, 0x1.5554c0p-5f);
    p = fmaf(p, r, 0x1.555492p-3f);
    p = fmaf(p, r, 0.5f);
    *turned = mlpkit_bits(z);
    return fmaf(square, p, r);
}

/* exp(x) = 2^n (1 + (exp(r) - 1)) */
static inline float mlpkit_expf(float x)
{
    uint32_t turned;
    float p = mlpkit_reduced_expm1f(x, &turned), y;
    p = 1.0f + p;
    y = mlpkit_float(mlpkit_bits(p) + (turned << 23));
    y = x < -0x1.5d589ep+6f ? 0.0f : y;     /* below 2^-126 */
    y = x > 0x1.62e42ep+6f ? INFINITY : y; /* above the largest float */
    return x != x ? x : y;
}

/* exp(x) for x from -87 to 88, to the bits of mlpkit_expf: 2^n (exp(r) - 1) + 2^n */
static inline float mlpkit_exp_within_87f(float x)
{
    uint32_t turned;
    float p = mlpkit_reduced_expm1f(x, &turned);
    float scale = mlpkit_float((turned + 127u) << 23), y;
    y = fmaf(p, scale, scale);
    return y;
}

/* exp(x) for x up to 88, to the bits of mlpkit_expf */
static inline float mlpkit_exp_below_88f(float x)
{
    float y = mlpkit_exp_within_87f(x);
    return x < -0x1.5d589ep+6f ? 0.0f : y;
}

/* exp(x) - 1 = 2 (2^(n-1) (exp(r) - 1) + 2^(n-1) - 1/2) */
static inline float mlpkit_expm1f(float x)
{
    uint32_t turned;
    float p = mlpkit_reduced_expm1f(x, &turned);
    float half = mlpkit_float(0x3f000000u + (turned << 23)); /* 2^(n-1) */
    float rest = half - 0.5f, y;
    y = fmaf(half, p, rest);
    y = 2.0f * y;
    y = fabsf(x) < 0x1p-25f ? x : y;
    y = x < -20.0f ? -1.0f : y;
    y = x > 0x1.62e42ep+6f ? INFINITY : y;
    return x != x ? x : y;
}

/* exp(x) - 1 for x from -20 to 20, 0 for -0: 2^n (exp(r) - 1) + 2^n - 1 */
static inline float mlpkit_expm1_within_20f(float x)
{
    uint32_t turned;
    float p = mlpkit_reduced_expm1f(x, &turned);
    float scale = mlpkit_float((turned + 127u) << 23), rest = scale - 1.0f, y;
    y = fmaf(p, scale, rest);
    return y;
}

/* exp(x) - 1 for x up to 0, 0 for -0, otherwise to the bits of mlpkit_expm1f */
static inline float mlpkit_expm1_below_0f(float x)
{
    float y = mlpkit_expm1_within_20f(x);
    return x < -20.0f ? -1.0f : y;
}

/* log(1 + x) = e ln 2 + log(1 + m), where 1 + x = 2^e (1 + m) and m from -1/4 to 1/2 */
static inline float mlpkit_log1pf(float x)
{
    float whole = 1.0f + x;
    uint32_t e = (mlpkit_bits(whole) - 0x3f400000u) & 0xff800000u; /* 2^23 e */
    float scale = mlpkit_float(0x40800000u - e);                   /* 4 2^-e */
    float scaled = mlpkit_float(mlpkit_bits(x) - e);               /* 2^-e x */
    float m = fmaf(0.25f, scale, -1.0f), square, p, y, exponent;
    m = scaled + m;
    square = m * m;
    p = fmaf(-0x1.71e354p-5f, m, 0x1.acf4bap-4f);
    p = fmaf(p, m, -0x1.0d98f2p-3f);
    p = fmaf(p, m, 0x1.28807ap-3f);
    p = fmaf(p, m, -0x1.54ed96p-3f);
    p = fmaf(p, m, 0x1.99699ep-3f);
    p = fmaf(p, m, -0x1.00004ap-2f);
    p = fmaf(p, m, 0x1.5555a4p-2f);
    p = fmaf(p, m, -0.5f);
    p = fmaf(square, p, m);
    exponent = (float)(int32_t)e;
    exponent = exponent * 0x1p-23f;
    y = fmaf(exponent, 0x1.62e430p-1f, p);
    y = fabsf(x) < 0x1p-25f ? x : y;
    y = x > 0x1.fffffep+127f ? x : y;
    y = x == -1.0f ? -INFINITY : y;
    y = x < -1.0f ? NAN : y;
    return x != x ? x : y;
}

/* tanh(x) = -m / (m + 2), m = exp(-2 x) - 1, for x from 0 */
static inline float mlpkit_tanhf(float x)
{
    float a = fabsf(x), m = mlpkit_expm1_within_20f(a > 10.0f ? -20.0f : -2.0f * a), below = m + 2.0f, y;
    y = m / below;
    return copysignf(y, x);
}

/* sigmoid(x) = exp(min(x, 0)) / (1 + exp(-|x|)) */
static inline float mlpkit_sigmoidf(float x)
{
    float e = mlpkit_exp_below_88f(-fabsf(x)), whole = 1.0f + e, y;
    y = (x < 0.0f ? e : 1.0f) / whole;
    return y;
}

/* softplus(x) = max(x, 0) + log(1 + e), e = exp(-|x|), and log(1 + e) = e + e^2 (c0 + ... + c7 e^7) for e up to 1 */
static inline float mlpkit_softplusf(float x)
{
    float e = mlpkit_exp_below_88f(-fabsf(x)), square = e * e, p, y;
    p = fmaf(0x1.5fa0dap-8f, e, -0x1.eca398p-6f);
    p = fmaf(p, e, 0x1.44707ap-4f);
    p = fmaf(p, e, -0x1.19af8ep-3f);
    p = fmaf(p, e, 0x1.884554p-3f);
    p = fmaf(p, e, -0x1.fd1368p-3f);
    p = fmaf(p, e, 0x1.5535dep-2f);
    p = fmaf(p, e, -0x1.ffff14p-2f);
    y = fmaf(square, p, e);
    y = (x < 0.0f ? 0.0f : x) + y;
    return y;
}

/* erf(a) = 1 - exp(a (c0 + ... + c8 a^8) - a) for a from 0 */
static inline float mlpkit_erf_above_0f(float a)
{
    float bounded = a < 4.0f ? a : 4.0f, p, y;
    p = fmaf(0x1.3b005cp-17f, bounded, -0x1.f2892cp-14f);
    p = fmaf(p, bounded, 0x1.4e2926p-11f);
    p = fmaf(p, bounded, -0x1.b74498p-10f);
    p = fmaf(p, bounded, 0x1.637988p-13f);
    p = fmaf(p, bounded, 0x1.39b7cap-6f);
    p = fmaf(p, bounded, -0x1.a4f8c4p-4f);
    p = fmaf(p, bounded, -0x1.45f300p-1f);
    p = fmaf(p, bounded, -0x1.06eba8p-3f);
    p = fmaf(p, bounded, -bounded);
    y = mlpkit_expm1_within_20f(p);
    return -y;
}

/* erf(x) = -erf(-x) */
static inline float mlpkit_erff(float x)
{
    float y = mlpkit_erf_above_0f(fabsf(x));
    y = y < 0x1p-126f ? 0.0f : y;
    y = copysignf(y, x);
    return x != x ? x : y;
}

/* gelu(x) = x (1 + erf(x / sqrt(2))) / 2 */
static inline float mlpkit_geluf(float x)
{
    float scaled = x / 0x1.6a09e6p+0f, y;
    y = copysignf(mlpkit_erf_above_0f(fabsf(scaled)), scaled);
    y = y + 1.0f;
    y = y * 0.5f;
    y = x * y;
    return y;
}

/* sin(r) for |r| <= pi / 2: r + r^3 (c0 + ... + c3 r^6) */
static inline float mlpkit_sin_of_halff(float r)
{
    float square = r * r, cube, p, y;
    p = fmaf(0x1.5e284ep-19f, square, -0x1.9f77f4p-13f);
    p = fmaf(p, square, 0x1.110f06p-7f);
    p = fmaf(p, square, -0x1.55554ep-3f);
    cube = square * r;
    y = fmaf(cube, p, r);
    return y;
}

/* x - n pi, with pi in three parts */
static inline float mlpkit_minus_pisf(float x, float n)
{
    float r = fmaf(n, -0x1.921fb6p+1f, x);
    r = fmaf(n, 0x1.777a5cp-24f, r);
    r = fmaf(n, 0x1.ee59dap-49f, r);
    return r;
}

/* sin(x) = (-1)^n sin(x - n pi), n whole, for |x| <= 2^20 */
static inline float mlpkit_sin_within_2_to_20f(float x)
{
    float z = fmaf(x, 0x1.45f306p-2f, 0x1.8p+23f); /* x / pi, rounded to a whole number in the last bits */
    float n = z - 0x1.8p+23f, y = mlpkit_sin_of_halff(mlpkit_minus_pisf(x, n));
    return mlpkit_float(mlpkit_bits(y) ^ (mlpkit_bits(z) << 31));
}

/* cos(x) = (-1)^(n + 1) sin(x - (n + 1/2) pi), n whole, for |x| <= 2^20 */
static inline float mlpkit_cos_within_2_to_20f(float x)
{
    float half_less = fmaf(x, 0x1.45f306p-2f, -0.5f), z = half_less + 0x1.8p+23f;
    float n = z - 0x1.8p+23f, y = mlpkit_sin_of_halff(mlpkit_minus_pisf(x, n + 0.5f));
    return mlpkit_float(mlpkit_bits(y) ^ ((mlpkit_bits(z) + 1u) << 31));
}

/* sin(x); the rare numbers beyond 2^20, which lie 1/8 apart and more, are left to the C library */
static inline float mlpkit_sinf(float x)
{
    return fabsf(x) <= 0x1p+20f ? mlpkit_sin_within_2_to_20f(x) : (float)sin((double)x);
}

/* cos(x), in the same way */
static inline float mlpkit_cosf(float x)
{
    return fabsf(x) <= 0x1p+20f ? mlpkit_cos_within_2_to_20f(x) : (float)cos((double)x);
}

/* x[0] + ... + x[n - 1]: first s[i] = x[i] + x[i + 16] + x[i + 32] + ... from the first to the last, for i from 0 to
 * 15; then, for h = 8, 4, 2, 1, s[i] = s[i] + s[i + h] for i from 0 to h - 1. The sum is s[0]. */
static inline float mlpkit_sumf(const float *x, size_t n)
{
    float s[16] = {0};
    size_t i = 0, j;
    for (; i + 16 <= n; i += 16) {
        for (j = 0; j < 16; j++) {
            s[j] = s[j] + x[i + j];
        }
    }
    for (j = 0; i + j < n; j++) {
        s[j] = s[j] + x[i + j];
    }
    for (j = 0; j < 8; j++) {
        s[j] = s[j] + s[j + 8];
    }
    for (j = 0; j < 4; j++) {
        s[j] = s[j] + s[j + 4];
    }
    s[0] = s[0] + s[2];
    s[1] = s[1] + s[3];
    s[0] = s[0] + s[1];
    return s[0];
}

#endif
