/* Numbers of float32 as sums of three of bfloat16, or rounded to one, in tiles as AMX reads them.
 *
 *     x = x1 + x2 + x3     x1 = bfloat16(x), x2 = bfloat16(x - x1), x3 = x - x1 - x2
 *
 * is exact: a float32 has 24 bits, a bfloat16 8, and both have the same exponents. Only numbers below 2^-103 lose last
 * bits, since AMX takes a term below 2^-126 for zero; and infinity and NaN have no such sum. */
#ifndef MLPKIT_BFLOAT16_H
#define MLPKIT_BFLOAT16_H

#include "operand.h"

#include <stdint.h>

typedef uint16_t bfloat16;

#define TERMS 3

/* A tile has 16 lines of 16 pairs. A pair's numbers are 16 apart along the inner dimension: those of a line of A lie in
 * one of its rows, those of a line of B in two of its rows. */
#define TILE_LINES 16
#define TILE_DEPTH 32
#define TILE_NUMBERS (TILE_LINES * TILE_DEPTH)
#define TILE_BYTES_APART (TILE_DEPTH * sizeof(bfloat16))

/* A strip is two tiles, 32 rows of A or columns of B. For each step along the inner dimension, both tiles of
 * the first terms follow each other, then both of the second, then both of the third, if there are three terms. */
#define STRIP (2 * TILE_LINES)
#define STEP_NUMBERS(terms) (2 * (terms) * TILE_NUMBERS)

/* Split a strip of A, as so many rows and numbers along the inner dimension, and zeros; return whether all are below
 * 2^50, so that sums of products can't overflow. With a single term, numbers are rounded instead, whatever they are. */
int split_rows(Operand a, ptrdiff_t rows, ptrdiff_t inner, int terms, bfloat16 *to);

/* Split a strip of B in the same way. */
int split_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, int terms, bfloat16 *to);

#define SIGN 0x80000000u
#define LEAST_NORMAL 0x00800000u
#define INFINITE 0x7f800000u
#define QUIET_NAN 0x7fc00000u

/* The bits of a float32 rounded to bfloat16: to the nearest, of two equally near to the even one. Subnormal numbers
 * become zero. */
static inline uint32_t rounded_to_bfloat16(uint32_t bits)
{
    uint32_t magnitude = bits & ~SIGN;
    uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    return magnitude > INFINITE ? QUIET_NAN : magnitude < LEAST_NORMAL ? bits & SIGN : nearest;
}

#endif
