/* The lengths of images that are pooled, and of their patches. */
#ifndef MLPKIT_POOL_H
#define MLPKIT_POOL_H

#include "loops.h"

typedef struct {
    npy_intp rows, channels, height, width;
    npy_intp down, across, size, stride;
} Pool;

/* The lengths as the numbers of a loop. */
#define NUMBERS_OF(pool)                                                                                               \
    (double)(pool).rows, (double)(pool).channels, (double)(pool).height, (double)(pool).width, (double)(pool).down,    \
        (double)(pool).across, (double)(pool).size, (double)(pool).stride

#define NUMBERS_OF_POOL 8

static inline Pool pool_of(const double *numbers)
{
    return (Pool){.rows = (npy_intp)numbers[0],
                  .channels = (npy_intp)numbers[1],
                  .height = (npy_intp)numbers[2],
                  .width = (npy_intp)numbers[3],
                  .down = (npy_intp)numbers[4],
                  .across = (npy_intp)numbers[5],
                  .size = (npy_intp)numbers[6],
                  .stride = (npy_intp)numbers[7]};
}

/* Read size and stride, and return whether the patches fit into the images. */
static inline int read_patches(PyObject *size, PyObject *stride, Pool *pool)
{
    return read_count(size, &pool->size) && read_count(stride, &pool->stride) && pool->size > 0 && pool->stride > 0 &&
           pool->height >= (pool->down - 1) * pool->stride + pool->size &&
           pool->width >= (pool->across - 1) * pool->stride + pool->size;
}

#endif
