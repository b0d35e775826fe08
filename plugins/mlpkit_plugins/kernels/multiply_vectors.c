/* After Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008): a block of A stays in the L2
 * cache, a panel of columns of B in the L1 cache, and a tile of C in registers. Scattered numbers that are used often
 * are copied. */
#include "multiply_vectors.h"

#include "copies.h"
#include "instruction_set.h"
#include "vectorized.h"

#include <string.h>

#ifdef __GLIBC__
#include <unistd.h>
#endif

/* The rows of A that share one copy of a panel of B. They fit into an L2 cache of 512 KiB; half as many fit into one of
 * 256 KiB. */
#define ROWS_PER_GROUP 512
#define SMALL_L2_CACHE (1 << 18)

/* The largest B that fits into the cache as a whole; padded to whole vectors per row, it fits into the copies. */
#define MAX_NUMBERS_IN_CACHE 12288

/* With fewer rows, or if the rows of A would have to be copied, C is written row by row if B fits into the cache. */
#define MIN_ROWS_FOR_PANELS 64

/* The fewest tiles per panel for which copying the panel pays off. */
#define MIN_TILES_FOR_COPIES 6

/* The transpose of C is computed if more than this many eighths of the vectors along its rows would be empty, and the
 * inner dimension is long enough that it pays off. */
#define MAX_EIGHTHS_EMPTY 1
#define MIN_INNER_TO_TRANSPOSE 128

/* Steps of the inner dimension at which all rows of a tile are zero are skipped if at most this many sixteenths of the
 * steps remain, and the product and A are large enough that finding them and reading B once more pays off. */
#define MAX_SIXTEENTHS_LEFT 13
#define MIN_MULTIPLICATIONS_TO_SKIP 500000
#define MIN_ROWS_TO_SKIP 16

/* The vectors per row of tiles that skip steps: enough that tiles of few rows have enough sums. */
#define VECTORS_TO_SKIP 3

/* Low tiles skip more steps, since fewer rows are more often all zero. They pay off if high tiles take more than this
 * many eighths of their steps. */
#define MAX_EIGHTHS_OF_LOW 9

/* The number of samples of A, and the steps and the room of each: the same with AVX2 as with AVX-512, so that both leave
 * the same products to BLAS. */
#define SAMPLES 8
#define STEPS_PER_SAMPLE 64
#define ROWS_PER_SAMPLE 9

/* The bits of the smallest number that becomes infinite when it is rounded to bfloat16. */
#define LEAST_BITS_ROUNDED_TO_INFINITY 0x7f7f8000

#define NUMBERS_OF_PANELS (NUMBERS_PER_BLOCK * MAX_VECTORS * MAX_LANES)

static _Thread_local struct {
    _Alignas(64) float panels[NUMBERS_OF_PANELS];
    _Alignas(64) float rows[ROWS_PER_GROUP * NUMBERS_PER_BLOCK + MAX_LANES];
} copies;

/* The steps of each tile of a block that aren't skipped. */
static _Thread_local struct {
    unsigned char numbers[ROWS_PER_GROUP + 1][NUMBERS_PER_BLOCK]; /* the last one is room for list_bits */
    Steps of_tile[ROWS_PER_GROUP];
} listed;

static const Tiles *tiles;
static ptrdiff_t rows_per_group = ROWS_PER_GROUP;

unsigned char places_of_bits[256][8];

static void fill_places_of_bits(void)
{
    for (int byte = 0; byte < 256; byte++) {
        int count = 0;
        for (int bit = 0; bit < 8; bit++) {
            if (byte >> bit & 1) {
                places_of_bits[byte][count++] = (unsigned char)bit;
            }
        }
    }
}

static int has_small_l2_cache(void)
{
#ifdef _SC_LEVEL2_CACHE_SIZE
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); /* 0 or -1 if it isn't known */
    return bytes > 0 && bytes <= SMALL_L2_CACHE;
#else
    return 0;
#endif
}

int can_multiply_vectors(void)
{
    if (tiles == NULL && instruction_set() != NULL) {
        fill_places_of_bits();
        rows_per_group = has_small_l2_cache() ? ROWS_PER_GROUP / 2 : ROWS_PER_GROUP;
        tiles = instruction_set()->tiles;
    }
    return tiles != NULL;
}

/* The part of a row from a column on; NULL if the row is NULL. */
static const float *part_of(const float *row, ptrdiff_t begin) { return row == NULL ? NULL : row + begin; }

/* Cut columns into panels. */
static Pieces panels_for(ptrdiff_t columns, ptrdiff_t skips)
{
    Pieces panels = panels_of(tiles, columns);
    return skips && panels.count > 1 ? cut_to_at_most(VECTORS_TO_SKIP, ceil_div(columns, tiles->lanes)) : panels;
}

/* Whether rows of B must be filled up to whole vectors before steps are skipped. */
static int needs_padding(ptrdiff_t columns) { return !tiles->masks_are_fast && columns % tiles->lanes != 0; }

