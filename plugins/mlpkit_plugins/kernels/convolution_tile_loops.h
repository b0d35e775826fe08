/* Tiles of convolutions of one instruction set, in the vectors of vector_kernels.h; included after tile_loops.h. */
#include "convolution_tiles.h"

/* Move to another step. */
TARGET INLINED void move(int rows, const float **a, ptrdiff_t to_a, const float **b, ptrdiff_t to_b)
{
    EACH(i, THIRD_ROWS(rows)) a[i] += to_a;
    *b += to_b;
}

TARGET INLINED void add_steps_3d(int rows, int vectors, VECTOR (*sum)[MAX_VECTORS], const Steps3d *steps,
                                 const float **a, ptrdiff_t a_row, const float *b, ptrdiff_t last, int is_whole,
                                 MASK some)
{
    ptrdiff_t next_a[2], next_b[2];
    EACH(i, 2)
    {
        next_a[i] = steps->a[i] - steps->counts[i + 1] * steps->a[i + 1];
        next_b[i] = steps->b[i] - steps->counts[i + 1] * steps->b[i + 1];
    }
    for (ptrdiff_t left = steps->total, y = steps->first[1], z = steps->first[2]; left > 0; z = 0) {
        ptrdiff_t end = min(steps->counts[2], z + left);
        left -= end - z;
        for (; z < end; z++) {
            add_step(rows, vectors, sum, a, a_row, b, last, is_whole, some);
            move(rows, a, steps->a[2], &b, steps->b[2]);
        }
        move(rows, a, next_a[1], &b, next_b[1]);
        if (++y == steps->counts[1]) {
            y = 0;
            move(rows, a, next_a[0], &b, next_b[0]);
        }
    }
}

TARGET INLINED void convolution_tile(int rows, int vectors, const Steps3d *steps, const float *first, ptrdiff_t a_row,
                                     const float *b, float *c, ptrdiff_t c_row, int columns_of_last, int add,
                                     const float *column)
{
    VECTOR sum[MAX_TILE_ROWS][MAX_VECTORS];
    const float *a[MAX_THIRD_ROWS];
    MASK some = MASK_OF(columns_of_last);
    /* The last vector overlaps the one before it, if there is one: the same sums twice take less time than a mask. */
    ptrdiff_t last = vectors > 1 ? LAST(vectors - 1) + columns_of_last : 0;
    int is_whole = vectors > 1 || columns_of_last == LANES;
    EACH(i, THIRD_ROWS(rows)) a[i] = first + 3 * i * a_row;
    start_tile(rows, vectors, sum, c, c_row);
    if (is_whole) {
        add_steps_3d(rows, vectors, sum, steps, a, a_row, b, last, 1, some);
    }
    else {
        add_steps_3d(rows, vectors, sum, steps, a, a_row, b, last, 0, some);
    }
    finish_sums(rows, vectors, sum, c, c_row, last, is_whole, add, some);
    if (column) {
        EACH(i, rows) EACH(v, vectors) sum[i][v] = ADD(sum[i][v], BROADCAST(column + i));
    }
    store_tile(rows, vectors, sum, c, c_row, last, is_whole, some);
}

/* Eight rows are enough, even with a single vector; more are slow to compile. */
#if ROWS_OF_1 > 8
#define HIGHEST_OF_1 8
#define HIGHEST_OF_2 8
#define HIGHEST_OF_3 8
#else
#define HIGHEST_OF_1 ROWS_OF_1
#define HIGHEST_OF_2 ROWS_OF_2
#define HIGHEST_OF_3 ROWS_OF_3
#endif
#define EACH_CONVOLUTION_TILE(DO)                                                                                      \
    UP_TO(HIGHEST_OF_1, DO, 1) UP_TO(HIGHEST_OF_2, DO, 2) UP_TO(HIGHEST_OF_3, DO, 3) UP_TO(ROWS_OF_4, DO, 4)

