/* one.c: a network trained with mlpkit. In your program:
 *
 *     #define ONE_DECLARATIONS
 *     #include "one.c"
 *
 *     static float work[ONE_WORK];
 *     one_inputs in;    (fill it in)
 *     one_outputs out;
 *     one_predict(&in, &out, work);
 *
 * Compile this file once by itself, as C99, and link with libm: cc -std=c99 -O2 one.c -lm
 * Its own test: cc -std=c99 -DONE_TEST one.c -lm && ./a.out
 *
 * Flash, without code: 379 bytes.
 * RAM: 40 bytes of work memory, 24 of inputs, 24 of outputs, 2,101 of stack.
 * Multiplications by weights: 21.
 *
 * Results have the same bits on every machine; on 32-bit x86, only with -std=c99 or SSE2. */

/* mlpkit-provenance: {"data": "b7df9bd5c3831a53b724ea80809652cd176bdffaa36c24b48bab19951fcec0f6", "inputs": [{"dtype": "float64", "kind": "number", "meaning": "NaN if it is missing; 1 and 0 for yes and no", "name": "height", "shape": []}, {"dtype": "float64", "kind": "number", "meaning": "NaN if it is missing; 1 and 0 for yes and no", "name": "leaves", "shape": []}, {"dtype": "str", "kind": "category", "meaning": "as in the file, without blanks around it; empty if it is missing", "name": "soil", "shape": []}], "mlpkit": "0.1.0", "name": "plants", "run": "one", "spec": "b350c138574440ed816e4da9f6d1d86b75cca2f37a9e975124fcbbc0e8332268", "weights": "7cf4dfd72df158748ddd7d0a928b626412a63e5ec2fc5b4b029d9efc3df60a96"} */

#ifndef ONE_WORK
#include <stdint.h>

/* How many numbers the work memory holds. */
#define ONE_WORK 10

typedef struct {
    double height; /* NaN if it is missing; 1 and 0 for yes and no */
    double leaves; /* NaN if it is missing; 1 and 0 for yes and no */
    const char *soil; /* as in the file, without blanks around it; empty if it is missing; "clay", "loam", "sand" */
} one_inputs;

typedef struct {
    float logits[2];
    const char *label;
    float probabilities[2];
} one_outputs;

void one_predict(const one_inputs *in, one_outputs *out, float *work);

#endif

#ifndef ONE_DECLARATIONS

/* A compiler that fuses a multiplication with an addition changes results. */
#if defined(__FAST_MATH__)
#error "compile this file without -ffast-math"
#elif defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif

#include <math.h>
#include <stddef.h>
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

enum { BLOCK = 256, AT_ONCE = 64, TILE = 256 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Where a block of a sum of `length` products ends: as few blocks as possible, none longer than BLOCK, all equally long
 * except that the first ones are longer by one. */
static size_t block_end(size_t block, size_t length)
{
    const size_t blocks = (length + BLOCK - 1) / BLOCK;
    return (block + 1) * (length / blocks) + least(block + 1, length % blocks);
}

/* y = x W, with W of shape (inputs, outputs). The order of addition is fixed: blocks along the inputs, each from first
 * to last with fused multiply-adds, then the blocks. */
static void dense(const float *x, const float *weights, float *y, size_t inputs, size_t outputs)
{
    for (size_t first = 0; first < outputs; first += AT_ONCE) {
        const size_t count = least(AT_ONCE, outputs - first);
        size_t k = 0;
        for (size_t block = 0; k < inputs; block++) {
            const size_t end = block_end(block, inputs);
            float sum[AT_ONCE] = {0};
            for (; k < end; k++) {
                const float *row = weights + k * outputs + first;
                const float factor = x[k];
                if (factor != 0.0f) {
                    for (size_t j = 0; j < count; j++) {
                        sum[j] = fmaf(factor, row[j], sum[j]);
                    }
                }
            }
            for (size_t j = 0; j < count; j++) {
                y[first + j] = block == 0 ? sum[j] : y[first + j] + sum[j];
            }
        }
    }
}

/* y += bias, one number for `size` elements each. */
static void add_bias(float *y, const float *bias, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < size; j++) {
            y[i * size + j] = y[i * size + j] + bias[i];
        }
    }
}

