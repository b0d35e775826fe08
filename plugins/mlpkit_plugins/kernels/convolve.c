/* A convolution is a matrix product. Its second factor, the patches of the images, is never written: its rows are found
 * in the images (Dukhan, The Indirect Convolution Algorithm, 2019). */
#include "convolve.h"

#include "instruction_set.h"
#include "pieces.h"
#include "team.h"

/* The most steps of a product in a block. */
#define STEPS_PER_BLOCK 256

/* Small parts, so that waits for a late member are short. */
#define PARTS_PER_MEMBER 8

static const Tiles *tiles;
static const ConvolutionTiles *convolution_tiles;

int can_convolve(void)
{
    if (tiles == NULL && instruction_set() != NULL) {
        convolution_tiles = instruction_set()->convolution_tiles;
        tiles = instruction_set()->tiles;
    }
    return tiles != NULL;
}

ptrdiff_t multiplications_of(const Convolution *of)
{
    return of->filters * of->channels * of->size * of->size * of->down * of->across * of->rows;
}

/* Cut columns into panels, in vectors; into wider ones if a tile still has all rows then. */
static Pieces panels_of_filters(ptrdiff_t rows, ptrdiff_t columns)
{
    int fits = rows <= convolution_tiles->rows[tiles->most_vectors];
    return cut_to_at_most(fits ? tiles->most_vectors : tiles->vectors, ceil_div(columns, tiles->lanes));
}

/* The steps of a block, and the offsets of its numbers in A and B. */
static Steps3d block_of(const Steps3d *all, ptrdiff_t begin, ptrdiff_t length, ptrdiff_t *of_a, ptrdiff_t *of_b)
{
    Steps3d some = *all;
    some.total = length;
    *of_a = *of_b = 0;
    for (int loop = 2; loop >= 0 && begin > 0; loop--) {
        some.first[loop] = begin % all->counts[loop];
        begin /= all->counts[loop];
        *of_a += some.first[loop] * all->a[loop];
        *of_b += some.first[loop] * all->b[loop];
    }
    return some;
}

/* Set a few vectors of columns of C to A B, plus a column unless that is NULL. */
static void multiply_panel(const Steps3d *steps, Operand a, const float *b, Operand c, const float *column,
                           ptrdiff_t rows, ptrdiff_t vectors, int columns_of_last)
{
    Pieces blocks = cut_to_at_most(STEPS_PER_BLOCK, steps->total);
    Pieces heights = cut_to_at_most(convolution_tiles->rows[vectors], rows);
    for (ptrdiff_t block = 0; block < blocks.count; block++) {
        ptrdiff_t of_a, of_b;
        Steps3d some = block_of(steps, begin_of(blocks, block), length_of(blocks, block), &of_a, &of_b);
        const float *added = block == blocks.count - 1 ? column : NULL;
        for (ptrdiff_t tile = 0; tile < heights.count; tile++) {
            ptrdiff_t top = begin_of(heights, tile);
            convolution_tiles->products[vectors][length_of(heights, tile)](
                &some, part_from(a, top, 0).data + of_a, a.row, b + of_b, part_from(c, top, 0).data, c.row,
                columns_of_last, block > 0, added == NULL ? NULL : added + top);
        }
    }
}

/* Set C to A B, plus a column unless that is NULL. */
static void multiply_steps(const Steps3d *steps, Operand a, const float *b, Operand c, const float *column,
                           ptrdiff_t rows, ptrdiff_t columns)
{
    Pieces panels = panels_of_filters(rows, columns);
    for (ptrdiff_t panel = 0; panel < panels.count; panel++) {
        ptrdiff_t left = begin_of(panels, panel) * tiles->lanes, vectors = length_of(panels, panel);
        int last = (int)min(columns - left - (vectors - 1) * tiles->lanes, tiles->lanes);
        multiply_panel(steps, a, b + left, part_from(c, 0, left), column, rows, vectors, last);
    }
}

typedef struct Work Work;

/* The work of setting columns of pixels. */
struct Work {
    const Convolution *of;
    const float *from;
    Operand W;
    const float *b;
    float *to;
    Steps3d steps; /* of an output pixel */
    ptrdiff_t padding;
    void (*set_column)(const Work *all, ptrdiff_t column);
    Pieces parts;
};

static void set_columns(int number, void *work)
{
    const Work *all = work;
    ptrdiff_t begin = begin_of(all->parts, number), end = begin + length_of(all->parts, number);
    for (ptrdiff_t column = begin; column < end; column++) {
        all->set_column(all, column);
    }
}

