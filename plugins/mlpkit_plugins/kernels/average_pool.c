/* Average pooling of images in the order (rows, channels, height, width). */
#include "pool.h"

#define LOOPS "average_pool_loops.h"
#include "floating_types.h"

static int read_lengths(PyObject *x, PyObject *y, PyObject *size, PyObject *stride, Pool *pool)
{
    npy_intp *of_x = PyArray_DIMS((PyArrayObject *)x), *of_y = PyArray_DIMS((PyArrayObject *)y);
    *pool = (Pool){.rows = of_x[0], .channels = of_x[1], .height = of_x[2], .width = of_x[3]};
    pool->down = of_y[2], pool->across = of_y[3];
    return of_y[0] == pool->rows && of_y[1] == pool->channels && read_patches(size, stride, pool);
}

PyObject *kernel_average_pool(PyObject *const *arguments)
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
    const double numbers[] = {NUMBERS_OF(pool)};
    run(type, BOTH(average_pool), arrays, 2, pool.rows > 1 ? 2 : 0, numbers); /* a single image is one part */
    return Py_NewRef(arguments[OUT]);
}
