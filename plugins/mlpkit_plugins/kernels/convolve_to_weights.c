/* The gradient of a convolution's weights: for each weight, the dot product of the pixels that it meets in all patches
 * and the gradients of the outputs there. Both are contiguous runs, so neither is copied. */
#include "convolve.h"

#include "instruction_set.h"
#include "pieces.h"
#include "team.h"

#include <string.h>

/* The most numbers of a run in a block, which stays in the L1 cache for a few filters. */
#define NUMBERS_PER_BLOCK 1024

/* Tiles whose sums a thread keeps at once. */
#define TILES_AT_ONCE 128

/* Small parts, so that waits for a late member are short. */
#define PARTS_PER_MEMBER 2

typedef float Sums[MAX_DOT_ROWS][MAX_DOT_COLUMNS][DOT_SUMS];

static _Thread_local struct {
    _Alignas(64) Sums of_tile[TILES_AT_ONCE];
} kept;

/* The bias is the weight of an input that is always 1. */
static const float ones[NUMBERS_PER_BLOCK] = {[0 ... NUMBERS_PER_BLOCK - 1] = 1.0f};

/* A tile of dW: elements of one channel and one column of filters, or the bias, for a few filters. */
typedef struct {
    ptrdiff_t filter, filters, channel, p, q, rows;
    int is_bias;
} TilePlace;

typedef struct {
    const Convolution *of;
    const float *x, *dy;
    Operand dW;
    float *db;
    const ConvolutionTiles *tiles;
    Pieces of_filters, of_rows;
    ptrdiff_t of_each; /* tiles of the same filters */
    Pieces parts;
} Work;

static TilePlace place_of(const Work *all, ptrdiff_t tile)
{
    ptrdiff_t group = tile / all->of_each, number = tile % all->of_each, strip = number / all->of_rows.count;
    TilePlace place = {.filter = begin_of(all->of_filters, group), .filters = length_of(all->of_filters, group)};
    if (strip == all->of->channels * all->of->size) {
        place.is_bias = 1;
        place.rows = 1;
        return place;
    }
    place.channel = strip / all->of->size;
    place.q = strip % all->of->size;
    place.p = begin_of(all->of_rows, number % all->of_rows.count);
    place.rows = length_of(all->of_rows, number % all->of_rows.count);
    return place;
}

/* Add the products of a block, which starts at those pixels of x and dy. */
static void add_block(const Work *all, const TilePlace *at, const float *x, const float *dy, ptrdiff_t length,
                      float (*sums)[MAX_DOT_COLUMNS][DOT_SUMS])
{
    const Convolution *of = all->of;
    ptrdiff_t column = of->height * of->rows;
    const float *a = at->is_bias ? ones : x + (at->q * of->channels + at->channel) * column + at->p * of->rows;
    ptrdiff_t b_row = of->down * of->rows;
    all->tiles->dots[at->filters][at->rows](a, of->rows, dy + at->filter * b_row, b_row, length, sums);
}

/* Add the products of all runs to the sums of some tiles. */
static void add_runs(const Work *all, const TilePlace *places, ptrdiff_t count)
{
    const Convolution *of = all->of;
    int is_whole = of->stride == 1;
    ptrdiff_t runs = is_whole ? 1 : of->down, length = is_whole ? of->down * of->rows : of->rows;
    Pieces blocks = cut_to_at_most(NUMBERS_PER_BLOCK / DOT_SUMS, ceil_div(length, DOT_SUMS));
    for (ptrdiff_t run = 0; run < of->across * runs; run++) {
        ptrdiff_t j = run / runs, i = run % runs;
        const float *x = all->x + (j * of->channels * of->height + i) * of->stride * of->rows;
        const float *dy = all->dy + (j * of->filters * of->down + i) * of->rows;
        for (ptrdiff_t block = 0; block < blocks.count; block++) {
            ptrdiff_t begin = begin_of(blocks, block) * DOT_SUMS;
            ptrdiff_t numbers = min(length - begin, length_of(blocks, block) * DOT_SUMS);
            for (ptrdiff_t tile = 0; tile < count; tile++) {
                add_block(all, &places[tile], x + begin, dy + begin, numbers, kept.of_tile[tile]);
            }
        }
    }
}

static float total_of(const float *sums)
{
    float some[DOT_SUMS];
    memcpy(some, sums, sizeof(some));
    for (int half = DOT_SUMS / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; lane++) {
            some[lane] += some[lane + half];
        }
    }
    return some[0];
}

static void write_tile(const Work *all, const TilePlace *at, float (*sums)[MAX_DOT_COLUMNS][DOT_SUMS])
{
    ptrdiff_t size = all->of->size;
    for (ptrdiff_t j = 0; j < at->filters; j++) {
        for (ptrdiff_t i = 0; i < at->rows; i++) {
            float total = total_of(sums[i][j]);
            if (at->is_bias) {
                all->db[at->filter + j] = total;
            }
            else {
                *part_from(all->dW, at->filter + j, (at->channel * size + at->p + i) * size + at->q).data = total;
            }
        }
    }
}

static void add_tiles(int number, void *work)
{
    const Work *all = work;
    TilePlace places[TILES_AT_ONCE];
    ptrdiff_t begin = begin_of(all->parts, number), end = begin + length_of(all->parts, number);
    for (ptrdiff_t first = begin; first < end; first += TILES_AT_ONCE) {
        ptrdiff_t count = min(end - first, TILES_AT_ONCE);
        for (ptrdiff_t tile = 0; tile < count; tile++) {
            places[tile] = place_of(all, first + tile);
        }
        memset(kept.of_tile, 0, (size_t)count * sizeof(Sums));
        add_runs(all, places, count);
        for (ptrdiff_t tile = 0; tile < count; tile++) {
            write_tile(all, &places[tile], kept.of_tile[tile]);
        }
    }
}

void convolve_to_weights(const Convolution *of, const float *x, const float *dy, Operand dW, float *db, int members)
{
    Work all = {.of = of, .x = x, .dy = dy, .dW = dW, .db = db, .tiles = instruction_set()->convolution_tiles};
    all.of_filters = cut_to_at_most(MAX_DOT_COLUMNS, of->filters);
    all.of_rows = cut_to_at_most(all.tiles->dot_rows, of->size);
    all.of_each = of->channels * of->size * all.of_rows.count + (db != NULL);
    ptrdiff_t tiles = all.of_filters.count * all.of_each;
    all.parts = cut_into(members > 1 ? min(tiles, PARTS_PER_MEMBER * members) : 1, tiles);
    if (all.parts.count == 1) {
        add_tiles(0, &all);
        return;
    }
    compute_parts((int)all.parts.count, add_tiles, &all, members);
}
