#include "multiply_amx.h"

#include "amx.h"

#ifdef COMPILES_AMX
#include "bfloat16.h"
#include "pieces.h"
#include "vectorized.h"

#include <string.h>

/* The most steps of the inner dimension in a block. */
#define STEPS_PER_BLOCK 16

/* Rows of A that are split together, and stay in the L2 cache while all strips of B are used. */
#define ROWS_PER_GROUP 256

/* The product of a strip of A and one of B is a square of C. */
#define NUMBERS_PER_SQUARE (STRIP * STRIP)

static _Thread_local struct {
    _Alignas(64) bfloat16 of_a[ROWS_PER_GROUP / STRIP][STEPS_PER_BLOCK * STEP_NUMBERS(TERMS)];
    _Alignas(64) bfloat16 of_b[STEPS_PER_BLOCK * STEP_NUMBERS(TERMS)];
    _Alignas(64) float square[NUMBERS_PER_SQUARE];
} room;

/* Set the rows and columns of C to those of a square, or add them. */
VECTORIZED static void add_square(const float *square, Operand c, ptrdiff_t rows, ptrdiff_t columns, int add)
{
    for (ptrdiff_t i = 0; i < rows; i++, square += STRIP, c.data += c.row) {
        if (!add) {
            memcpy(c.data, square, (size_t)columns * sizeof(float));
            continue;
        }
        for (ptrdiff_t j = 0; j < columns; j++) {
            c.data[j] += square[j];
        }
    }
}

/* Tiles 0 to 3 hold the sums, two by two, 4 and 5 a term of A, 6 and 7 a term of B. */
static inline void load_a(const bfloat16 *a, int term)
{
    LOAD_TILE(4, a + (2 * term - 2) * TILE_NUMBERS, TILE_BYTES_APART);
    LOAD_TILE(5, a + (2 * term - 1) * TILE_NUMBERS, TILE_BYTES_APART);
}

static inline void load_b(const bfloat16 *b, int term)
{
    LOAD_TILE(6, b + (2 * term - 2) * TILE_NUMBERS, TILE_BYTES_APART);
    LOAD_TILE(7, b + (2 * term - 1) * TILE_NUMBERS, TILE_BYTES_APART);
}

static inline void add_products(void)
{
    ADD_PRODUCT_OF_TILES(0, 4, 6);
    ADD_PRODUCT_OF_TILES(1, 4, 7);
    ADD_PRODUCT_OF_TILES(2, 5, 6);
    ADD_PRODUCT_OF_TILES(3, 5, 7);
}

/* Set a square of C to the product of a strip of A and one of B, with a row added to each of its rows, unless that is
 * NULL. */
static void sum_up(const bfloat16 *a, const bfloat16 *b, Operand c, const float *row, ptrdiff_t steps, int terms)
{
    ptrdiff_t bytes_apart = c.row * (ptrdiff_t)sizeof(float);
    if (row == NULL) {
        ZERO_TILE(0);
        ZERO_TILE(1);
        ZERO_TILE(2);
        ZERO_TILE(3);
    }
    else {
        LOAD_TILE(0, row, 0);
        LOAD_TILE(1, row + TILE_LINES, 0);
        LOAD_TILE(2, row, 0);
        LOAD_TILE(3, row + TILE_LINES, 0);
    }
    for (; steps > 0; steps--, a += STEP_NUMBERS(terms), b += STEP_NUMBERS(terms)) {
        load_a(a, 1);
        if (terms > 1) {
            load_b(b, 3);
            add_products();
            load_b(b, 2);
            add_products();
            load_a(a, 2);
            add_products();
            load_b(b, 1);
            add_products();
            load_a(a, 3);
            add_products();
            load_a(a, 1);
        }
        else {
            load_b(b, 1);
        }
        add_products();
    }
    STORE_TILE(0, c.data, bytes_apart);
    STORE_TILE(1, c.data + TILE_LINES, bytes_apart);
    STORE_TILE(2, part_from(c, TILE_LINES, 0).data, bytes_apart);
    STORE_TILE(3, part_from(c, TILE_LINES, TILE_LINES).data, bytes_apart);
}

/* The same if C ends inside the square, or if the square is added to C. */
static void sum_up_in_square(const bfloat16 *a, const bfloat16 *b, Operand c, const float *row, ptrdiff_t steps,
                             ptrdiff_t rows, ptrdiff_t columns, int add, int terms)
{
    float whole_row[STRIP] = {0};
    if (row != NULL && columns < STRIP) {
        row = memcpy(whole_row, row, (size_t)columns * sizeof(float));
    }
    sum_up(a, b, (Operand){room.square, STRIP, 1}, row, steps, terms);
    add_square(room.square, c, rows, columns, add);
}

static int multiply_block(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                          ptrdiff_t columns, int add, int terms)
{
    ptrdiff_t steps = ceil_div(inner, TILE_DEPTH);
    int bounded = 1;
    for (ptrdiff_t i = 0; i < rows; i += STRIP) {
        bounded &= split_rows(part_from(a, i, 0), min(rows - i, STRIP), inner, terms, room.of_a[i / STRIP]);
    }
    for (ptrdiff_t j = 0; j < columns; j += STRIP) {
        ptrdiff_t width = min(columns - j, STRIP);
        const float *added = row == NULL ? NULL : row + j;
        bounded &= split_columns(part_from(b, 0, j), inner, width, terms, room.of_b);
        for (ptrdiff_t i = 0; i < rows; i += STRIP) {
            ptrdiff_t height = min(rows - i, STRIP);
            Operand to = part_from(c, i, j);
            if (height == STRIP && width == STRIP && !add) {
                sum_up(room.of_a[i / STRIP], room.of_b, to, added, steps, terms);
            }
            else {
                sum_up_in_square(room.of_a[i / STRIP], room.of_b, to, added, steps, height, width, add, terms);
            }
        }
    }
    return bounded;
}

static int multiply_terms(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                          ptrdiff_t columns, int terms)
{
    Pieces blocks = cut_to_at_most(STEPS_PER_BLOCK, ceil_div(inner, TILE_DEPTH));
    Pieces groups = cut_to_at_most(ROWS_PER_GROUP / STRIP, ceil_div(rows, STRIP));
    int bounded = 1;
    use_tiles();
    for (ptrdiff_t block = 0; block < blocks.count && bounded; block++) {
        ptrdiff_t k = begin_of(blocks, block) * TILE_DEPTH;
        ptrdiff_t length = min(length_of(blocks, block) * TILE_DEPTH, inner - k);
        for (ptrdiff_t group = 0; group < groups.count; group++) {
            ptrdiff_t i = begin_of(groups, group) * STRIP;
            bounded &=
                multiply_block(part_from(a, i, k), part_from(b, k, 0), part_from(c, i, 0), block == 0 ? row : NULL,
                               min(length_of(groups, group) * STRIP, rows - i), length, columns, block > 0, terms);
        }
    }
    release_tiles();
    return bounded;
}

int multiply_amx(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    return multiply_terms(a, b, c, row, rows, inner, columns, TERMS);
}

int multiply_amx_rounded(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                         ptrdiff_t columns)
{
    return multiply_terms(a, b, c, row, rows, inner, columns, 1);
}
#else
int multiply_amx(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    (void)a, (void)b, (void)c, (void)row, (void)rows, (void)inner, (void)columns;
    return 0;
}

int multiply_amx_rounded(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                         ptrdiff_t columns)
{
    return multiply_amx(a, b, c, row, rows, inner, columns);
}
#endif
