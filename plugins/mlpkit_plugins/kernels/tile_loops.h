/* Tiles of one instruction set, in the vectors of vector_kernels.h. */
#include "pieces.h"

#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

/* Rows are reached from every third one, so that all addresses fit in registers. */
#define ROW(i) a[(i) / 3][(i) % 3 * a_row]

/* Add the products of a step to the sums. The loops over rows and vectors are unrolled: each sum has a register. */
#define ADD_STEP(ROWS, VECTORS, LAST)                                                                                  \
    EACH(v, VECTORS - 1) row_of_b[v] = LOAD(b + v * LANES);                                                            \
    row_of_b[VECTORS - 1] = LAST(b + (VECTORS - 1) * LANES);                                                           \
    EACH(i, ROWS)                                                                                                      \
    {                                                                                                                  \
        VECTOR number = BROADCAST(&ROW(i));                                                                            \
        EACH(v, VECTORS) sum[i][v] = FMA(number, row_of_b[v], sum[i][v]);                                              \
    }

#define LOAD_LAST(p) LOAD_SOME(p, some)
#define STORE_LAST(p, v) STORE_SOME(p, some, v)

#define ADD_STEPS(ROWS, VECTORS, LAST)                                                                                 \
    for (ptrdiff_t k = 0; k < steps.count; k++) {                                                                      \
        ADD_STEP(ROWS, VECTORS, LAST)                                                                                  \
        EACH(i, (ROWS + 2) / 3) a[i] += a_step;                                                                        \
        b += b_row;                                                                                                    \
    }

/* Store a vector of C. */
#define FINISH(LOAD, STORE)                                                                                            \
    {                                                                                                                  \
        float *to = c + i * c_row + v * LANES;                                                                         \
        VECTOR numbers = ADD(add ? LOAD(to) : ZERO(), sum[i][v]);                                                      \
        STORE(to, row ? ADD(numbers, LOAD(row + v * LANES)) : numbers);                                                \
    }

/* The tile of C is fetched while it is summed. A masked load takes one of the ports that multiply, so a whole vector is
 * loaded without a mask. */
#define TILE(ROWS, VECTORS)                                                                                            \
    TARGET static void tile_##ROWS##_by_##VECTORS(Steps steps, const float *first, ptrdiff_t a_row, ptrdiff_t a_step,  \
                                                  const float *first_of_b, ptrdiff_t b_row, float *c,                  \
                                                  ptrdiff_t c_row, int columns_of_last, int add, const float *row)     \
    {                                                                                                                  \
        VECTOR sum[ROWS][VECTORS], row_of_b[VECTORS];                                                                  \
        const float *a[(ROWS + 2) / 3], *b = first_of_b;                                                               \
        MASK some = MASK_OF(columns_of_last);                                                                          \
        EACH(i, (ROWS + 2) / 3) a[i] = first + 3 * i * a_row;                                                          \
        EACH(i, ROWS) EACH(v, VECTORS) __builtin_prefetch(c + i * c_row + v * LANES, 1);                               \
        EACH(i, ROWS) EACH(v, VECTORS) sum[i][v] = ZERO();                                                             \
        if (steps.numbers == NULL && columns_of_last == LANES) {                                                       \
            ADD_STEPS(ROWS, VECTORS, LOAD)                                                                             \
        }                                                                                                              \
        else if (steps.numbers == NULL) {                                                                              \
            ADD_STEPS(ROWS, VECTORS, LOAD_LAST)                                                                        \
        }                                                                                                              \
        else {                                                                                                         \
            for (ptrdiff_t step = 0; step < steps.count; step++) {                                                     \
                ptrdiff_t k = steps.numbers[step];                                                                     \
                EACH(i, (ROWS + 2) / 3) a[i] = first + 3 * i * a_row + k * a_step;                                     \
                b = first_of_b + k * b_row;                                                                            \
                ADD_STEP(ROWS, VECTORS, LOAD_LAST)                                                                     \
            }                                                                                                          \
        }                                                                                                              \
        EACH(i, ROWS)                                                                                                  \
        {                                                                                                              \
            EACH(v, VECTORS - 1) FINISH(LOAD, STORE)                                                                   \
            const int v = VECTORS - 1;                                                                                 \
            FINISH(LOAD_LAST, STORE_LAST)                                                                              \
        }                                                                                                              \
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

EACH_TILE(TILE)

/* Add the products of some numbers of A with a vector of as many rows of B. */
#define ADD_PRODUCTS(NUMBERS, J, LOAD_B)                                                                               \
    {                                                                                                                  \
        VECTOR sum = LOAD(sums + (J));                                                                                 \
        EACH(i, NUMBERS) sum = FMA(number[i], LOAD_B(b + i * b_row + (J)), sum);                                       \
        STORE(sums + (J), sum);                                                                                        \
    }

#define ADD_ROWS_OF_B(NUMBERS)                                                                                         \
    for (; inner >= (NUMBERS); inner -= (NUMBERS), a += (NUMBERS) * a_step, b += (NUMBERS) * b_row) {                  \
        VECTOR number[NUMBERS];                                                                                        \
        EACH(i, NUMBERS) number[i] = BROADCAST(a + i * a_step);                                                        \
        for (ptrdiff_t j = 0; j < whole; j += LANES) ADD_PRODUCTS(NUMBERS, j, LOAD)                                    \
        if (whole < columns) ADD_PRODUCTS(NUMBERS, whole, LOAD_LAST)                                                   \
    }

TARGET static void add_row(const float *a, ptrdiff_t a_step, ptrdiff_t inner, const float *b, ptrdiff_t b_row,
                           ptrdiff_t columns, float *sums)
{
    ptrdiff_t whole = columns / LANES * LANES;
    MASK some = MASK_OF((int)(columns - whole));
    ADD_ROWS_OF_B(4)
    ADD_ROWS_OF_B(1)
}

/* Vectors that a column of a tile's rows fills. */
#define VECTORS_OF_ROWS ((ROWS_OF_1 + LANES - 1) / LANES)

/* How many lanes of a vector so many numbers fill. */
static inline int lanes_of(ptrdiff_t count) { return (int)(count < 0 ? 0 : least(count, LANES)); }

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
        for (; found; found &= found - 1) {
            numbers[count++] = (unsigned char)(begin + __builtin_ctz(found));
        }
    }
    return (Steps){numbers, count};
}

/* Four columns at a time: a vector of row i and every fourth one after it has their numbers, four of each row. */
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

#define ENTRY(ROWS, VECTORS) [VECTORS][ROWS] = tile_##ROWS##_by_##VECTORS,

static const Tiles tiles = {
    .lanes = LANES,
    .vectors = ROWS_OF_4 == 0 ? 2 : 3,
    .most_vectors = ROWS_OF_4 == 0 ? 3 : 4,
    .rows = {0, ROWS_OF_1, ROWS_OF_2, ROWS_OF_3, ROWS_OF_4},
    .sums = SUMS,
    .tiles = {EACH_TILE(ENTRY)},
    .add_row = add_row,
    .steps_of = steps_of,
    .transpose = transpose,
};
