/* Tiles of convolutions: blocks of their products that fit in the processor's registers. */
#ifndef MLPKIT_CONVOLUTION_TILES_H
#define MLPKIT_CONVOLUTION_TILES_H

#include "tiles.h"

/* Steps k of three nested loops, the last one fastest: their counts, and the distances in A and in B from one step of
 * each loop to the next. They may start and stop anywhere: total steps, from step first of each inner loop. */
typedef struct {
    ptrdiff_t counts[3], a[3], b[3];
    ptrdiff_t first[3], total;
} Steps3d;

/* Set a tile of C to A B, or add A B to it, then add a number to each row, unless column is NULL:
 *
 *     (A B)[i][j] = fma(A[i][n-1], B[n-1][j], ... fma(A[i][1], B[1][j], A[i][0] B[0][j]))   with n steps
 *
 * where k counts the steps. A[i][0] is at a[i * a_row], B[0][j] at b[j], C[i][j] at c[i * c_row + j]. Each tile has
 * its own number of rows, and of vectors per row; columns_of_last is the number of columns in the last vector. */
typedef void (*ConvolutionTile)(const Steps3d *steps, const float *a, ptrdiff_t a_row, const float *b, float *c,
                                ptrdiff_t c_row, int columns_of_last, int add, const float *column);

/* A dot product is added up in this many sums: product m goes to sum m mod DOT_SUMS. */
#define DOT_SUMS 16

#define MAX_DOT_ROWS 6
#define MAX_DOT_COLUMNS 4

/* Add the products of each row of A with each row of B to their sums:
 *
 *     sums[i][j][l] += fma(A[i][m], B[j][m], ... fma(A[i][l+16], B[j][l+16], A[i][l] B[j][l]))   with m = l modulo 16
 *
 * A[i][m] is at a[i * a_row + m], B[j][m] at b[j * b_row + m]. Each tile has its own numbers of rows. */
typedef void (*DotTile)(const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row, ptrdiff_t length,
                        float (*sums)[MAX_DOT_COLUMNS][DOT_SUMS]);

/* The tiles of one instruction set. */
typedef struct {
    int rows[MAX_VECTORS + 1]; /* of the highest tile of a product with that many vectors per row */
    ConvolutionTile products[MAX_VECTORS + 1][MAX_TILE_ROWS + 1];
    int dot_rows; /* rows of A in the largest tile of dot products; it has MAX_DOT_COLUMNS of B */
    DotTile dots[MAX_DOT_COLUMNS + 1][MAX_DOT_ROWS + 1];
} ConvolutionTiles;

#endif