#define CONVOLUTION_TILE(ROWS, VECTORS)                                                                                \
    TARGET FOR_ANY_STRIDES static void convolution_##ROWS##_by_##VECTORS(                                              \
        const Steps3d *steps, const float *a, ptrdiff_t a_row, const float *b, float *c, ptrdiff_t c_row,              \
        int columns_of_last, int add, const float *column)                                                             \
    {                                                                                                                  \
        convolution_tile(ROWS, VECTORS, steps, a, a_row, b, c, c_row, columns_of_last, add, column);                   \
    }

EACH_CONVOLUTION_TILE(CONVOLUTION_TILE)

/* The most rows that leave a register for a row of B and for each row of A. */
#if ROWS_OF_4 == 0
#define DOT_ROWS 3
#define EACH_DOT_TILE_WITH(DO, COLUMNS) DO(1, COLUMNS) DO(2, COLUMNS) DO(3, COLUMNS)
#else
#define DOT_ROWS 6
#define EACH_DOT_TILE_WITH(DO, COLUMNS) UP_TO_6(DO, COLUMNS)
#endif
#define EACH_DOT_TILE(DO)                                                                                              \
    EACH_DOT_TILE_WITH(DO, 1) EACH_DOT_TILE_WITH(DO, 2) EACH_DOT_TILE_WITH(DO, 3) EACH_DOT_TILE_WITH(DO, 4)

/* Add the products of a vector of each row of A with one of each row of B. */
TARGET INLINED void add_dots(int rows, int columns, VECTOR (*sum)[MAX_DOT_COLUMNS], const float *a, ptrdiff_t a_row,
                             const float *b, ptrdiff_t b_row, int is_whole, MASK some)
{
    VECTOR of_a[MAX_DOT_ROWS];
    EACH(i, rows) of_a[i] = load(a + i * a_row, is_whole, some);
    EACH(j, columns)
    {
        VECTOR of_b = load(b + j * b_row, is_whole, some);
        EACH(i, rows) sum[i][j] = FMA(of_a[i], of_b, sum[i][j]);
    }
}

/* Vectors that are narrower than the sums take several passes. */
TARGET INLINED void dots(int rows, int columns, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row,
                         ptrdiff_t length, float (*sums)[MAX_DOT_COLUMNS][DOT_SUMS])
{
    for (int lane = 0; lane < DOT_SUMS; lane += LANES) {
        VECTOR sum[MAX_DOT_ROWS][MAX_DOT_COLUMNS];
        EACH(i, rows) EACH(j, columns) sum[i][j] = ZERO();
        ptrdiff_t m = lane;
        for (; m + LANES <= length; m += DOT_SUMS) {
            add_dots(rows, columns, sum, a + m, a_row, b + m, b_row, 1, MASK_OF(LANES));
        }
        if (m < length) {
            add_dots(rows, columns, sum, a + m, a_row, b + m, b_row, 0, MASK_OF((int)(length - m)));
        }
        EACH(i, rows) EACH(j, columns)
        {
            float *to = sums[i][j] + lane;
            STORE(to, ADD(LOAD(to), sum[i][j]));
        }
    }
}

#define DOT_TILE(ROWS, COLUMNS)                                                                                        \
    TARGET static void dots_##ROWS##_by_##COLUMNS(const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row,    \
                                                  ptrdiff_t length, float (*sums)[MAX_DOT_COLUMNS][DOT_SUMS])          \
    {                                                                                                                  \
        dots(ROWS, COLUMNS, a, a_row, b, b_row, length, sums);                                                         \
    }

EACH_DOT_TILE(DOT_TILE)

#define CONVOLUTION_ENTRY(ROWS, VECTORS) [VECTORS][ROWS] = convolution_##ROWS##_by_##VECTORS,
#define DOT_ENTRY(ROWS, COLUMNS) [COLUMNS][ROWS] = dots_##ROWS##_by_##COLUMNS,

static const ConvolutionTiles convolution_tiles = {
    .rows = {0, HIGHEST_OF_1, HIGHEST_OF_2, HIGHEST_OF_3, ROWS_OF_4},
    .products = {EACH_CONVOLUTION_TILE(CONVOLUTION_ENTRY)},
    .dot_rows = DOT_ROWS,
    .dots = {EACH_DOT_TILE(DOT_ENTRY)},
};
