/* Blocks, panels and tiles are those of multiply_vectors.c. All of A and B is copied, since it must be rounded. */
#include "multiply_pairs.h"

#include "copies.h"
#include "multiply_vectors.h"
#include "pairs.h"

/* Rows of A for which a panel of B is rounded once. */
#define ROWS_PER_GROUP 512

/* The most steps of a block; each multiplies pairs. */
#define STEPS_PER_BLOCK (NUMBERS_PER_BLOCK / 2)

/* The distance between copied rows: if it were a multiple of 2 KiB, rows would compete for the same cache sets. */
#define PAIRS_PER_ROW (STEPS_PER_BLOCK + MAX_LANES)

/* Steps at which all rows of a tile are zero are skipped if at most this many sixteenths of the steps remain. */
#define MAX_SIXTEENTHS_LEFT 13

static _Thread_local struct {
    _Alignas(64) float rows[ROWS_PER_GROUP * PAIRS_PER_ROW + MAX_LANES];
    _Alignas(64) float panel[STEPS_PER_BLOCK * MAX_VECTORS * MAX_LANES];
    unsigned char numbers[ROWS_PER_GROUP + 1][STEPS_PER_BLOCK];
    Steps steps[ROWS_PER_GROUP];
} room;

static const Pairs *set;

int can_multiply_pairs(void)
{
    if (set == NULL) {
        set = pairs();
    }
    return set != NULL;
}

/* Round the rows of A, which are cut into tiles. */
static void pair_all_rows(Operand a, Pieces tiles, ptrdiff_t inner)
{
    if (a.column == 1) {
        set->pair_rows(a, begin_of(tiles, tiles.count), inner, room.rows, PAIRS_PER_ROW);
    }
    else {
        set->pair_tiles(a, tiles, inner, room.rows);
    }
}

/* The rounded rows of a tile. */
static Operand tile_of(Operand a, Pieces tiles, ptrdiff_t tile, ptrdiff_t steps)
{
    ptrdiff_t top = begin_of(tiles, tile);
    return a.column == 1 ? (Operand){room.rows + top * PAIRS_PER_ROW, PAIRS_PER_ROW, 1}
                         : (Operand){room.rows + top * steps, 1, length_of(tiles, tile)};
}

/* List the steps of each tile: all of them, or those that aren't skipped. */
static void list_steps(Operand a, Pieces tiles, ptrdiff_t steps, int may_skip)
{
    for (ptrdiff_t tile = 0; tile < tiles.count; tile++) {
        room.steps[tile] = (Steps){NULL, steps};
        if (may_skip) {
            Operand rows = tile_of(a, tiles, tile, steps);
            Steps found = set->tiles->steps_of(rows.data, rows.row, rows.column, length_of(tiles, tile), steps,
                                               room.numbers[tile]);
            room.steps[tile] = 16 * found.count > MAX_SIXTEENTHS_LEFT * steps ? room.steps[tile] : found;
        }
    }
}

/* Set C to A B, or add A B to it, for at most a block of rows and inner numbers; then add a row to each row, unless it
 * is NULL. */
static void multiply_block(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                           ptrdiff_t columns, int add, int may_skip)
{
    ptrdiff_t lanes = set->tiles->lanes, steps = ceil_div(inner, 2);
    Pieces panels = panels_of(set->tiles, columns);
    Pieces tiles = cut_to_at_most(set->tiles->rows[length_of(panels, 0)], rows);
    pair_all_rows(a, tiles, inner);
    list_steps(a, tiles, steps, may_skip);
    for (ptrdiff_t panel = 0; panel < panels.count; panel++) {
        ptrdiff_t left = begin_of(panels, panel) * lanes, vectors = length_of(panels, panel);
        ptrdiff_t whole = vectors * lanes, width = min(whole, columns - left), next = left + width;
        set->pair_columns(part_from(b, 0, left), inner, width, whole, room.panel);
        Prefetch next_panel = prefetch_of(part_from(b, 0, next), inner, min(whole, columns - next), tiles.count);
        Stack stack = {.inner = steps,
                       .steps = room.steps,
                       .a = room.rows,
                       .a_row = PAIRS_PER_ROW,
                       .a_step = 1,
                       .a_is_packed = a.column != 1,
                       .b = room.panel,
                       .b_row = whole,
                       .c = c.data + left,
                       .c_row = c.row,
                       .columns_of_last = (int)(width - whole + lanes),
                       .add = add,
                       .row = row == NULL ? NULL : row + left,
                       .next = next < columns && tiles.count > 1 ? &next_panel : NULL};
        compute_tiles(set->tiles, tiles, vectors, stack);
    }
}

int multiply_pairs(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                   ptrdiff_t columns)
{
    Pieces blocks = cut_to_at_most(NUMBERS_PER_BLOCK, inner), groups = cut_to_at_most(ROWS_PER_GROUP, rows);
    int may_skip = has_many_zeros(a, rows, inner, columns) && is_finite(b, inner, columns);
    for (ptrdiff_t block = 0; block < blocks.count; block++) {
        ptrdiff_t k = begin_of(blocks, block);
        for (ptrdiff_t group = 0; group < groups.count; group++) {
            ptrdiff_t i = begin_of(groups, group);
            multiply_block(part_from(a, i, k), part_from(b, k, 0), part_from(c, i, 0),
                           block == blocks.count - 1 ? row : NULL, length_of(groups, group), length_of(blocks, block),
                           columns, block > 0, may_skip);
        }
    }
    return 1;
}
