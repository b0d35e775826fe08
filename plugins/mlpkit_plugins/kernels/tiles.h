/* Tiles: blocks of a matrix product that fit in the processor's registers. */
#ifndef MLPKIT_TILES_H
#define MLPKIT_TILES_H

#include "pieces.h"

#define MAX_LANES 16
#define MAX_VECTORS 4
#define MAX_TILE_ROWS 14

/* Steps k of the inner dimension, in order; if numbers is NULL, all from 0 up. */
typedef struct {
    const unsigned char *numbers;
    ptrdiff_t count;
} Steps;

/* Set a tile of C to A B, or add A B to it, then add a row to each row, unless that is NULL:
 *
 *     (A B)[i][j] = fma(A[i][n-1], B[n-1][j], ... fma(A[i][1], B[1][j], A[i][0] B[0][j]))   with n = inner
 *
 * so an element has the same bits in any tile, with vectors of any width. Steps k at which all rows of A are zero may
 * be skipped if B is finite.
 *
 * A[i][k] is at a[i * a_row + k * a_step], B[k][j] at b[k * b_row + j], C[i][j] at c[i * c_row + j]. Each tile has
 * its own number of rows, and of vectors per row; columns_of_last is the number of columns in the last vector. */
typedef void (*Tile)(Steps steps, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b, ptrdiff_t b_row,
                     float *c, ptrdiff_t c_row, int columns_of_last, int add, const float *row);

/* Add the product of a row of A and B to sums, from the first row of B to the last, four rows at a time:
 *
 *     sums[j] = fma(a[n-1], B[n-1][j], ... fma(a[1], B[1][j], fma(a[0], B[0][j], sums[j])))   with n = inner
 *
 * sums has room for whole vectors. */
typedef void (*AddRow)(const float *a, ptrdiff_t a_step, ptrdiff_t inner, const float *b, ptrdiff_t b_row,
                       ptrdiff_t columns, float *sums);

/* Set to[k][j] = from[j][k] for as many rows j as a vector has lanes, and as many columns k. */
typedef void (*Transpose)(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row);

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
    int sums;                  /* the fewest vectors of sums with which a tile computes at full speed */
    Tile tiles[MAX_VECTORS + 1][MAX_TILE_ROWS + 1];
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

#endif
