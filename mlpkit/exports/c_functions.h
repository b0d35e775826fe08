/* Functions of exported models. An export copies those that it uses, each as it stands here.
 *
 * Functions are separated by empty lines and hold none. Each statement rounds once, so that a processor that computes
 * in a wider format gives the same bits. */
#include "row_functions.h"

enum { BLOCK = 256, AT_ONCE = 64 };

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

/* y = x W, with W of shape (inputs, outputs). The order of addition is fixed: blocks along the inputs, each from first to
 * last with fused multiply-adds, then the blocks. */
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

/* Images: a number of channels, each of height times width pixels. */
typedef struct {
    size_t channels, height, width;
} Images;

/* Patches of images: their size, the steps between them, and the zeros that surround an image above and to the left. */
typedef struct {
    size_t height, width, stride_down, stride_across, above, left;
} Patches;

/* sum += w x for one pixel of the patches of a row, with x the row of the image that the pixel lies in. */
static void add_pixels(float *sum, size_t count, float w, const float *x, size_t width, size_t first, size_t stride,
                       size_t left)
{
    for (size_t j = 0; j < count; j++) {
        const size_t column = first + j * stride;
        if (column >= left && column - left < width) {
            sum[j] = fmaf(w, x[column - left], sum[j]);
        }
    }
}

/* Convolution, with W of shape (filters, columns, channels, rows) of a patch. The order of addition is that of `dense`,
 * along a filter's weights in this order. */
static void convolve(const float *x, Images in, const float *weights, float *y, Images out, Patches patches)
{
    const size_t length = patches.width * in.channels * patches.height;
    for (size_t place = 0; place < out.channels * out.height; place++) {
        const float *w = weights + place / out.height * length;
        const size_t top = place % out.height * patches.stride_down;
        for (size_t first = 0; first < out.width; first += AT_ONCE) {
            const size_t count = least(AT_ONCE, out.width - first);
            float *to = y + place * out.width + first;
            size_t k = 0;
            for (size_t block = 0; k < length; block++) {
                const size_t end = block_end(block, length);
                float sum[AT_ONCE] = {0};
                for (; k < end; k++) {
                    const size_t row = top + k % patches.height;
                    const size_t channel = k / patches.height % in.channels;
                    const size_t column = first * patches.stride_across + k / patches.height / in.channels;
                    if (row >= patches.above && row - patches.above < in.height) {
                        const float *from = x + (channel * in.height + row - patches.above) * in.width;
                        add_pixels(sum, count, w[k], from, in.width, column, patches.stride_across, patches.left);
                    }
                }
                for (size_t j = 0; j < count; j++) {
                    to[j] = block == 0 ? sum[j] : to[j] + sum[j];
                }
            }
        }
    }
}

/* y += bias, one number for `size` elements each. */
static void add_bias(float *y, const float *bias, size_t count, size_t size)
{
    for (size_t i = 0; i < count * size; i++) {
        y[i] = y[i] + bias[i / size];
    }
}

/* The largest pixel of each patch. */
static void max_pool(const float *x, Images in, float *y, Images out, Patches patches)
{
    for (size_t i = 0; i < out.channels * out.height * out.width; i++) {
        const float *image = x + i / (out.height * out.width) * in.height * in.width;
        const size_t top = i / out.width % out.height * patches.stride_down;
        const size_t left = i % out.width * patches.stride_across;
        float largest = -INFINITY;
        for (size_t p = 0; p < patches.height * patches.width; p++) {
            const size_t row = top + p / patches.width, column = left + p % patches.width;
            if (row >= patches.above && row - patches.above < in.height && column >= patches.left &&
                column - patches.left < in.width) {
                const float pixel = image[(row - patches.above) * in.width + column - patches.left];
                largest = pixel > largest || pixel != pixel ? pixel : largest;
            }
        }
        y[i] = largest;
    }
}

