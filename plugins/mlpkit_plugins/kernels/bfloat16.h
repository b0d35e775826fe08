/* float32 numbers as sums of three bfloat16 numbers, or rounded to one, in tiles as AMX reads them.
 *
 *     x = x1 + x2 + x3     x1 = bfloat16(x), x2 = bfloat16(x - x1), x3 = x - x1 - x2
 *
 * is exact: a float32 has 24 bits, a bfloat16 8, and both have the same exponents. Only numbers below 2^-103 lose
 * last bits, since AMX treats terms below 2^-126 as zero. Infinity and NaN have no such sum. */
#ifndef MLPKIT_BFLOAT16_H
#define MLPKIT_BFLOAT16_H

#include "operand.h"

#include <stdint.h>

typedef uint16_t bfloat16;

#define TERMS 3

/* A tile has 16 lines of 16 pairs. The two numbers of a pair are 16 apart along the inner dimension: a line of A comes
 * from one row, a line of B from two. */
#define TILE_LINES 16
#define TILE_DEPTH 32
#define TILE_NUMBERS (TILE_LINES * TILE_DEPTH)
#define TILE_BYTES_APART (TILE_DEPTH * sizeof(bfloat16))

/* A strip is two tiles, 32 rows of A or columns of B. For each step along the inner dimension, both tiles of
 * the first terms follow each other, then both of the second, then both of the third, if there are three terms. */
#define STRIP (2 * TILE_LINES)
#define STEP_NUMBERS(terms) (2 * (terms) * TILE_NUMBERS)

/* Split a strip of A with that many rows and inner numbers, padded with zeros. Return whether all numbers are below
 * 2^50, so that sums of products can't overflow. If terms is 1, numbers of any size are rounded instead. */
int split_rows(Operand a, ptrdiff_t rows, ptrdiff_t inner, int terms, bfloat16 *to);

/* Split a strip of B in the same way. */
int split_columns(Operand b, ptrdiff_t inner, ptrdiff_t columns, int terms, bfloat16 *to);

#define SIGN 0x80000000u
#define LEAST_NORMAL 0x00800000u
#define INFINITE 0x7f800000u
#define QUIET_NAN 0x7fc00000u

/* The bits of a float32 rounded to the nearest bfloat16, ties to even. Subnormal numbers become zero. */
static inline uint32_t rounded_to_bfloat16(uint32_t bits)
{
    uint32_t magnitude = bits & ~SIGN;
    uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    return magnitude > INFINITE ? QUIET_NAN : magnitude < LEAST_NORMAL ? bits & SIGN : nearest;
}

#endif
