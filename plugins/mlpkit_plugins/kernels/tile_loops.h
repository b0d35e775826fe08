/* Tiles of one instruction set. The including file defines its vectors:
 *
 *     VECTOR, LANES        a vector of float32, and how many they are
 *     MASK, MASK_OF(n)     which of its lanes to read or write: the first n
 *     LOAD(p), LOAD_SOME(p, mask), STORE_SOME(p, mask, v)
 *     ZERO(), BROADCAST(p), ADD(x, y), FMA(x, y, z)
 *     NOT_ZERO(v)          a bit for each lane, from the lowest up
 *     TARGET               the attribute that lets a function use them
 */
#include "tiles.h"

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

#define ADD_STEPS(ROWS, VECTORS, LAST)                                                                                 \
    for (ptrdiff_t k = 0; k < steps.count; k++) {                                                                      \
        ADD_STEP(ROWS, VECTORS, LAST)                                                                                  \
        EACH(i, (ROWS + 2) / 3) a[i] += a_step;                                                                        \
        b += b_row;                                                                                                    \
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
        MASK all = MASK_OF(LANES), some = MASK_OF(columns_of_last);                                                    \
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
        EACH(i, ROWS) EACH(v, VECTORS)                                                                                 \
        {                                                                                                              \
            float *to = c + i * c_row + v * LANES;                                                                     \
            MASK mask = v < VECTORS - 1 ? all : some;                                                                  \
            VECTOR numbers = ADD(add ? LOAD_SOME(to, mask) : ZERO(), sum[i][v]);                                       \
            STORE_SOME(to, mask, row ? ADD(numbers, LOAD_SOME(row + v * LANES, mask)) : numbers);                      \
        }                                                                                                              \
    }

TARGET static Steps steps_of(const float *a, ptrdiff_t a_row, ptrdiff_t a_step, ptrdiff_t rows, ptrdiff_t inner,
                             unsigned char *numbers)
{
    ptrdiff_t count = 0;
    if (a_row == 1) {
        MASK some = MASK_OF((int)rows);
        for (ptrdiff_t k = 0; k < inner; k++) {
            if (numbers != NULL) {
                numbers[count] = (unsigned char)k;
            }
            count += NOT_ZERO(LOAD_SOME(a + k * a_step, some)) != 0;
        }
        return (Steps){numbers, count};
    }
    for (ptrdiff_t begin = 0; begin < inner; begin += LANES) {
        MASK some = MASK_OF((int)(inner - begin < LANES ? inner - begin : LANES));
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
