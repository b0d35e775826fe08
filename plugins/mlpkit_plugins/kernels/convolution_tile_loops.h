/* Tiles of convolutions of one instruction set, in the vectors of vector_kernels.h; comes after tile_loops.h. */
#include "convolution_tiles.h"

#define MOVE(ROWS, TO_A, TO_B)                                                                                         \
    EACH(i, (ROWS + 2) / 3) a[i] += (TO_A);                                                                            \
    b += (TO_B);

#define ADD_STEPS_3D(ROWS, VECTORS, LAST)                                                                              \
    for (ptrdiff_t left = steps->total, y = steps->first[1], z = steps->first[2]; left > 0; z = 0) {                   \
        ptrdiff_t end = least(steps->counts[2], z + left);                                                             \
        left -= end - z;                                                                                               \
        for (; z < end; z++) {                                                                                         \
            ADD_STEP(ROWS, VECTORS, LAST)                                                                              \
            MOVE(ROWS, steps->a[2], steps->b[2])                                                                       \
        }                                                                                                              \
        MOVE(ROWS, next_a[1], next_b[1])                                                                               \
        if (++y == steps->counts[1]) {                                                                                 \
            y = 0;                                                                                                     \
            MOVE(ROWS, next_a[0], next_b[0])                                                                           \
        }                                                                                                              \
    }

#define FINISH_ROW(LOAD, STORE)                                                                                        \
    {                                                                                                                  \
        float *to = c + i * c_row + v * LANES;                                                                         \
        VECTOR numbers = ADD(add ? LOAD(to) : ZERO(), sum[i][v]);                                                      \
        STORE(to, column ? ADD(numbers, BROADCAST(column + i)) : numbers);                                             \
    }

/* Eight rows suffice, even of a single vector: more are slow to compile. */
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
    TARGET static void convolution_##ROWS##_by_##VECTORS(                                                              \
        const Steps3d *steps, const float *first, ptrdiff_t a_row, const float *b, float *c, ptrdiff_t c_row,          \
        int columns_of_last, int add, const float *column)                                                             \
    {                                                                                                                  \
        VECTOR sum[ROWS][VECTORS], row_of_b[VECTORS];                                                                  \
        const float *a[(ROWS + 2) / 3];                                                                                \
        ptrdiff_t next_a[2], next_b[2];                                                                                \
        MASK some = MASK_OF(columns_of_last);                                                                          \
        EACH(i, 2)                                                                                                     \
        {                                                                                                              \
            next_a[i] = steps->a[i] - steps->counts[i + 1] * steps->a[i + 1];                                           \
            next_b[i] = steps->b[i] - steps->counts[i + 1] * steps->b[i + 1];                                           \
        }                                                                                                              \
        EACH(i, (ROWS + 2) / 3) a[i] = first + 3 * i * a_row;                                                          \
        EACH(i, ROWS) EACH(v, VECTORS) __builtin_prefetch(c + i * c_row + v * LANES, 1);                               \
        EACH(i, ROWS) EACH(v, VECTORS) sum[i][v] = ZERO();                                                             \
        if (columns_of_last == LANES) {                                                                                \
            ADD_STEPS_3D(ROWS, VECTORS, LOAD)                                                                          \
        }                                                                                                              \
        else {                                                                                                         \
            ADD_STEPS_3D(ROWS, VECTORS, LOAD_LAST)                                                                     \
        }                                                                                                              \
        EACH(i, ROWS)                                                                                                  \
        {                                                                                                              \
            EACH(v, VECTORS - 1) FINISH_ROW(LOAD, STORE)                                                               \
            const int v = VECTORS - 1;                                                                                 \
            FINISH_ROW(LOAD_LAST, STORE_LAST)                                                                          \
        }                                                                                                              \
    }

EACH_CONVOLUTION_TILE(CONVOLUTION_TILE)

/* As many rows as leave a register for a row of B and for each row of A beside the sums. */
#if ROWS_OF_4 == 0
#define DOT_ROWS 3
#define EACH_DOT_TILE_WITH(DO, COLUMNS) DO(1, COLUMNS) DO(2, COLUMNS) DO(3, COLUMNS)
#else
#define DOT_ROWS 6
#define EACH_DOT_TILE_WITH(DO, COLUMNS) UP_TO_6(DO, COLUMNS)
#endif
#define EACH_DOT_TILE(DO)                                                                                              \
    EACH_DOT_TILE_WITH(DO, 1) EACH_DOT_TILE_WITH(DO, 2) EACH_DOT_TILE_WITH(DO, 3) EACH_DOT_TILE_WITH(DO, 4)

#define ADD_DOTS(ROWS, COLUMNS, LOAD)                                                                                  \
    {                                                                                                                  \
        VECTOR of_a[ROWS];                                                                                             \
        EACH(i, ROWS) of_a[i] = LOAD(a + i * a_row + m);                                                               \
        EACH(j, COLUMNS)                                                                                               \
        {                                                                                                              \
            VECTOR of_b = LOAD(b + j * b_row + m);                                                                     \
            EACH(i, ROWS) sum[i][j] = FMA(of_a[i], of_b, sum[i][j]);                                                   \
        }                                                                                                              \
    }

/* Vectors that are narrower than the sums take several passes. */
#define DOT_TILE(ROWS, COLUMNS)                                                                                        \
    TARGET static void dots_##ROWS##_by_##COLUMNS(const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row,    \
                                                  ptrdiff_t length, float (*sums)[MOST_DOT_COLUMNS][DOT_SUMS])         \
    {                                                                                                                  \
        for (int lane = 0; lane < DOT_SUMS; lane += LANES) {                                                           \
            VECTOR sum[ROWS][COLUMNS];                                                                                 \
            EACH(i, ROWS) EACH(j, COLUMNS) sum[i][j] = ZERO();                                                         \
            ptrdiff_t m = lane;                                                                                        \
            for (; m + LANES <= length; m += DOT_SUMS) ADD_DOTS(ROWS, COLUMNS, LOAD)                                   \
            if (m < length) {                                                                                          \
                MASK some = MASK_OF((int)(length - m));                                                                \
                ADD_DOTS(ROWS, COLUMNS, LOAD_LAST)                                                                     \
            }                                                                                                          \
            EACH(i, ROWS) EACH(j, COLUMNS)                                                                             \
            {                                                                                                          \
                float *to = sums[i][j] + lane;                                                                         \
                STORE(to, ADD(LOAD(to), sum[i][j]));                                                                   \
            }                                                                                                          \
        }                                                                                                              \
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
