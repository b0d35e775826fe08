/* Max pooling of images in the order (width, channels, height, rows). */
#include "pool.h"

#include "pieces.h"

#include <math.h>
#include <string.h>

/* Rows of a pixel whose gradients are passed on at once. */
#define ROWS_PER_BLOCK 256

/* The most numbers of a column of pixels that are pooled at once. */
#define NUMBERS_AT_ONCE 1024

/* The position of pixel [p][q] of a patch, counted from the first pixel of its column of patches. */
static npy_intp place_of(const Pool *pool, npy_intp channel, npy_intp patch, npy_intp p, npy_intp q)
{
    return ((q * pool->channels + channel) * pool->height + patch * pool->stride + p) * pool->rows;
}

#define LOOPS "max_pool_loops.h"
#include "floating_types.h"

static int read_lengths(PyObject *x, PyObject *y, PyObject *size, PyObject *stride, Pool *pool)
{
    npy_intp *of_x = PyArray_DIMS((PyArrayObject *)x), *of_y = PyArray_DIMS((PyArrayObject *)y);
    *pool = (Pool){.width = of_x[0], .channels = of_x[1], .height = of_x[2], .rows = of_x[3]};
    pool->across = of_y[0], pool->down = of_y[2];
    return of_y[1] == pool->channels && of_y[3] == pool->rows && read_patches(size, stride, pool);
}

/* Start a column of patches at each row; the last one may be narrower. */
static void cut_into_patches(Matrix *images, const Pool *pool)
{
    images->rows = pool->across;
    images->stride *= pool->stride;
}

/* The number of arrays that are cut: none if there is a single column of patches, which must stay whole. */
static int cut_of(const Pool *pool, int arrays) { return pool->across > 1 ? arrays : 0; }

PyObject *kernel_max_pool(PyObject *const *arguments)
{
    enum { X, SIZE, STRIDE, OUT };
    Matrix arrays[2], *x = &arrays[0], *y = &arrays[1];
    Pool pool;
    int type = floating_type(arguments[X]);
    if (type < 0 || !read_images(arguments[X], type, 0, x) || !read_images(arguments[OUT], type, 1, y) ||
        !read_lengths(arguments[X], arguments[OUT], arguments[SIZE], arguments[STRIDE], &pool) ||
        !disjoint(arguments[OUT], arguments, 1)) {
        return NULL;
    }
    cut_into_patches(x, &pool);
    const double numbers[] = {NUMBERS_OF(pool), 1};
    run(type, BOTH(max_pool), arrays, 2, cut_of(&pool, 2), numbers);
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_max_pool_gradient(PyObject *const *arguments)
{
    enum { X, Y, DY, SIZE, STRIDE, OUT };
    Matrix arrays[4], *x = &arrays[0], *y = &arrays[1], *dy = &arrays[2], *dx = &arrays[3];
    Pool pool;
    int type = floating_type(arguments[X]);
    if (type < 0 || !read_images(arguments[X], type, 0, x) || !read_images(arguments[Y], type, 0, y) ||
        !read_images(arguments[DY], type, 0, dy) || !read_images(arguments[OUT], type, 1, dx) ||
        !read_lengths(arguments[X], arguments[Y], arguments[SIZE], arguments[STRIDE], &pool) ||
        pool.stride < pool.size || !PyArray_SAMESHAPE((PyArrayObject *)arguments[X], (PyArrayObject *)arguments[OUT]) ||
        !PyArray_SAMESHAPE((PyArrayObject *)arguments[Y], (PyArrayObject *)arguments[DY]) ||
        !disjoint(arguments[OUT], arguments, 3)) {
        return NULL;
    }
    if (pool.across * pool.size < pool.width) { /* no patch covers some columns */
        memset(dx->data, 0, (size_t)(dx->rows * dx->stride * dx->item));
    }
    cut_into_patches(x, &pool);
    cut_into_patches(dx, &pool);
    const double numbers[] = {NUMBERS_OF(pool), 1};
    run(type, BOTH(max_pool_gradient), arrays, 4, cut_of(&pool, 4), numbers);
    return Py_NewRef(arguments[OUT]);
}
