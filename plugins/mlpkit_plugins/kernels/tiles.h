/* Tiles: blocks of a matrix product that fit in the processor's registers. */
#ifndef MLPKIT_TILES_H
#define MLPKIT_TILES_H

#include "pieces.h"
#include "prefetch.h"

#include <stdint.h>
#include <string.h>

#define MAX_LANES 16
#define MAX_VECTORS 4
#define MAX_TILE_ROWS 14

/* Steps k of the inner dimension, in order; if numbers is NULL, all from 0 up. */
typedef struct {
    const unsigned char *numbers;
    ptrdiff_t count;
} Steps;

/* Tiles of C, one below the other, that have the same columns.
 *
 * A[i][k] is at a[i * a_row + k * a_step]; if A is packed, a tile's numbers of the same step are contiguous, step after
 * step and tile after tile. B[k][j] is at b[k * b_row + j], C[i][j] at c[i * c_row + j]. */
typedef struct {
    ptrdiff_t count, inner;
    const Steps *steps; /* of each tile; NULL if all have all steps */
    const float *a;
    ptrdiff_t a_row, a_step;
    int a_is_packed;
    const float *b;
    ptrdiff_t b_row;
    int b_is_padded; /* rows of B are filled up to whole vectors */
    float *c;
    ptrdiff_t c_row;
    int columns_of_last; /* columns in the last vector of a row */
    int add;
    const float *row;
    const Prefetch *next; /* what is needed after these tiles, and the share of the first one; NULL if nothing is */
    ptrdiff_t share;
} Stack;

/* Set each tile of C to A B, or add A B to it, then add a row to each row, unless that is NULL:
 *
 *     (A B)[i][j] = fma(A[i][n-1], B[n-1][j], ... fma(A[i][1], B[1][j], A[i][0] B[0][j]))   with n = inner
 *
 * so an element has the same bits in any tile, with vectors of any width. Steps k at which all rows of A are zero may
 * be skipped if B is finite. Tiles are of the same height; each height, and number of vectors per row, has a function
 * of its own. */
typedef void (*ComputeStack)(const Stack *stack);

/* Add the product of a row of A and B to sums, from the first row of B to the last, four rows at a time:
 *
 *     sums[j] = fma(a[n-1], B[n-1][j], ... fma(a[1], B[1][j], fma(a[0], B[0][j], sums[j])))   with n = inner
 *
 * sums has room for whole vectors. */
typedef void (*AddRow)(const float *a, ptrdiff_t a_step, ptrdiff_t inner, const float *b, ptrdiff_t b_row,
                       ptrdiff_t columns, float *sums);

/* Set to[k][j] = from[j][k] for as many rows j as a vector has lanes, and as many columns k. */
typedef void (*Transpose)(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row);

/* For each byte, the places of its bits that are 1, from the lowest up, and then zeros. */
extern unsigned char places_of_bits[256][8];

/* List the places of the bits that are 1, counted from first, and return how many they are: without a branch, since
 * none could be predicted. Eight numbers are written. */
static inline ptrdiff_t list_bits(unsigned byte, ptrdiff_t first, unsigned char *numbers)
{
    uint64_t places;
    memcpy(&places, places_of_bits[byte], sizeof(places));
    places += (uint64_t)first * 0x0101010101010101;
    memcpy(numbers, &places, sizeof(places));
    return __builtin_popcount(byte);
}

/* List the steps, up to 256, at which not all rows of A are zero, or count them if numbers is NULL. A has contiguous
 * rows or columns. */
typedef Steps (*StepsOf)(const float *a, ptrdiff_t a_row, ptrdiff_t a_step, ptrdiff_t rows, ptrdiff_t inner,
                         unsigned char *numbers);

/* The tiles of one instruction set. */
typedef struct {
    int lanes;                 /* numbers in a vector */
    int vectors;               /* per row of a tile, if a matrix has many columns */
    int most_vectors;          /* if that covers all of its columns */
    int rows[MAX_VECTORS + 1]; /* of a tile with that many vectors per row */
    int masks_are_fast;        /* a masked load takes as long as a whole one */
    int sums;                  /* the fewest vectors of sums with which a tile computes at full speed */
    ComputeStack compute_stack[MAX_VECTORS + 1][MAX_TILE_ROWS + 1];
    AddRow add_row;
    StepsOf steps_of;
    Transpose transpose;
} Tiles;

/* Cut columns into panels, in vectors. */
static inline Pieces panels_of(const Tiles *tiles, ptrdiff_t columns)
{
    ptrdiff_t vectors = ceil_div(columns, tiles->lanes);
    return vectors <= tiles->most_vectors ? cut_into(1, vectors) : cut_to_at_most(tiles->vectors, vectors);
}

/* Compute tiles of these heights, given the first one. */
static inline void compute_tiles(const Tiles *tiles, Pieces heights, ptrdiff_t vectors, Stack stack)
{
    ptrdiff_t per_row = stack.a_is_packed ? stack.inner : stack.a_row;
    ptrdiff_t counts[2] = {heights.longer, heights.count - heights.longer};
    for (int i = 0; i < 2; i++) {
        ptrdiff_t height = heights.length + 1 - i;
        if ((stack.count = counts[i]) > 0) {
            tiles->compute_stack[vectors][height](&stack);
        }
        stack.a += counts[i] * height * per_row;
        stack.c += counts[i] * height * stack.c_row;
        stack.steps = stack.steps == NULL ? NULL : stack.steps + counts[i];
        stack.share += counts[i];
    }
}

#endif
