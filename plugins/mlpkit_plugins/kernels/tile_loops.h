/* Tiles of one instruction set, in the vectors of vector_kernels.h. */
#include "pieces.h"
#include "tiles.h"
#include "vectorized.h"

#define NUMBERS_PER_LINE (CACHE_LINE / (int)sizeof(float))
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

/* Rows of A are reached from every third one, so that all addresses fit in registers. */
#define MAX_THIRD_ROWS ((MAX_TILE_ROWS + 2) / 3)
#define THIRD_ROWS(rows) (((rows) + 2) / 3)

/* The column at which the last vector begins if it doesn't overlap. */
#define LAST(vectors) (((vectors) - 1) * LANES)

/* The functions below are inlined where rows and vectors are constants: loops over these are unrolled, and each sum has
 * a register. */

/* Load a vector, or its first lanes. A masked load takes one of the ports that multiply, so a whole vector is loaded
 * without a mask. */
TARGET INLINED VECTOR load(const float *from, int is_whole, MASK some)
{
    return is_whole ? LOAD(from) : LOAD_SOME(from, some);
}

TARGET INLINED void store(float *to, VECTOR numbers, int is_whole, MASK some)
{
    if (is_whole) {
        STORE(to, numbers);
    }
    else {
        STORE_SOME(to, some, numbers);
    }
}

/* The column at which a vector of a tile begins: the last one may overlap the one before it. */
static inline ptrdiff_t column_of(int v, int vectors, ptrdiff_t last) { return v < vectors - 1 ? v * LANES : last; }

/* Add the products of a step to the sums: of a column of A and a row of B, whose last vector may not be whole. */
TARGET INLINED void add_step(int rows, int vectors, VECTOR (*sum)[MAX_VECTORS], const float **a, ptrdiff_t a_row,
                             const float *b, ptrdiff_t last, int is_whole, MASK some)
{
    VECTOR row_of_b[MAX_VECTORS];
    EACH(v, vectors) row_of_b[v] = load(b + column_of(v, vectors, last), is_whole || v < vectors - 1, some);
    EACH(i, rows)
    {
        VECTOR number = BROADCAST(&a[i / 3][i % 3 * a_row]);
        EACH(v, vectors) sum[i][v] = FMA(number, row_of_b[v], sum[i][v]);
    }
}

TARGET INLINED void add_all_steps(int rows, int vectors, VECTOR (*sum)[MAX_VECTORS], ptrdiff_t count, const float **a,
                                  ptrdiff_t a_row, ptrdiff_t a_step, const float *b, ptrdiff_t b_row, int is_whole,
                                  MASK some)
{
    for (ptrdiff_t k = 0; k < count; k++) {
        add_step(rows, vectors, sum, a, a_row, b, LAST(vectors), is_whole, some);
        EACH(i, THIRD_ROWS(rows)) a[i] += a_step;
        b += b_row;
    }
}

/* Prefetch a tile of C, which is needed once it is summed. */
TARGET INLINED void start_tile(int rows, int vectors, VECTOR (*sum)[MAX_VECTORS], const float *c, ptrdiff_t c_row)
{
    EACH(i, rows) EACH(line, (vectors * LANES + NUMBERS_PER_LINE - 1) / NUMBERS_PER_LINE)
    {
        __builtin_prefetch(c + i * c_row + line * NUMBERS_PER_LINE, 1);
    }
    EACH(i, rows) EACH(v, vectors) sum[i][v] = ZERO();
}

/* Add the sums to C, or to zero: a sum of -0 becomes 0 in both. */
TARGET INLINED void finish_sums(int rows, int vectors, VECTOR (*sum)[MAX_VECTORS], const float *c, ptrdiff_t c_row,
                                ptrdiff_t last, int is_whole, int add, MASK some)
{
    if (add) {
        EACH(i, rows) EACH(v, vectors)
        {
            const float *from = c + i * c_row + column_of(v, vectors, last);
            sum[i][v] = ADD(load(from, is_whole || v < vectors - 1, some), sum[i][v]);
        }
    }
    else {
        EACH(i, rows) EACH(v, vectors) sum[i][v] = ADD(ZERO(), sum[i][v]);
    }
}

TARGET INLINED void store_tile(int rows, int vectors, VECTOR (*sum)[MAX_VECTORS], float *c, ptrdiff_t c_row,
                               ptrdiff_t last, int is_whole, MASK some)
{
    EACH(i, rows) EACH(v, vectors)
    {
        store(c + i * c_row + column_of(v, vectors, last), sum[i][v], is_whole || v < vectors - 1, some);
    }
}