/* Cut rows into tiles. If steps are skipped, skips is the height of a tile, else 0. */
static Pieces heights_of(ptrdiff_t rows, Pieces panels, ptrdiff_t skips)
{
    return cut_to_at_most(skips ? skips : tiles->rows[length_of(panels, 0)], rows);
}

/* List the steps of each tile that aren't skipped. */
static void list_steps(Operand a, Pieces heights, ptrdiff_t inner)
{
    for (ptrdiff_t tile = 0; tile < heights.count; tile++) {
        listed.of_tile[tile] = tiles->steps_of(part_from(a, begin_of(heights, tile), 0).data, a.row, a.column,
                                               length_of(heights, tile), inner, listed.numbers[tile]);
    }
}

/* Set C to A B, or add A B to it, for at most a block of rows and inner numbers; then add a row to each row, unless it
 * is NULL. */
static void multiply_block(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                           ptrdiff_t columns, int add, ptrdiff_t skips)
{
    ptrdiff_t lanes = tiles->lanes;
    Pieces panels = panels_for(columns, skips), heights = heights_of(rows, panels, skips);
    int copies_a = !skips && a.column != 1 && panels.count > 1;
    int copies_b = b.column != 1 || (panels.count > 1 && heights.count >= MIN_TILES_FOR_COPIES) ||
                   (skips && needs_padding(columns));
    Stack stack = {.inner = inner, .a = a.data, .a_row = a.row, .a_step = a.column, .c_row = c.row, .add = add};
    stack.b_is_padded = copies_b;
    if (skips) {
        list_steps(a, heights, inner);
        stack.steps = listed.of_tile;
    }
    if (copies_a) {
        copy_rows(a, heights, inner, copies.rows);
        stack.a = copies.rows;
        stack.a_is_packed = 1;
    }
    for (ptrdiff_t panel = 0; panel < panels.count; panel++) {
        ptrdiff_t left = begin_of(panels, panel) * lanes, vectors = length_of(panels, panel);
        ptrdiff_t width = min(vectors * lanes, columns - left), next = left + width;
        Operand some = part_from(b, 0, left);
        if (copies_b) {
            copy_columns(some, inner, width, vectors * lanes, tiles, copies.panels);
            some = (Operand){copies.panels, vectors * lanes, 1};
        }
        Prefetch next_panel =
            prefetch_of(part_from(b, 0, next), inner, min(vectors * lanes, columns - next), heights.count);
        stack.b = some.data;
        stack.b_row = some.row;
        stack.c = c.data + left;
        stack.row = part_of(row, left);
        stack.columns_of_last = (int)(width - (vectors - 1) * lanes);
        stack.next = next < columns && heights.count > 1 ? &next_panel : NULL; /* without it, a single tile is faster */
        compute_tiles(tiles, heights, vectors, stack);
    }
}

/* The same if all columns of B fit into the cache, since the inner dimension is short: C is then written row by row. */
static void multiply_short_block(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                                 ptrdiff_t columns, int add, ptrdiff_t skips)
{
    ptrdiff_t lanes = tiles->lanes;
    Pieces panels = panels_for(columns, skips), heights = heights_of(rows, panels, skips);
    int copies_b = b.column != 1 || (skips && needs_padding(columns));
    if (skips) {
        list_steps(a, heights, inner);
    }
    if (copies_b) {
        ptrdiff_t width = begin_of(panels, panels.count) * lanes;
        copy_columns(b, inner, columns, width, tiles, copies.panels);
        b = (Operand){copies.panels, width, 1};
    }
    Stack stack = {.count = 1, .inner = inner, .a_row = a.row, .a_step = a.column, .b_row = b.row, .c_row = c.row};
    stack.b_is_padded = copies_b;
    stack.add = add;
    for (ptrdiff_t tile = 0; tile < heights.count; tile++) {
        ptrdiff_t top = begin_of(heights, tile), height = length_of(heights, tile);
        stack.a = part_from(a, top, 0).data;
        stack.steps = skips ? listed.of_tile + tile : NULL;
        for (ptrdiff_t panel = 0; panel < panels.count; panel++) {
            ptrdiff_t left = begin_of(panels, panel) * lanes, vectors = length_of(panels, panel);
            stack.b = b.data + left;
            stack.c = part_from(c, top, left).data;
            stack.row = part_of(row, left);
            stack.columns_of_last = (int)min(columns - left - (vectors - 1) * lanes, lanes);
            tiles->compute_stack[vectors][height](&stack);
        }
    }
}

