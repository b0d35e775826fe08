/* Average pooling; included by floating_types.h. */

/* The compiler vectorizes the loop if size and stride are constants. */
INLINED void TYPED(pool_image)(T *y, const T *x, const Pool *of, npy_intp size, npy_intp stride)
{
    for (npy_intp i = 0; i < of->down; i++, y += of->across, x += stride * of->width) {
        INDEPENDENT
        for (npy_intp j = 0; j < of->across; j++) {
            T sum = 0;
            for (npy_intp p = 0; p < size; p++) {
                for (npy_intp q = 0; q < size; q++) {
                    sum += x[p * of->width + j * stride + q];
                }
            }
            y[j] = sum / (T)(size * size);
        }
    }
}

VECTORIZED static void TYPED(average_pool)(const Matrix *arrays, const double *numbers)
{
    enum { X, Y };
    Pool pool = pool_of(numbers);
    for (npy_intp i = 0; i < arrays[X].rows * pool.channels; i++) {
        const T *x = ROW(X, 0) + i * pool.height * pool.width;
        T *y = ROW(Y, 0) + i * pool.down * pool.across;
        if (pool.size == 2 && pool.stride == 2) { /* the most common patches */
            TYPED(pool_image)(y, x, &pool, 2, 2);
        }
        else {
            TYPED(pool_image)(y, x, &pool, pool.size, pool.stride);
        }
    }
}
