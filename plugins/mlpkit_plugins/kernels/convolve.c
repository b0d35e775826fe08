/* A convolution is a matrix product whose second factor, the patches of the images, need not be written: its rows are
 * found in the images (indirect convolution; Dukhan, The Indirect Convolution Algorithm, 2019). */
#include "convolve.h"

#include "instruction_set.h"
#include "pieces.h"
#include "team.h"

/* The steps of a product are cut into blocks of at most so many. */
#define STEPS_PER_BLOCK 256

/* Parts per member, so that a late member leaves little to wait for. */
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

/* How columns are cut into panels, in vectors: wider ones if a tile then still has all rows. */
static Pieces panels_of_filters(ptrdiff_t rows, ptrdiff_t columns)
{
    int fits = rows <= convolution_tiles->rows[tiles->most_vectors];
    return cut_to_at_most(fits ? tiles->most_vectors : tiles->vectors, divided_up(columns, tiles->lanes));
}

/* Those of all steps that a block has, and where its numbers of A and B begin. */
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

/* Set some columns of C, a few vectors wide, to A B plus a column, if there is one. */
static void multiply_panel(const Steps3d *steps, Operand a, const float *b, Operand c, const float *column,
                           ptrdiff_t rows, ptrdiff_t vectors, int columns_of_last)
{
    Pieces blocks = steps->total > 0 ? cut_to_at_most(STEPS_PER_BLOCK, steps->total) : cut_into(1, 0);
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

/* Set C to A B plus a column, if there is one. */
static void multiply_steps(const Steps3d *steps, Operand a, const float *b, Operand c, const float *column,
                           ptrdiff_t rows, ptrdiff_t columns)
{
    Pieces panels = panels_of_filters(rows, columns);
    for (ptrdiff_t panel = 0; panel < panels.count; panel++) {
        ptrdiff_t left = begin_of(panels, panel) * tiles->lanes, vectors = length_of(panels, panel);
        int last = (int)least(columns - left - (vectors - 1) * tiles->lanes, tiles->lanes);
        multiply_panel(steps, a, b + left, part_from(c, 0, left), column, rows, vectors, last);
    }
}

typedef struct Work Work;

/* A piece of work that sets columns of pixels. */
struct Work {
    const Convolution *of;
    const float *from;
    Operand W;
    const float *b;
    float *to;
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

static void share_out(Work *all, ptrdiff_t columns, int members)
{
    all->parts = cut_into(members > 1 ? least(columns, PARTS_PER_MEMBER * members) : 1, columns);
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
    Steps3d steps = {
        .counts = {of->size, of->channels, of->size}, /* q, c, p */
        .a = {1, of->size * of->size, of->size},
        .b = {pixels * of->rows, of->height * of->rows, of->rows},
        .total = of->channels * of->size * of->size,
    };
    for (ptrdiff_t i = 0; i < of->down; i += at_once) {
        const float *x = all->from + (column * of->stride * pixels + i * of->stride) * of->rows;
        Operand y = {all->to + (column * of->filters * of->down + i) * of->rows, of->down * of->rows, 1};
        multiply_steps(&steps, all->W, x, y, all->b, of->filters, at_once * of->rows);
    }
}

/* The elements of a filter, along one axis, that meet a pixel: so many from the first on, a stride apart, as the first
 * one does for that pixel of y, the others for those before it. */
typedef struct {
    ptrdiff_t first, count, output;
} Taps;

static Taps taps_of(const Convolution *of, ptrdiff_t pixel, ptrdiff_t outputs)
{
    ptrdiff_t lowest = pixel - of->stride * (outputs - 1), highest = least(of->size - 1, pixel);
    lowest = lowest < 0 ? 0 : lowest;
    ptrdiff_t first = lowest + (pixel - lowest) % of->stride;
    return (Taps){first, first > highest ? 0 : (highest - first) / of->stride + 1, (pixel - first) / of->stride};
}

/* How many pixels from that one on meet all elements of filters along their axis, or else 1; 1 if the stride isn't. */
static ptrdiff_t pixels_alike(const Convolution *of, ptrdiff_t pixel, ptrdiff_t outputs, ptrdiff_t end)
{
    ptrdiff_t next = pixel;
    while (of->stride == 1 && next < end && taps_of(of, next, outputs).count == of->size) {
        next++;
    }
    return next > pixel ? next - pixel : 1;
}

/* Set a column of pixels of dx. Pixels that meet all elements of filters lie in one row of C, if the stride is 1. */
static void convolve_column_to_inputs(const Work *all, ptrdiff_t column)
{
    const Convolution *of = all->of;
    ptrdiff_t top = all->padding, end = of->height - all->padding, height = end - top;
    ptrdiff_t row_of_y = of->down * of->rows, column_of_y = of->filters * row_of_y;
    Taps across = taps_of(of, column + all->padding, of->across);
    for (ptrdiff_t i = top, at_once; i < end; i += at_once) {
        at_once = pixels_alike(of, i, of->down, end);
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
    share_out(&all, of->across, members);
}

void convolve_to_inputs(const Convolution *of, const float *dy, Operand W, ptrdiff_t padding, float *dx, int members)
{
    Work all = {.of = of, .from = dy, .W = W, .to = dx, .padding = padding, .set_column = convolve_column_to_inputs};
    share_out(&all, of->width - 2 * padding, members);
}