/* y = exp(x - max x) / sum of exp(x - max x). */
static void softmax(const float *x, float *y, size_t count)
{
    float largest = x[0], sum = 0.0f;
    for (size_t i = 1; i < count; i++) {
        largest = x[i] > largest || x[i] != x[i] ? x[i] : largest;
    }
    for (size_t i = 0; i < count; i++) {
        const float shifted = x[i] - largest;
        y[i] = mlpkit_expf(shifted);
        sum = sum + y[i];
    }
    for (size_t i = 0; i < count; i++) {
        y[i] = y[i] / sum;
    }
}

/* The number of the largest element, the first one if several are equal; a NaN counts as the largest. */
static size_t largest_at(const float *x, size_t count)
{
    size_t largest = 0;
    for (size_t i = 1; i < count; i++) {
        if (x[largest] == x[largest] && (x[i] > x[largest] || x[i] != x[i])) {
            largest = i;
        }
    }
    return largest;
}

/* The number of a text in a list, or the list's length if it isn't there. */
static size_t text_at(const char *text, const char *const *texts, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(text, texts[i]) != 0) {
        i++;
    }
    return i;
}

/* The number of an integer in a list, or the list's length if it isn't there. */
static size_t integer_at(int64_t number, const int64_t *numbers, size_t count)
{
    size_t i = 0;
    while (i < count && number != numbers[i]) {
        i++;
    }
    return i;
}

static const double csv_Constant_7[2] = {
    0x1.fd70a3d70a3d7p-2, 4.75
};

static const double csv_Constant_11[2] = {
    0x1.26fd80f35393dp-1, 0x1.5328e51dcdc4ap+1
};

static const int64_t csv_Constant_17[3] = {
    0, 1, 2
};

static const float Affine1_W[15] = {
    -0x1.48c554p-1f, -0x1.7e02acp-3f, -0x1.21bfb2p+0f, -0x1.416f82p-2f, 0x1.6d7a06p-1f, -0x1.0a8d4p-2f, 0x1.aaad98p-1f,
    -0x1.cbf228p-5f, 0x1.29defap+0f, -0x1.5bff7p+0f, -0x1.ad2a06p-3f, -0x1.17e62p-2f, 0x1.3862f6p-1f, 0x1.bd1448p-4f,
    -0x1.3e34f8p-6f
};

static const float Affine1_b[3] = {
    -0x1.100692p-4f, -0x1.6687eap-3f, 0x1.0f1572p-7f
};

static const float Affine2_W[6] = {
    0x1.dba9bap-1f, -0x1.feb902p+0f, 0x1.f7cb72p-2f, 0x1.e8ad98p-4f, 0x1.786d5ep-4f, -0x1.f50f22p-1f
};

static const float Affine2_b[2] = {
    -0x1.7f7e3p-3f, 0x1.7f7e3p-3f
};

static const char *const csv_keys[8] = {
    "", "NA", "NaN", "nan", "null", "clay", "loam", "sand"
};

static const int64_t csv_values[9] = {
    -1, -1, -1, -1, -1, 0, 1, 2, -1
};

static const int64_t keys[2] = {
    0, 1
};

static const char *const values[3] = {
    "fern", "moss", ""
};

