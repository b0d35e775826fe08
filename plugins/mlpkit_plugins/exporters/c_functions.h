/* Functions of exported models. An export copies those that it uses, each as it stands here.
 *
 * Functions are separated by empty lines and hold none. Each statement rounds once, so that a processor that computes
 * in a wider format gives the same bits. */
#include "row_functions.h"

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

/* y = x W as by `dense`, with W an integer times the scale of its output, which float holds exactly. */
static void dense_int8(const float *x, const int8_t *weights, const float *scales, float *y, size_t inputs,
                       size_t outputs)
{
    for (size_t first = 0; first < outputs; first += AT_ONCE) {
        const size_t count = least(AT_ONCE, outputs - first);
        size_t k = 0;
        for (size_t block = 0; k < inputs; block++) {
            const size_t end = block_end(block, inputs);
            float sum[AT_ONCE] = {0};
            for (; k < end; k++) {
                const int8_t *row = weights + k * outputs + first;
                const float factor = x[k];
                if (factor != 0.0f) {
                    for (size_t j = 0; j < count; j++) {
                        const float weight = (float)row[j] * scales[first + j];
                        sum[j] = fmaf(factor, weight, sum[j]);
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

/* Part of the pixels of an output, and how far apart their sums are from row to row. If they are as far apart as the
 * input's rows, a pixel of all patches is one run of the input, and the sums between the rows count for nothing. */
typedef struct {
    size_t top, left, height, width, pitch;
    int one_run;
} Tile;

/* sum += w x for a pixel of the patches along a row of an image; `first` is where it lies in the first patch. Pixels
 * outside the image are zero. */
static void add_row(float *sum, ptrdiff_t count, float w, const float *x, ptrdiff_t width, ptrdiff_t first,
                    ptrdiff_t stride)
{
    if (stride == 1) {
        const ptrdiff_t begin = first < 0 ? -first : 0, end = width - first < count ? width - first : count;
        for (ptrdiff_t j = begin; j < end; j++) {
            sum[j] = fmaf(w, x[first + j], sum[j]);
        }
        return;
    }
    for (ptrdiff_t j = 0; j < count; j++) {
        const ptrdiff_t column = first + j * stride;
        if (column >= 0 && column < width) {
            sum[j] = fmaf(w, x[column], sum[j]);
        }
    }
}

/* sum += w x for the pixel of each patch of a tile that lies at that row and column of the patch. */
static void add_pixels(float *sum, Tile tile, float w, const float *image, Images in, Patches patches, size_t row,
                       size_t column)
{
    if (tile.one_run) {
        const ptrdiff_t count = (ptrdiff_t)((tile.height - 1) * tile.pitch + tile.width);
        add_row(sum, count, w, image + (tile.top + row) * in.width + tile.left + column, count, 0, 1);
        return;
    }
    const ptrdiff_t first = (ptrdiff_t)(tile.left * patches.stride_across + column) - (ptrdiff_t)patches.left;
    for (size_t i = 0; i < tile.height; i++) {
        const size_t below = (tile.top + i) * patches.stride_down + row;
        if (below >= patches.above && below - patches.above < in.height) {
            const float *x = image + (below - patches.above) * in.width;
            add_row(sum + i * tile.pitch, (ptrdiff_t)tile.width, w, x, (ptrdiff_t)in.width, first,
                    (ptrdiff_t)patches.stride_across);
        }
    }
}

/* A tile of an output of a convolution. */
static void convolve_tile(const float *x, Images in, const float *weights, float *y, Images out, Patches patches,
                          Tile tile)
{
    const size_t length = patches.width * in.channels * patches.height;
    size_t k = 0, row = 0, channel = 0, column = 0;
    for (size_t block = 0; k < length; block++) {
        const size_t end = block_end(block, length);
        float sum[TILE] = {0};
        for (; k < end; k++) {
            add_pixels(sum, tile, weights[k], x + channel * in.height * in.width, in, patches, row, column);
            if (++row == patches.height) {
                row = 0;
                channel = channel + 1 < in.channels ? channel + 1 : 0;
                column = channel == 0 ? column + 1 : column;
            }
        }
        for (size_t i = 0; i < tile.height; i++) {
            float *to = y + (tile.top + i) * out.width + tile.left;
            for (size_t j = 0; j < tile.width; j++) {
                to[j] = block == 0 ? sum[i * tile.pitch + j] : to[j] + sum[i * tile.pitch + j];
            }
        }
    }
}

/* Convolution, with W of shape (filters, columns, channels, rows) of a patch. The order of addition is that of `dense`,
 * along a filter's weights in this order. */
static void convolve(const float *x, Images in, const float *weights, float *y, Images out, Patches patches)
{
    const int one_run = patches.stride_down == 1 && patches.stride_across == 1 && in.width <= TILE &&
                        out.height + patches.height == in.height + 1 && out.width + patches.width == in.width + 1;
    const size_t width = least(out.width, TILE), pitch = one_run ? in.width : width, height = TILE / pitch;
    for (size_t filter = 0; filter < out.channels; filter++) {
        for (size_t top = 0; top < out.height; top += height) {
            for (size_t left = 0; left < out.width; left += width) {
                const size_t rows = least(height, out.height - top), columns = least(width, out.width - left);
                const Tile tile = {top, left, rows, columns, pitch, one_run};
                convolve_tile(x, in, weights, y, out, patches, tile);
            }
        }
        weights += patches.width * in.channels * patches.height;
        y += out.height * out.width;
    }
}

/* Convolution as by `convolve`, with W an integer times the scale of its filter; `unpacked` holds a filter's weights. */
static void convolve_int8(const float *x, Images in, const int8_t *weights, const float *scales, float *y, Images out,
                          Patches patches, float *unpacked)
{
    const size_t length = patches.width * in.channels * patches.height;
    const Images one = {1, out.height, out.width};
    for (size_t filter = 0; filter < out.channels; filter++) {
        for (size_t k = 0; k < length; k++) {
            unpacked[k] = (float)weights[filter * length + k] * scales[filter];
        }
        convolve(x, in, unpacked, y + filter * out.height * out.width, one, patches);
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

/* The largest pixel of a patch at that row and column of an image. */
static float largest_pixel(const float *image, Images in, Patches patches, size_t top, size_t left)
{
    float largest = -INFINITY;
    for (size_t row = top; row < top + patches.height; row++) {
        for (size_t column = left; column < left + patches.width; column++) {
            if (row >= patches.above && row - patches.above < in.height && column >= patches.left &&
                column - patches.left < in.width) {
                const float pixel = image[(row - patches.above) * in.width + column - patches.left];
                largest = pixel > largest || pixel != pixel ? pixel : largest;
            }
        }
    }
    return largest;
}

/* The mean pixel of a patch at that row and column of an image, inside of it. */
static float mean_pixel(const float *image, Images in, Patches patches, size_t top, size_t left)
{
    float sum = 0.0f;
    for (size_t row = top; row < top + patches.height; row++) {
        for (size_t column = left; column < left + patches.width; column++) {
            sum = sum + image[row * in.width + column];
        }
    }
    return sum / (float)(patches.height * patches.width);
}

/* A number for each patch of an image. */
static void pool(const float *x, Images in, float *y, Images out, Patches patches,
                 float (*pooled)(const float *, Images, Patches, size_t, size_t))
{
    for (size_t channel = 0; channel < out.channels; channel++) {
        for (size_t row = 0; row < out.height; row++) {
            for (size_t column = 0; column < out.width; column++) {
                *y++ = pooled(x, in, patches, row * patches.stride_down, column * patches.stride_across);
            }
        }
        x += in.height * in.width;
    }
}

/* y = (x - mean) scale gamma + beta, one of each for `size` elements. */
static void batch_norm(const float *x, const float *mean, const float *scale, const float *gamma, const float *beta,
                       float *y, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < size; j++) {
            float number = x[i * size + j] - mean[i];
            number = number * scale[i];
            number = number * gamma[i];
            y[i * size + j] = number + beta[i];
        }
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

/* y = (x - mean) / sqrt(variance + epsilon), with mean and variance of all elements. */
static void standardized(const float *x, float *y, size_t count, float epsilon)
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
        y[i] = y[i] * scale;
    }
}

/* y = standardized x times gamma + beta, one of each for an element. */
static void layer_norm(const float *x, const float *gamma, const float *beta, float *y, size_t count, float epsilon)
{
    standardized(x, y, count, epsilon);
    for (size_t i = 0; i < count; i++) {
        const float number = y[i] * gamma[i];
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
