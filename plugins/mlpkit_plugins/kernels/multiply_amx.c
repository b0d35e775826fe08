#include "multiply_amx.h"

#include "amx.h"

#ifdef COMPILES_AMX
#include "bfloat16.h"
#include "pieces.h"
#include "vectorized.h"

#include <immintrin.h>
#include <string.h>

/* The inner dimension is cut into blocks of at most so many steps. */
#define BLOCK 16

/* Rows of A that are split together, and stay in the second cache while all strips of B go by. */
#define ROWS 256

/* A strip of C is two tiles wide and two high. */
static _Thread_local struct {
    _Alignas(64) bfloat16 of_a[ROWS / STRIP][BLOCK * STEP_NUMBERS];
    _Alignas(64) bfloat16 of_b[BLOCK * STEP_NUMBERS];
    _Alignas(64) float of_c[STRIP * STRIP];
} strips;

/* Eight tiles, each of 16 lines of 64 bytes: 0 to 3 have the sums, 4 and 5 a term of A, 6 and 7 a term of B. */
AMX static void configure_tiles(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t lines[16];
    } configuration = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        configuration.bytes[tile] = 64;
        configuration.lines[tile] = TILE_LINES;
    }
    _tile_loadconfig(&configuration);
}

/* Set so many rows and columns of C to those of a strip, or add them. */
VECTORIZED static void add_strip(const float *strip, Operand c, ptrdiff_t rows, ptrdiff_t columns, int add)
{
    for (ptrdiff_t i = 0; i < rows; i++, strip += STRIP, c.data += c.row) {
        if (!add) {
            memcpy(c.data, strip, (size_t)columns * sizeof(float));
            continue;
        }
        for (ptrdiff_t j = 0; j < columns; j++) {
            c.data[j] += strip[j];
        }
    }
}

#define LOAD_A(term)                                                                                                   \
    _tile_loadd(4, a + 2 * ((term) - 1) * TILE_NUMBERS, 64);                                                           \
    _tile_loadd(5, a + (2 * (term) - 1) * TILE_NUMBERS, 64);
#define LOAD_B(term)                                                                                                   \
    _tile_loadd(6, b + 2 * ((term) - 1) * TILE_NUMBERS, 64);                                                           \
    _tile_loadd(7, b + (2 * (term) - 1) * TILE_NUMBERS, 64);
#define MULTIPLY                                                                                                       \
    _tile_dpbf16ps(0, 4, 6);                                                                                           \
    _tile_dpbf16ps(1, 4, 7);                                                                                           \
    _tile_dpbf16ps(2, 5, 6);                                                                                           \
    _tile_dpbf16ps(3, 5, 7);

/* Set a strip of C to the product of one of A and one of B, with a row added to each of its rows, if there is one. */
AMX static void sum_up(const bfloat16 *a, const bfloat16 *b, Operand c, const float *row, ptrdiff_t steps)
{
    ptrdiff_t bytes = c.row * (ptrdiff_t)sizeof(float), lower = TILE_LINES * c.row;
    if (row == NULL) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    else {
        _tile_loadd(0, row, 0);
        _tile_loadd(1, row + TILE_LINES, 0);
        _tile_loadd(2, row, 0);
        _tile_loadd(3, row + TILE_LINES, 0);
    }
    for (; steps > 0; steps--, a += STEP_NUMBERS, b += STEP_NUMBERS) {
        LOAD_A(1) LOAD_B(3) MULTIPLY
        LOAD_B(2) MULTIPLY
        LOAD_A(2) MULTIPLY
        LOAD_B(1) MULTIPLY
        LOAD_A(3) MULTIPLY
        LOAD_A(1) MULTIPLY
    }
    _tile_stored(0, c.data, bytes);
    _tile_stored(1, c.data + TILE_LINES, bytes);
    _tile_stored(2, c.data + lower, bytes);
    _tile_stored(3, c.data + lower + TILE_LINES, bytes);
}

/* The same where C ends within the strip, or is added to. */
static void sum_up_aside(const bfloat16 *a, const bfloat16 *b, Operand c, const float *row, ptrdiff_t steps,
                         ptrdiff_t rows, ptrdiff_t columns, int add)
{
    float some[STRIP];
    if (row != NULL && columns < STRIP) {
        row = memcpy(some, row, (size_t)columns * sizeof(float));
    }
    sum_up(a, b, (Operand){strips.of_c, STRIP, 1}, row, steps);
    add_strip(strips.of_c, c, rows, columns, add);
}

static int multiply_block(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                          ptrdiff_t columns, int add)
{
    ptrdiff_t steps = divided_up(inner, TILE_DEPTH);
    int bounded = 1;
    for (ptrdiff_t i = 0; i < rows; i += STRIP) {
        bounded &= split_rows(part_from(a, i, 0), least(rows - i, STRIP), inner, strips.of_a[i / STRIP]);
    }
    for (ptrdiff_t j = 0; j < columns; j += STRIP) {
        ptrdiff_t width = least(columns - j, STRIP);
        const float *added = row == NULL ? NULL : row + j;
        bounded &= split_columns(part_from(b, 0, j), inner, width, strips.of_b);
        for (ptrdiff_t i = 0; i < rows; i += STRIP) {
            ptrdiff_t height = least(rows - i, STRIP);
            Operand to = part_from(c, i, j);
            if (height == STRIP && width == STRIP && !add) {
                sum_up(strips.of_a[i / STRIP], strips.of_b, to, added, steps);
            }
            else {
                sum_up_aside(strips.of_a[i / STRIP], strips.of_b, to, added, steps, height, width, add);
            }
        }
    }
    return bounded;
}

AMX int multiply_amx(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                     ptrdiff_t columns)
{
    Pieces blocks = cut_to_at_most(BLOCK, divided_up(inner, TILE_DEPTH));
    Pieces groups = cut_to_at_most(ROWS / STRIP, divided_up(rows, STRIP));
    int bounded = 1;
    configure_tiles();
    for (ptrdiff_t block = 0; block < blocks.count; block++) {
        ptrdiff_t k = begin_of(blocks, block) * TILE_DEPTH;
        ptrdiff_t length = least(length_of(blocks, block) * TILE_DEPTH, inner - k);
        for (ptrdiff_t group = 0; group < groups.count; group++) {
            ptrdiff_t i = begin_of(groups, group) * STRIP;
            bounded &= multiply_block(part_from(a, i, k), part_from(b, k, 0), part_from(c, i, 0),
                                      block == 0 ? row : NULL, least(length_of(groups, group) * STRIP, rows - i),
                                      length, columns, block > 0);
        }
    }
    _tile_release();
    return bounded;
}
#else
int multiply_amx(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                 ptrdiff_t columns)
{
    (void)a, (void)b, (void)c, (void)row, (void)rows, (void)inner, (void)columns;
    return 0;
}
#endif
