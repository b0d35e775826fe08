/* Cutting lengths into pieces. */
#ifndef MLPKIT_PIECES_H
#define MLPKIT_PIECES_H

#include <stddef.h>

/* Pieces of equal length, but the first ones may be longer by one. */
typedef struct {
    ptrdiff_t count, length, longer;
} Pieces;

static inline ptrdiff_t min(ptrdiff_t x, ptrdiff_t y) { return x < y ? x : y; }

static inline ptrdiff_t ceil_div(ptrdiff_t x, ptrdiff_t y) { return (x + y - 1) / y; }

static inline Pieces cut_into(ptrdiff_t count, ptrdiff_t length)
{
    return (Pieces){count, length / count, length % count};
}

/* The fewest pieces that are no longer than that, at least one. */
static inline Pieces cut_to_at_most(ptrdiff_t most, ptrdiff_t length)
{
    return length <= most ? (Pieces){1, length, 0} : cut_into(ceil_div(length, most), length);
}

static inline ptrdiff_t begin_of(Pieces pieces, ptrdiff_t number)
{
    return number * pieces.length + min(number, pieces.longer);
}

static inline ptrdiff_t length_of(Pieces pieces, ptrdiff_t number) { return pieces.length + (number < pieces.longer); }

#endif
