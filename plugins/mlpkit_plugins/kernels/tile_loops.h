/* Tiles of one instruction set. The including file defines its vectors:
 *
 *     VECTOR, LANES        a vector of float32, and how many they are
 *     MASK, MASK_OF(n)     which of its lanes to read or write: the first n
 *     LOAD(p), LOAD_SOME(p, mask), STORE_SOME(p, mask, v)
 *     ZERO(), BROADCAST(p), ADD(x, y), FMA(x, y, z)
 *     TARGET               the attribute that lets a function use them
 */
#include "tiles.h"

#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

/* Rows are reached from every third one, so that all addresses fit in registers. */
#define ROW(i) a[(i) / 3][(i) % 3 * a_row]

/* The tile of C is fetched while it is summed. The loops over rows and vectors are unrolled: each sum has a register. */
#define TILE(ROWS, VECTORS)                                                                                            \
    TARGET static void tile_##ROWS##_by_##VECTORS(ptrdiff_t inner, const float *first, ptrdiff_t a_row,                \
                                                  ptrdiff_t a_step, const float *b, ptrdiff_t b_row, float *c,         \
                                                  ptrdiff_t c_row, int columns_of_last, int add, const float *row)     \
    {                                                                                                                  \
        VECTOR sum[ROWS][VECTORS], row_of_b[VECTORS];                                                                  \
        const float *a[(ROWS + 2) / 3];                                                                                \
        MASK all = MASK_OF(LANES), some = MASK_OF(columns_of_last);                                                    \
        EACH(i, (ROWS + 2) / 3) a[i] = first + 3 * i * a_row;                                                          \
        EACH(i, ROWS) EACH(v, VECTORS) __builtin_prefetch(c + i * c_row + v * LANES, 1);                               \
        EACH(i, ROWS) EACH(v, VECTORS) sum[i][v] = ZERO();                                                             \
        for (ptrdiff_t k = 0; k < inner; k++) {                                                                        \
            EACH(v, VECTORS - 1) row_of_b[v] = LOAD(b + v * LANES);                                                    \
            row_of_b[VECTORS - 1] = LOAD_SOME(b + (VECTORS - 1) * LANES, some);                                        \
            EACH(i, ROWS)                                                                                              \
            {                                                                                                          \
                VECTOR number = BROADCAST(&ROW(i));                                                                    \
                EACH(v, VECTORS) sum[i][v] = FMA(number, row_of_b[v], sum[i][v]);                                      \
            }                                                                                                          \
            EACH(i, (ROWS + 2) / 3) a[i] += a_step;                                                                    \
            b += b_row;                                                                                                \
        }                                                                                                              \
        EACH(i, ROWS) EACH(v, VECTORS)                                                                                 \
        {                                                                                                              \
            float *to = c + i * c_row + v * LANES;                                                                     \
            MASK mask = v < VECTORS - 1 ? all : some;                                                                  \
            VECTOR numbers = add ? ADD(LOAD_SOME(to, mask), sum[i][v]) : sum[i][v];                                    \
            STORE_SOME(to, mask, row ? ADD(numbers, LOAD_SOME(row + v * LANES, mask)) : numbers);                      \
        }                                                                                                              \
    }