static void multiply_alone(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                           ptrdiff_t columns, ptrdiff_t skips)
{
    Pieces blocks = cut_to_at_most(NUMBERS_PER_BLOCK, inner), groups = cut_to_at_most(rows_per_group, rows);
    for (ptrdiff_t block = 0; block < blocks.count; block++) {
        ptrdiff_t k = begin_of(blocks, block), length = length_of(blocks, block);
        int is_short = length * columns <= MAX_NUMBERS_IN_CACHE && panels_for(columns, skips).count > 1 &&
                       (rows < MIN_ROWS_FOR_PANELS || a.column != 1);
        for (ptrdiff_t group = 0; group < groups.count; group++) {
            ptrdiff_t i = begin_of(groups, group), height = length_of(groups, group);
            const float *added = block == blocks.count - 1 ? row : NULL;
            (is_short ? multiply_short_block : multiply_block)(part_from(a, i, k), part_from(b, k, 0),
                                                               part_from(c, i, 0), added, height, length, columns,
                                                               block > 0, skips);
        }
    }
}

/* Compute the transpose of C, which has few columns, so that vectors run along its many rows and are full. */
static void multiply_transposed(Operand a, Operand b, Operand c, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    Pieces panels = cut_to_at_most(tiles->vectors, ceil_div(rows, tiles->lanes));
    for (ptrdiff_t panel = 0; panel < panels.count; panel++) {
        ptrdiff_t begin = begin_of(panels, panel) * tiles->lanes;
        ptrdiff_t width = min(length_of(panels, panel) * tiles->lanes, rows - begin);
        Operand transpose = {copies.panels, width, 1};
        multiply_alone(transpose_of(b), transpose_of(part_from(a, begin, 0)), transpose, NULL, columns, inner, width,
                       0);
        copy_columns(transpose_of(transpose), width, columns, c.row, tiles, c.data + begin * c.row);
    }
}

/* Whether the transpose is faster; nothing is copied then, and it fits into the memory of the panels. */
static int should_transpose(Operand a, Operand b, ptrdiff_t inner, ptrdiff_t columns)
{
    ptrdiff_t used = ceil_div(columns, tiles->lanes) * tiles->lanes;
    return a.row == 1 && b.column == 1 && inner >= MIN_INNER_TO_TRANSPOSE && columns <= NUMBERS_PER_BLOCK &&
           8 * (used - columns) > MAX_EIGHTHS_EMPTY * used;
}

/* The height of tiles that can skip many steps (has_many_zeros); 0 if no tiles can. A single panel takes too little
 * time to list the steps of many tiles. */
static ptrdiff_t skipping_height(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    if (rows < MIN_ROWS_TO_SKIP || rows * inner * columns < MIN_MULTIPLICATIONS_TO_SKIP ||
        (a.row != 1 && a.column != 1)) {
        return 0;
    }
    Pieces panels = panels_for(columns, 1);
    ptrdiff_t vectors = length_of(panels, 0), high = tiles->rows[vectors], length = min(inner, STEPS_PER_SAMPLE);
    ptrdiff_t low = panels.count > 1 ? min(ceil_div(tiles->sums, vectors), high) : high;
    ptrdiff_t left = 0, left_by_high = 0, room = high < ROWS_PER_SAMPLE ? ROWS_PER_SAMPLE : high;
    for (ptrdiff_t sample = 0; sample < SAMPLES; sample++) {
        ptrdiff_t i = (rows - room) * (2 * sample + 1) / (2 * SAMPLES);
        ptrdiff_t k = (inner - length) * (2 * sample + 1) / (2 * SAMPLES);
        const float *part = part_from(a, i, k).data;
        left += tiles->steps_of(part, a.row, a.column, low, length, NULL).count;
        left_by_high += low < high ? tiles->steps_of(part, a.row, a.column, high, length, NULL).count : 0;
    }
    if (16 * left > MAX_SIXTEENTHS_LEFT * SAMPLES * length) {
        return 0;
    }
    return 8 * left_by_high > MAX_EIGHTHS_OF_LOW * left ? low : high;
}

int has_many_zeros(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    return skipping_height(a, rows, inner, columns) != 0;
}

VECTORIZED static int is_finite_in_vectors(Operand b, ptrdiff_t inner, ptrdiff_t columns)
{
    Operand lines = b.column == 1 ? b : transpose_of(b);
    ptrdiff_t count = b.column == 1 ? inner : columns, length = b.column == 1 ? columns : inner;
    uint32_t largest = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        for (ptrdiff_t j = 0; j < length; j++) {
            uint32_t bits;
            memcpy(&bits, lines.data + i * lines.row + j, sizeof(bits));
            bits &= 0x7fffffff;
            largest = bits > largest ? bits : largest;
        }
    }
    return largest < LEAST_BITS_ROUNDED_TO_INFINITY;
}

int is_finite(Operand b, ptrdiff_t inner, ptrdiff_t columns) { return is_finite_in_vectors(b, inner, columns); }

int multiply_vectors(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                     ptrdiff_t columns)
{
    ptrdiff_t skips = skipping_height(a, rows, inner, columns);
    skips = skips && is_finite(b, inner, columns) ? skips : 0;
    if (row == NULL && !skips && should_transpose(a, b, inner, columns)) {
        multiply_transposed(a, b, c, rows, inner, columns);
    }
    else {
        multiply_alone(a, b, c, row, rows, inner, columns, skips);
    }
    return 1;
}