void one_predict(const one_inputs *in, one_outputs *out, float *work)
{
    float *const csv = work;
    float *const csv_Cast_19 = work + 5;
    float *const Affine1 = work + 5;
    float *const csv_Cast_13 = work + 8;

    /* csv: Concat */
    double csv_Concat_5[2];
    csv_Concat_5[0] = in->height;
    csv_Concat_5[1] = in->leaves;

    /* csv: IsNaN */
    uint8_t csv_IsNaN_6[2];
    for (size_t i = 0; i < 2; i++) {
        csv_IsNaN_6[i] = csv_Concat_5[i] != csv_Concat_5[i];
    }

    /* csv: Where */
    double csv_Where_8[2];
    for (size_t i = 0; i < 2; i++) {
        csv_Where_8[i] = csv_IsNaN_6[i] ? csv_Constant_7[i] : csv_Concat_5[i];
    }

    /* csv: Sub */
    for (size_t i = 0; i < 2; i++) {
        csv_Where_8[i] = csv_Where_8[i] - csv_Constant_7[i];
    }

    /* csv: Div */
    for (size_t i = 0; i < 2; i++) {
        csv_Where_8[i] = csv_Where_8[i] / csv_Constant_11[i];
    }

    /* csv: Cast */
    for (size_t i = 0; i < 2; i++) {
        csv_Cast_13[i] = (float)csv_Where_8[i];
    }

    /* csv: LabelEncoder */
    int64_t csv_LabelEncoder_14 = csv_values[text_at(in->soil, csv_keys, 8)];

    /* csv: Equal */
    uint8_t csv_Equal_18[3];
    for (size_t i = 0; i < 3; i++) {
        csv_Equal_18[i] = csv_LabelEncoder_14 == csv_Constant_17[i];
    }

    /* csv: Cast */
    for (size_t i = 0; i < 3; i++) {
        csv_Cast_19[i] = (float)csv_Equal_18[i];
    }

    /* csv: Concat */
    for (size_t i = 0; i < 2; i++) {
        csv[i] = csv_Cast_13[i];
    }
    for (size_t i = 0; i < 3; i++) {
        csv[2 + i] = csv_Cast_19[i];
    }

    /* Affine1: Gemm */
    dense(csv, Affine1_W, Affine1, 5, 3);
    add_bias(Affine1, Affine1_b, 3, 1);

    /* Relu1: Relu */
    for (size_t i = 0; i < 3; i++) {
        Affine1[i] = Affine1[i] <= 0.0f ? 0.0f : Affine1[i];
    }

    /* Affine2: Gemm */
    dense(Affine1, Affine2_W, out->logits, 3, 2);
    add_bias(out->logits, Affine2_b, 2, 1);

    /* SoftmaxWithLoss1: Softmax */
    softmax(out->logits, out->probabilities, 2);

    /* ArgMax */
    int64_t ArgMax_26 = (int64_t)largest_at(out->probabilities, 2);

    /* LabelEncoder */
    out->label = values[integer_at(ArgMax_26, keys, 2)];
}

#ifdef ONE_TEST
#include <stdio.h>

/* Whether numbers differ by more than two units in the last place. */
static int differs(const float *x, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (x[i] != expected[i] && !(fabsf(x[i] - expected[i]) <= 0x1p-22f * fabsf(expected[i]))) {
            return 1;
        }
    }
    return 0;
}

static const one_inputs test_inputs[4] = {
    {
        .height = 0x1.4cccccccccccdp-1,
        .leaves = 8.0,
        .soil = "clay"
    },
    {
        .height = 0x1.47ae147ae147bp-6,
        .leaves = 3.0,
        .soil = "loam"
    },
    {
        .height = -0x1.3d70a3d70a3d7p-1,
        .leaves = 7.0,
        .soil = "clay"
    },
    {
        .height = 0x1.75c28f5c28f5cp-1,
        .leaves = 1.0,
        .soil = "loam"
    },
};

static const one_outputs test_outputs[4] = {
    {
        .logits = {
            0x1.69accp-2f, -0x1.695c48p-1f
        },
        .label = "fern",
        .probabilities = {
            0x1.7c2864p-1f, 0x1.07af3cp-2f
        }
    },
    {
        .logits = {
            -0x1.c0f2bap-4f, -0x1.4776ccp-1f
        },
        .label = "fern",
        .probabilities = {
            0x1.424abep-1f, 0x1.7b6a82p-2f
        }
    },
    {
        .logits = {
            0x1.0b0b98p+1f, -0x1.925984p+2f
        },
        .label = "fern",
        .probabilities = {
            0x1.ffe1bap-1f, 0x1.e45f7p-13f
        }
    },
    {
        .logits = {
            -0x1.7f7e3p-3f, 0x1.7f7e3p-3f
        },
        .label = "moss",
        .probabilities = {
            0x1.a13b58p-2f, 0x1.2f6254p-1f
        }
    },
};

int main(void)
{
    static float work[ONE_WORK];
    int wrong = 0;
    for (size_t i = 0; i < 4; i++) {
        const one_outputs *expected = &test_outputs[i];
        one_outputs result, *out = &result;
        one_predict(&test_inputs[i], out, work);
        wrong |= memcmp(out->logits, expected->logits, 2 * sizeof *(out->logits)) != 0;
        wrong |= strcmp(out->label, expected->label) != 0;
        wrong |= differs(out->probabilities, expected->probabilities, 2);
    }
    puts(wrong ? "one: wrong results" : "one: right results");
    return wrong;
}
#endif

#endif