TARGET INLINED void compute_tile(int rows, int vectors, Steps steps, const float *first_of_a, ptrdiff_t a_row,
                                 ptrdiff_t a_step, const float *b, ptrdiff_t b_row, int is_whole, float *c,
                                 ptrdiff_t c_row, int add, const float *row, MASK some)
{
    VECTOR sum[MAX_TILE_ROWS][MAX_VECTORS];
    const float *a[MAX_THIRD_ROWS];
    start_tile(rows, vectors, sum, c, c_row);
    EACH(i, THIRD_ROWS(rows)) a[i] = first_of_a + 3 * i * a_row;
    if (steps.numbers == NULL && is_whole) {
        add_all_steps(rows, vectors, sum, steps.count, a, a_row, a_step, b, b_row, 1, some);
    }
    else if (steps.numbers == NULL) {
        add_all_steps(rows, vectors, sum, steps.count, a, a_row, a_step, b, b_row, 0, some);
    }
    else {
        for (ptrdiff_t step = 0; step < steps.count; step++) {
            ptrdiff_t k = steps.numbers[step];
            EACH(i, THIRD_ROWS(rows)) a[i] = first_of_a + 3 * i * a_row + k * a_step;
            add_step(rows, vectors, sum, a, a_row, b + k * b_row, LAST(vectors), B_IS_PADDED || !MASKS_ARE_FAST, some);
        }
    }
    finish_sums(rows, vectors, sum, c, c_row, LAST(vectors), 0, add, some);
    if (row) {
        EACH(v, vectors)
        {
            VECTOR part = load(row + v * LANES, v < vectors - 1, some);
            EACH(i, rows) sum[i][v] = ADD(sum[i][v], part);
        }
    }
    store_tile(rows, vectors, sum, c, c_row, LAST(vectors), 0, some);
}

TARGET INLINED void compute_stack(int rows, int vectors, const Stack *all)
{
    MASK some = MASK_OF(all->columns_of_last);
    int is_whole = B_IS_PADDED || all->b_is_padded || all->columns_of_last == LANES;
    ptrdiff_t a_row = all->a_is_packed ? 1 : all->a_row, a_step = all->a_is_packed ? rows : all->a_step;
    ptrdiff_t a_tile = rows * (all->a_is_packed ? all->inner : all->a_row);
    ptrdiff_t count = all->count, b_row = all->b_row, c_row = all->c_row;
    const float *a = all->a, *b = all->b, *row = all->row;
    float *c = all->c;
    for (ptrdiff_t tile = 0; tile < count; tile++, a += a_tile, c += rows * c_row) {
        Steps steps = all->steps == NULL ? (Steps){NULL, all->inner} : all->steps[tile];
        if (all->next != NULL) {
            prefetch_share(all->next, all->share + tile);
        }
        EACH(i, rows) __builtin_prefetch(a + a_tile + i * a_row);
        compute_tile(rows, vectors, steps, a, a_row, a_step, b, b_row, is_whole, c, c_row, all->add, row, some);
    }
}

#define STACK(ROWS, VECTORS)                                                                                           \
    TARGET FOR_ANY_STRIDES static void compute_##ROWS##_by_##VECTORS(const Stack *stack)                               \
    {                                                                                                                  \
        compute_stack(ROWS, VECTORS, stack);                                                                           \
    }

#define UP_TO_0(DO, VECTORS)
#define UP_TO_4(DO, VECTORS) DO(1, VECTORS) DO(2, VECTORS) DO(3, VECTORS) DO(4, VECTORS)
#define UP_TO_5(DO, VECTORS) UP_TO_4(DO, VECTORS) DO(5, VECTORS)
#define UP_TO_6(DO, VECTORS) UP_TO_5(DO, VECTORS) DO(6, VECTORS)
#define UP_TO_8(DO, VECTORS) UP_TO_6(DO, VECTORS) DO(7, VECTORS) DO(8, VECTORS)
#define UP_TO_9(DO, VECTORS) UP_TO_8(DO, VECTORS) DO(9, VECTORS)
#define UP_TO_12(DO, VECTORS) UP_TO_9(DO, VECTORS) DO(10, VECTORS) DO(11, VECTORS) DO(12, VECTORS)
#define UP_TO_14(DO, VECTORS) UP_TO_12(DO, VECTORS) DO(13, VECTORS) DO(14, VECTORS)
#define UP_TO(ROWS, DO, VECTORS) UP_TO_(ROWS, DO, VECTORS)
#define UP_TO_(ROWS, DO, VECTORS) UP_TO_##ROWS(DO, VECTORS)

#define EACH_TILE(DO) UP_TO(ROWS_OF_1, DO, 1) UP_TO(ROWS_OF_2, DO, 2) UP_TO(ROWS_OF_3, DO, 3) UP_TO(ROWS_OF_4, DO, 4)

EACH_TILE(STACK)

#define ROWS_AT_ONCE 4

/* Add the products of some numbers of A with a vector of as many rows of B. */
TARGET INLINED void add_products(int count, const VECTOR *number, const float *b, ptrdiff_t b_row, float *sums,
                                 int is_whole, MASK some)
{
    VECTOR sum = LOAD(sums);
    EACH(i, count) sum = FMA(number[i], load(b + i * b_row, is_whole, some), sum);
    STORE(sums, sum);
}