/* The mean pixel of each patch; patches lie inside the image. */
static void average_pool(const float *x, Images in, float *y, Images out, Patches patches)
{
    for (size_t i = 0; i < out.channels * out.height * out.width; i++) {
        const float *image = x + i / (out.height * out.width) * in.height * in.width;
        const size_t top = i / out.width % out.height * patches.stride_down;
        const size_t left = i % out.width * patches.stride_across;
        float sum = 0.0f;
        for (size_t p = 0; p < patches.height * patches.width; p++) {
            sum = sum + image[(top + p / patches.width) * in.width + left + p % patches.width];
        }
        y[i] = sum / (float)(patches.height * patches.width);
    }
}

/* y = (x - mean) scale gamma + beta, one of each for `size` elements. */
static void batch_norm(const float *x, const float *mean, const float *scale, const float *gamma, const float *beta,
                       float *y, size_t count, size_t size)
{
    for (size_t i = 0; i < count * size; i++) {
        const size_t feature = i / size;
        float number = x[i] - mean[feature];
        number = number * scale[feature];
        number = number * gamma[feature];
        y[i] = number + beta[feature];
    }
}

/* The square root; without `volatile`, 32-bit x86 would keep more digits of it. */
static float rounded_sqrt(float x)
{
    const volatile float root = sqrtf(x);
    return root;
}

/* The sum of the squares of x, added up as by mlpkit_sumf. */
static float sum_of_squares(const float *x, size_t count)
{
    float sum[16] = {0};
    for (size_t i = 0; i < count; i++) {
        const float square = x[i] * x[i];
        sum[i % 16] = sum[i % 16] + square;
    }
    return mlpkit_sumf(sum, 16);
}

/* y = (x - mean) / sqrt(variance + epsilon) gamma + beta, with mean and variance of all elements. */
static void layer_norm(const float *x, const float *gamma, const float *beta, float *y, size_t count, float epsilon)
{
    const float mean = mlpkit_sumf(x, count) / (float)count;
    float scale;
    for (size_t i = 0; i < count; i++) {
        y[i] = x[i] - mean;
    }
    scale = sum_of_squares(y, count) / (float)count;
    scale = scale + epsilon;
    scale = rounded_sqrt(scale);
    scale = 1.0f / scale;
    for (size_t i = 0; i < count; i++) {
        float number = y[i] * scale;
        number = number * gamma[i];
        y[i] = number + beta[i];
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

/* y = x - max x - log of the sum of exp(x - max x). */
static void log_softmax(const float *x, float *y, size_t count)
{
    float sum = 0.0f;
    const float largest = x[largest_at(x, count)];
    for (size_t i = 0; i < count; i++) {
        y[i] = x[i] - largest;
        sum = sum + mlpkit_expf(y[i]);
    }
    sum = logf(sum);
    for (size_t i = 0; i < count; i++) {
        y[i] = y[i] - sum;
    }
}

/* max(x, 0) + alpha (exp(min(x, 0)) - 1) */
static float elu(float x, float alpha)
{
    const float negative = alpha * mlpkit_expm1f(x > 0.0f ? 0.0f : x);
    return (x > 0.0f ? x : 0.0f) + negative;
}

/* elu(x) with a scale for both parts. */
static float selu(float x, float alpha, float gamma)
{
    const float unscaled = elu(x, alpha);
    return gamma * unscaled;
}

/* elu(x) without a kink at 0. */
static float celu(float x, float alpha)
{
    const float scaled = x / alpha;
    return x > 0.0f ? x : alpha * mlpkit_expm1f(scaled);
}

/* alpha x + beta, but at least 0 and at most 1. */
static float hard_sigmoid(float x, float alpha, float beta)
{
    float y = alpha * x;
    y = y + beta;
    y = y < 0.0f ? 0.0f : y;
    return y > 1.0f ? 1.0f : y;
}

/* x hard_sigmoid(x) */
static float hard_swish(float x)
{
    const float share = hard_sigmoid(x, 1.0f / 6.0f, 0.5f);
    return x * share;
}

/* x / (1 + |x|) */
static float softsign(float x)
{
    const float denominator = 1.0f + fabsf(x);
    return x / denominator;
}
