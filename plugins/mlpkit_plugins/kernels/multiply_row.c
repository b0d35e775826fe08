/* The product of a single row takes as long as reading B from cache or memory. So threads share the inner dimension:
 * each reads whole rows of B in sequence, which is faster than a part of each row, and mostly the same rows at every
 * call, which its own cache may still hold. */
#include "multiply_row.h"

#include "instruction_set.h"
#include "multiply_vectors.h"
#include "pieces.h"
#include "team.h"
#include "vectorized.h"

#include <string.h>

/* The most columns whose sums stay in the L1 cache, and the most blocks that are summed before their sums are added. */
#define COLUMNS_AT_ONCE 2048
#define BLOCKS_AT_ONCE 8

/* The fewest numbers of B that a thread reads. */
#define MIN_NUMBERS_PER_THREAD 30000

/* Columns are split at multiples of a cache line. */
#define COLUMNS_PER_GRAIN MAX_LANES

typedef float Sums[COLUMNS_AT_ONCE + MAX_LANES];

typedef struct {
    Operand a, b; /* starting at the first block and column */
    ptrdiff_t columns;
    Pieces blocks, cuts; /* of the inner dimension; of the columns, in grains */
    Sums *sums;
} Blocks;

static _Thread_local _Alignas(64) Sums sums_of_blocks[BLOCKS_AT_ONCE];

int suits_multiply_row(Operand b, ptrdiff_t rows, ptrdiff_t columns)
{
    const Tiles *tiles = instruction_set()->tiles;
    return rows == 1 && b.column == 1 && columns > tiles->most_vectors * tiles->lanes;
}

/* Sum a block, or some columns of it. */
static void sum_part(int number, void *work)
{
    const Blocks *all = work;
    ptrdiff_t block = number / all->cuts.count, cut = number % all->cuts.count;
    ptrdiff_t k = begin_of(all->blocks, block), left = begin_of(all->cuts, cut) * COLUMNS_PER_GRAIN;
    ptrdiff_t width = length_of(all->cuts, cut) * COLUMNS_PER_GRAIN;
    float *sums = all->sums[block] + left;
    memset(sums, 0, sizeof(float) * (size_t)width);
    instruction_set()->tiles->add_row(part_from(all->a, 0, k).data, all->a.column, length_of(all->blocks, block),
                                      part_from(all->b, k, left).data, all->b.row, min(width, all->columns - left),
                                      sums);
}

/* The number of cuts of a block's columns that gives all threads the same number of parts. */
static ptrdiff_t cuts_for(ptrdiff_t blocks, ptrdiff_t threads)
{
    ptrdiff_t cuts = 1;
    while (cuts * blocks % threads != 0) {
        cuts++;
    }
    return cuts;
}

static void sum_blocks(Blocks *all, int members)
{
    ptrdiff_t grains = ceil_div(all->columns, COLUMNS_PER_GRAIN), inner = begin_of(all->blocks, all->blocks.count);
    ptrdiff_t threads = min(inner * all->columns / MIN_NUMBERS_PER_THREAD, members);
    all->cuts = cut_into(threads < 2 ? 1 : min(cuts_for(all->blocks.count, threads), grains), grains);
    int parts = (int)(all->blocks.count * all->cuts.count);
    if (threads < 2) {
        for (int part = 0; part < parts; part++) {
            sum_part(part, all);
        }
    }
    else {
        compute_parts(parts, sum_part, all, members);
    }
}

/* Set a row of C to the sums of a block, or add them; then add a row, unless it is NULL. */
VECTORIZED static void add_sums(const float *sums, int add, const float *row, float *c, ptrdiff_t columns)
{
    for (ptrdiff_t j = 0; j < columns; j++) {
        float sum = (add ? c[j] : 0.0f) + sums[j];
        c[j] = row == NULL ? sum : sum + row[j];
    }
}

void multiply_row(Operand a, Operand b, float *c, const float *row, ptrdiff_t inner, ptrdiff_t columns, int members)
{
    Pieces blocks = cut_to_at_most(NUMBERS_PER_BLOCK, inner), groups = cut_to_at_most(BLOCKS_AT_ONCE, blocks.count);
    for (ptrdiff_t left = 0; left < columns; left += COLUMNS_AT_ONCE) {
        ptrdiff_t width = min(columns - left, COLUMNS_AT_ONCE);
        for (ptrdiff_t group = 0; group < groups.count; group++) {
            ptrdiff_t first = begin_of(groups, group), count = length_of(groups, group), k = begin_of(blocks, first);
            Blocks all = {part_from(a, 0, k), part_from(b, k, left), .columns = width, .sums = sums_of_blocks};
            all.blocks = (Pieces){count, blocks.length, blocks.longer - min(first, blocks.longer)};
            sum_blocks(&all, members);
            for (ptrdiff_t i = 0; i < count; i++) {
                const float *added = row != NULL && first + i + 1 == blocks.count ? row + left : NULL;
                add_sums(all.sums[i], first + i > 0, added, c + left, width);
            }
        }
    }
}
