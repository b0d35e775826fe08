/* Average pooling of images that lie in the order (rows, channels, height, width). */
#include "pool.h"

#ifdef __GNUC__
#define UNROLLED static inline __attribute__((always_inline))
#else
#define UNROLLED static inline
#endif

/* Patches of 2 by 2 side by side are the common case: a loop in which these lengths are known has vectors. */
#define LOOPS(T, NAME)                                                                                                 \
    UNROLLED void pool_image_##NAME(T *y, const T *x, const Pool *of, npy_intp size, npy_intp stride)                  \
    {                                                                                                                  \
        for (npy_intp i = 0; i < of->down; i++, y += of->across, x += stride * of->width) {                            \
            INDEPENDENT                                                                                                \
            for (npy_intp j = 0; j < of->across; j++) {                                                                \
                T sum = 0;                                                                                             \
                for (npy_intp p = 0; p < size; p++) {                                                                  \
                    for (npy_intp q = 0; q < size; q++) {                                                              \
                        sum += x[p * of->width + j * stride + q];                                                      \
                    }                                                                                                  \
                }                                                                                                      \
                y[j] = sum / (T)(size * size);                                                                         \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    VECTORIZED static void average_pool_##NAME(const Matrix *arrays, const double *numbers)                            \
    {                                                                                                                  \
        Pool pool = pool_of(numbers);                                                                                  \
        for (npy_intp i = 0; i < arrays[0].rows * pool.channels; i++) {                                                \
            const T *x = (const T *)arrays[0].data + i * pool.height * pool.width;                                     \
            T *y = (T *)arrays[1].data + i * pool.down * pool.across;                                                  \
            if (pool.size == 2 && pool.stride == 2) {                                                                  \
                pool_image_##NAME(y, x, &pool, 2, 2);                                                                  \
            }                                                                                                          \
            else {                                                                                                     \
                pool_image_##NAME(y, x, &pool, pool.size, pool.stride);                                                \
            }                                                                                                          \
        }                                                                                                              \
    }

LOOPS(float, float32)
LOOPS(double, float64)

static int read_lengths(PyObject *x, PyObject *y, PyObject *size, PyObject *stride, Pool *pool)
{
    npy_intp *of_x = PyArray_DIMS((PyArrayObject *)x), *of_y = PyArray_DIMS((PyArrayObject *)y);
    *pool = (Pool){.rows = of_x[0], .channels = of_x[1], .height = of_x[2], .width = of_x[3]};
    pool->down = of_y[2], pool->across = of_y[3];
    return of_y[0] == pool->rows && of_y[1] == pool->channels && read_patches(size, stride, pool);
}

PyObject *average_pool(SIGNATURE)
{
    Matrix all[2];
    Pool pool;
    int type = count == 4 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_images(arguments[0], type, 0, &all[0]) || !read_images(arguments[3], type, 1, &all[1]) ||
        !read_lengths(arguments[0], arguments[3], arguments[1], arguments[2], &pool) ||
        !disjoint(arguments[3], arguments, 1)) {
        return with_numpy("average_pool", arguments, count);
    }
    const double numbers[] = {NUMBERS_OF(pool)};
    run(type, BOTH(average_pool), all, 2, pool.rows > 1 ? 2 : 0, numbers); /* a single image isn't cut inside */
    return Py_NewRef(arguments[3]);
}
