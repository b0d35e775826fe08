/* Convolutions of float32 that read images in place. */
#ifndef MLPKIT_CONVOLVE_H
#define MLPKIT_CONVOLVE_H

#include "operand.h"

/* Images are in the order (width, channels, height, rows): the same pixel of all images is contiguous, then come the
 * pixels of a column. Element [c][p][q] of filter f is at [f][(c * size + p) * size + q] of a matrix. */
typedef struct {
    ptrdiff_t channels, height, width; /* of x, padding included */
    ptrdiff_t filters, down, across;   /* of y */
    ptrdiff_t size, stride, rows;
} Convolution;

/* The number of multiplications. */
ptrdiff_t multiplications_of(const Convolution *of);

/* Whether there are tiles for the processor's vectors. */
int can_convolve(void);

/* Set y to the convolution of x and W, plus b if there is one, on up to as many threads as members.
 *
 * A pixel has the same bits on any number of threads, with vectors of any width, in any batch: multiply_vectors'
 * order of addition over q, c, p, the last one fastest, and then b. */
void convolve(const Convolution *of, const float *x, Operand W, const float *b, float *y, int members);

/* Set dx to the gradient of the images inside the padding. A pixel is added up in the same way, over f, p, q, of the
 * filter elements that it meets. */
void convolve_to_inputs(const Convolution *of, const float *dy, Operand W, ptrdiff_t padding, float *dx, int members);

/* Set dW, and db if there is one.
 *
 * An element has the same bits on any number of threads, with vectors of any width. A run is a column of one filter's
 * outputs, or with a stride above 1, one of its pixels in all rows. It is cut into the fewest blocks of up to 1,024
 * numbers, at multiples of 16, the first ones longer. In a block, products m = l modulo 16 are summed with fused
 * multiply-adds for each l from 0 to 15; these sums are added over blocks and runs, from the first to the last, and
 * then the sixteen: l and l + 8, of these l and l + 4, then l + 2, then l + 1. */
void convolve_to_weights(const Convolution *of, const float *x, const float *dy, Operand dW, float *db, int members);

#endif
