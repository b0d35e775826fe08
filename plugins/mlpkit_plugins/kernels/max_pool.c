/* Max pooling of images that lie in the order (width, channels, height, rows). */
#include "pool.h"

#include <math.h>
#include <string.h>

/* Numbers whose gradients are passed on at once. */
#define BLOCK 256

/* Where pixel [p][q] of a patch lies, from the first pixel of a column of patches on. */
static npy_intp place_of(const Pool *pool, npy_intp channel, npy_intp patch, npy_intp p, npy_intp q)
{
    return ((q * pool->channels + channel) * pool->height + patch * pool->stride + p) * pool->rows;
}

/* As in NumPy, what is not a number stays so. */
#define LARGER(x, y) ((x) >= (y) || (x) != (x) ? (x) : (y))

/* The loops' arrays have a column of patches in each row: x and y, or x, y, dy and dx. */
#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void take_larger_##NAME(T *y, const T *x, npy_intp pixels, npy_intp step, npy_intp rows)         \
    {                                                                                                                  \
        for (npy_intp i = 0; rows == 1 && i < pixels; i++) {                                                           \
            y[i] = LARGER(y[i], x[i * step]);                                                                          \
        }                                                                                                              \
        for (npy_intp i = 0; rows > 1 && i < pixels; i++) {                                                            \
            INDEPENDENT                                                                                                \
            for (npy_intp n = 0; n < rows; n++) {                                                                      \
                y[i * rows + n] = LARGER(y[i * rows + n], x[i * step * rows + n]);                                     \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void max_pool_##NAME(const Matrix *arrays, const double *numbers)                                           \
    {                                                                                                                  \
        Pool pool = pool_of(numbers);                                                                                  \
        npy_intp length = pool.down * pool.rows;                                                                       \
        for (npy_intp i = 0; i < arrays[1].rows * pool.channels; i++) {                                                \
            npy_intp j = i / pool.channels, c = i % pool.channels;                                                     \
            const T *x = (const T *)arrays[0].data + j * arrays[0].stride;                                             \
            T *y = (T *)arrays[1].data + i * length;                                                                   \
            for (npy_intp n = 0; n < length; n++) {                                                                    \
                y[n] = (T)-INFINITY;                                                                               \
            }                                                                                                          \
            for (npy_intp pixel = 0; pixel < pool.size * pool.size; pixel++) {                                         \
                npy_intp place = place_of(&pool, c, 0, pixel / pool.size, pixel % pool.size);                          \
                take_larger_##NAME(y, x + place, pool.down, pool.stride, pool.rows);                                   \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    /* A share of what is left goes to each pixel that is the largest: all of it to the first one. */                  \
    VECTORIZED static void pass_##NAME(T *left, const T *x, const T *y, T *dx, npy_intp rows, T one)                   \
    {                                                                                                                  \
        INDEPENDENT                                                                                                    \
        for (npy_intp n = 0; n < rows; n++) {                                                                          \
            T share = left[n] * (x[n] == y[n] ? one : (T)0);                                                           \
            dx[n] += share;                                                                                            \
            left[n] -= share;                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void max_pool_gradient_##NAME(const Matrix *arrays, const double *numbers)                                  \
    {                                                                                                                  \
        Pool pool = pool_of(numbers);                                                                                  \
        T left[BLOCK], one = (T)numbers[NUMBERS_OF_POOL];                                                              \
        for (npy_intp i = 0; i < arrays[1].rows * pool.channels; i++) {                                                \
            npy_intp j = i / pool.channels, c = i % pool.channels;                                                     \
            const T *x = (const T *)arrays[0].data + j * arrays[0].stride;                                             \
            T *dx = (T *)arrays[3].data + j * arrays[3].stride;                                                        \
            for (npy_intp q = 0; q < pool.size; q++) {                                                                 \
                memset(dx + place_of(&pool, c, 0, 0, q), 0, (size_t)(pool.height * pool.rows) * sizeof(T));            \
            }                                                                                                          \
            for (npy_intp m = 0; m < pool.down * pool.rows;) {                                                         \
                npy_intp patch = m / pool.rows, row = m % pool.rows, at = i * pool.down * pool.rows + m;               \
                npy_intp count = pool.rows - row < BLOCK ? pool.rows - row : BLOCK;                                    \
                memcpy(left, (const T *)arrays[2].data + at, (size_t)count * sizeof(T));                               \
                for (npy_intp pixel = 0; pixel < pool.size * pool.size; pixel++) {                                     \
                    npy_intp place = place_of(&pool, c, patch, pixel / pool.size, pixel % pool.size) + row;            \
                    pass_##NAME(left, x + place, (const T *)arrays[1].data + at, dx + place, count, one);              \
                }                                                                                                      \
                m += count;                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOPS(float, float32)
LOOPS(double, float64)

static int read_lengths(PyObject *x, PyObject *y, PyObject *size, PyObject *stride, Pool *pool)
{
    npy_intp *of_x = PyArray_DIMS((PyArrayObject *)x), *of_y = PyArray_DIMS((PyArrayObject *)y);
    *pool = (Pool){.width = of_x[0], .channels = of_x[1], .height = of_x[2], .rows = of_x[3]};
    pool->across = of_y[0], pool->down = of_y[2];
    return of_y[1] == pool->channels && of_y[3] == pool->rows && read_patches(size, stride, pool);
}

/* Have each row begin a column of patches, the last one of which may be narrower. */
static void cut_into_patches(Matrix *images, const Pool *pool)
{
    images->rows = pool->across;
    images->stride *= pool->stride;
}

/* How many of the arrays are cut: none if there is a single column of patches, which would be cut inside. */
static int cut_of(const Pool *pool, int arrays) { return pool->across > 1 ? arrays : 0; }

PyObject *max_pool(SIGNATURE)
{
    Matrix all[2], *x = &all[0], *y = &all[1];
    Pool pool;
    int type = count == 4 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_images(arguments[0], type, 0, x) || !read_images(arguments[3], type, 1, y) ||
        !read_lengths(arguments[0], arguments[3], arguments[1], arguments[2], &pool) ||
        !disjoint(arguments[3], arguments, 1)) {
        return with_numpy("max_pool", arguments, count);
    }
    cut_into_patches(x, &pool);
    const double numbers[] = {NUMBERS_OF(pool), 1};
    run(type, BOTH(max_pool), all, 2, cut_of(&pool, 2), numbers);
    return Py_NewRef(arguments[3]);
}

PyObject *max_pool_gradient(SIGNATURE)
{
    Matrix all[4], *x = &all[0], *y = &all[1], *dy = &all[2], *dx = &all[3];
    Pool pool;
    int type = count == 6 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_images(arguments[0], type, 0, x) || !read_images(arguments[1], type, 0, y) ||
        !read_images(arguments[2], type, 0, dy) || !read_images(arguments[5], type, 1, dx) ||
        !read_lengths(arguments[0], arguments[1], arguments[3], arguments[4], &pool) || pool.stride < pool.size ||
        !PyArray_SAMESHAPE((PyArrayObject *)arguments[0], (PyArrayObject *)arguments[5]) ||
        !PyArray_SAMESHAPE((PyArrayObject *)arguments[1], (PyArrayObject *)arguments[2]) ||
        !disjoint(arguments[5], arguments, 3)) {
        return with_numpy("max_pool_gradient", arguments, count);
    }
    if (pool.across * pool.size < pool.width) { /* there are columns that no patch covers */
        memset(dx->data, 0, (size_t)(dx->rows * dx->stride * dx->item));
    }
    cut_into_patches(x, &pool);
    cut_into_patches(dx, &pool);
    const double numbers[] = {NUMBERS_OF(pool), 1};
    run(type, BOTH(max_pool_gradient), all, 4, cut_of(&pool, 4), numbers);
    return Py_NewRef(arguments[5]);
}