/* The same for all columns. */
TARGET INLINED void add_rows(int count, const float *a, ptrdiff_t a_step, const float *b, ptrdiff_t b_row,
                             ptrdiff_t columns, float *sums)
{
    VECTOR number[ROWS_AT_ONCE];
    ptrdiff_t whole = columns / LANES * LANES;
    MASK some = MASK_OF((int)(columns - whole));
    EACH(i, count) number[i] = BROADCAST(a + i * a_step);
    for (ptrdiff_t j = 0; j < whole; j += LANES) {
        add_products(count, number, b + j, b_row, sums + j, 1, some);
    }
    if (whole < columns) {
        add_products(count, number, b + whole, b_row, sums + whole, 0, some);
    }
}

TARGET static void add_row(const float *a, ptrdiff_t a_step, ptrdiff_t inner, const float *b, ptrdiff_t b_row,
                           ptrdiff_t columns, float *sums)
{
    for (; inner >= ROWS_AT_ONCE; inner -= ROWS_AT_ONCE, a += ROWS_AT_ONCE * a_step, b += ROWS_AT_ONCE * b_row) {
        add_rows(ROWS_AT_ONCE, a, a_step, b, b_row, columns, sums);
    }
    for (; inner > 0; inner--, a += a_step, b += b_row) {
        add_rows(1, a, a_step, b, b_row, columns, sums);
    }
}

/* The number of vectors that a column of a tile fills. */
#define VECTORS_OF_ROWS ((ROWS_OF_1 + LANES - 1) / LANES)

/* The number of lanes that the numbers fill in a vector. */
static inline int lanes_of(ptrdiff_t count) { return (int)(count < 0 ? 0 : min(count, LANES)); }

TARGET static Steps steps_of(const float *a, ptrdiff_t a_row, ptrdiff_t a_step, ptrdiff_t rows, ptrdiff_t inner,
                             unsigned char *numbers)
{
    ptrdiff_t count = 0;
    if (a_row == 1) {
        MASK some[VECTORS_OF_ROWS];
        EACH(v, VECTORS_OF_ROWS) some[v] = MASK_OF(lanes_of(rows - v * LANES));
        for (ptrdiff_t k = 0; k < inner; k++) {
            if (numbers != NULL) {
                numbers[count] = (unsigned char)k;
            }
            unsigned found = 0;
            EACH(v, VECTORS_OF_ROWS) found |= (unsigned)NOT_ZERO(LOAD_SOME(a + k * a_step + v * LANES, some[v]));
            count += found != 0;
        }
        return (Steps){numbers, count};
    }
    for (ptrdiff_t begin = 0; begin < inner; begin += LANES) {
        MASK some = MASK_OF(lanes_of(inner - begin));
        unsigned found = 0;
        for (ptrdiff_t i = 0; i < rows; i++) {
            found |= (unsigned)NOT_ZERO(LOAD_SOME(a + i * a_row + begin, some));
        }
        if (numbers == NULL) {
            count += __builtin_popcount(found);
            continue;
        }
        for (int byte = 0; byte < LANES; byte += 8) {
            count += list_bits(found >> byte & 0xff, begin + byte, numbers + count);
        }
    }
    return (Steps){numbers, count};
}

/* Four columns at a time: vector i has four numbers of row i and of every fourth row after it. */
TARGET static void transpose(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row)
{
    for (int k = 0; k < LANES; k += 4, from += 4, to += 4 * to_row) {
        VECTOR x[4], y[4];
        EACH(i, 4) x[i] = LOAD_FOURS(from + i * from_row, 4 * from_row);
        EACH(i, 2)
        {
            y[i] = ZIP_LOW(x[i], x[i + 2]);
            y[i + 2] = ZIP_HIGH(x[i], x[i + 2]);
        }
        EACH(i, 2)
        {
            STORE(to + 2 * i * to_row, ZIP_LOW(y[2 * i], y[2 * i + 1]));
            STORE(to + (2 * i + 1) * to_row, ZIP_HIGH(y[2 * i], y[2 * i + 1]));
        }
    }
}

#define ENTRY(ROWS, VECTORS) [VECTORS][ROWS] = compute_##ROWS##_by_##VECTORS,

static const Tiles tiles = {
    .lanes = LANES,
    .vectors = ROWS_OF_4 == 0 ? 2 : 3,
    .most_vectors = ROWS_OF_4 == 0 ? 3 : 4,
    .rows = {0, ROWS_OF_1, ROWS_OF_2, ROWS_OF_3, ROWS_OF_4},
    .masks_are_fast = MASKS_ARE_FAST,
    .sums = MIN_SUMS,
    .compute_stack = {EACH_TILE(ENTRY)},
    .add_row = add_row,
    .steps_of = steps_of,
    .transpose = transpose,
};