static void compute_in_parts(Work *all, ptrdiff_t columns, int members)
{
    all->parts = cut_into(members > 1 ? min(columns, PARTS_PER_MEMBER * members) : 1, columns);
    if (all->parts.count == 1) {
        set_columns(0, all);
        return;
    }
    compute_parts((int)all->parts.count, set_columns, all, members);
}

/* Set a column of pixels of y. With stride 1, the pixels that an element of a filter meets are one row of B. */
static void convolve_column(const Work *all, ptrdiff_t column)
{
    const Convolution *of = all->of;
    ptrdiff_t pixels = of->channels * of->height, at_once = of->stride == 1 ? of->down : 1;
    for (ptrdiff_t i = 0; i < of->down; i += at_once) {
        const float *x = all->from + (column * of->stride * pixels + i * of->stride) * of->rows;
        Operand y = {all->to + (column * of->filters * of->down + i) * of->rows, of->down * of->rows, 1};
        multiply_steps(&all->steps, all->W, x, y, all->b, of->filters, at_once * of->rows);
    }
}

/* The elements of a filter, along one axis, that meet a pixel: count of them from the first on, a stride apart. The
 * first one contributes to that output, the others to the outputs before it. */
typedef struct {
    ptrdiff_t first, count, output;
} Taps;

static Taps taps_of(const Convolution *of, ptrdiff_t pixel, ptrdiff_t outputs)
{
    ptrdiff_t lowest = pixel - of->stride * (outputs - 1), highest = min(of->size - 1, pixel);
    lowest = lowest < 0 ? 0 : lowest;
    ptrdiff_t first = lowest + (pixel - lowest) % of->stride;
    return (Taps){first, first > highest ? 0 : (highest - first) / of->stride + 1, (pixel - first) / of->stride};
}

/* The number of pixels, from this one on, that meet all elements of a filter along the axis; 1 if no pixel does, or if
 * the stride is above 1. */
static ptrdiff_t uniform_pixels(const Convolution *of, ptrdiff_t pixel, ptrdiff_t outputs, ptrdiff_t end)
{
    ptrdiff_t next = pixel;
    while (of->stride == 1 && next < end && taps_of(of, next, outputs).count == of->size) {
        next++;
    }
    return next > pixel ? next - pixel : 1;
}

/* Set a column of pixels of dx. With stride 1, the pixels that meet all elements of a filter are one row of C. */
static void convolve_column_to_inputs(const Work *all, ptrdiff_t column)
{
    const Convolution *of = all->of;
    ptrdiff_t top = all->padding, end = of->height - all->padding, height = end - top;
    ptrdiff_t row_of_y = of->down * of->rows, column_of_y = of->filters * row_of_y;
    Taps across = taps_of(of, column + all->padding, of->across);
    for (ptrdiff_t i = top, at_once; i < end; i += at_once) {
        at_once = uniform_pixels(of, i, of->down, end);
        Taps down = taps_of(of, i, of->down);
        Steps3d steps = {
            .counts = {of->filters, down.count, across.count}, /* f, p, q */
            .a = {all->W.row, of->stride * of->size, of->stride},
            .b = {row_of_y, -of->rows, -column_of_y},
            .total = of->filters * down.count * across.count,
        };
        Operand W = {all->W.data + down.first * of->size + across.first, of->size * of->size, 1};
        const float *dy = all->from + across.output * column_of_y + down.output * of->rows;
        Operand dx = {all->to + (column * of->channels * height + i - top) * of->rows, height * of->rows, 1};
        multiply_steps(&steps, W, dy, dx, NULL, of->channels, at_once * of->rows);
    }
}

void convolve(const Convolution *of, const float *x, Operand W, const float *b, float *y, int members)
{
    Work all = {.of = of, .from = x, .W = W, .b = b, .to = y, .set_column = convolve_column};
    all.steps = (Steps3d){
        .counts = {of->size, of->channels, of->size}, /* q, c, p */
        .a = {1, of->size * of->size, of->size},
        .b = {of->channels * of->height * of->rows, of->height * of->rows, of->rows},
        .total = of->channels * of->size * of->size,
    };
    compute_in_parts(&all, of->across, members);
}

void convolve_to_inputs(const Convolution *of, const float *dy, Operand W, ptrdiff_t padding, float *dx, int members)
{
    Work all = {.of = of, .from = dy, .W = W, .to = dx, .padding = padding, .set_column = convolve_column_to_inputs};
    compute_in_parts(&all, of->width - 2 * padding, members);
}
