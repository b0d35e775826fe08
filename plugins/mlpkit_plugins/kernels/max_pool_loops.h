/* Max pooling; included by floating_types.h. A row of an array is a column of patches. */

/* NaN stays NaN, as in NumPy. */
static inline T TYPED(larger)(T x, T y) { return x >= y || x != x ? x : y; }

VECTORIZED static void TYPED(take_larger)(T *y, const T *x, npy_intp pixels, npy_intp step, npy_intp rows)
{
    for (npy_intp i = 0; rows == 1 && i < pixels; i++) {
        y[i] = TYPED(larger)(y[i], x[i * step]);
    }
    for (npy_intp i = 0; rows > 1 && i < pixels; i++) {
        INDEPENDENT
        for (npy_intp n = 0; n < rows; n++) {
            y[i * rows + n] = TYPED(larger)(y[i * rows + n], x[i * step * rows + n]);
        }
    }
}

static void TYPED(max_pool)(const Matrix *arrays, const double *numbers)
{
    enum { X, Y };
    Pool pool = pool_of(numbers);
    npy_intp length = pool.down * pool.rows;
    for (npy_intp i = 0; i < arrays[Y].rows * pool.channels; i++) {
        npy_intp j = i / pool.channels, c = i % pool.channels;
        const T *x = ROW(X, j);
        T *y = ROW(Y, 0) + i * length;
        for (npy_intp n = 0; n < length; n++) {
            y[n] = (T)-INFINITY;
        }
        for (npy_intp pixel = 0; pixel < pool.size * pool.size; pixel++) {
            npy_intp place = place_of(&pool, c, 0, pixel / pool.size, pixel % pool.size);
            TYPED(take_larger)(y, x + place, pool.down, pool.stride, pool.rows);
        }
    }
}

/* Pass what is left of the gradients to the pixels that are the largest: the first one gets all of it. */
VECTORIZED static void TYPED(pass)(T *left, const T *x, const T *y, T *dx, npy_intp rows, T one)
{
    INDEPENDENT
    for (npy_intp n = 0; n < rows; n++) {
        T share = left[n] * (x[n] == y[n] ? one : (T)0);
        dx[n] += share;
        left[n] -= share;
    }
}

static void TYPED(max_pool_gradient)(const Matrix *arrays, const double *numbers)
{
    enum { X, Y, DY, DX };
    Pool pool = pool_of(numbers);
    T left[ROWS_PER_BLOCK], one = (T)numbers[NUMBERS_OF_POOL];
    for (npy_intp i = 0; i < arrays[Y].rows * pool.channels; i++) {
        npy_intp j = i / pool.channels, c = i % pool.channels;
        const T *x = ROW(X, j);
        T *dx = ROW(DX, j);
        for (npy_intp q = 0; q < pool.size; q++) {
            memset(dx + place_of(&pool, c, 0, 0, q), 0, (size_t)(pool.height * pool.rows) * sizeof(T));
        }
        for (npy_intp m = 0; m < pool.down * pool.rows;) {
            npy_intp patch = m / pool.rows, row = m % pool.rows, at = i * pool.down * pool.rows + m;
            npy_intp count = pool.rows - row < ROWS_PER_BLOCK ? pool.rows - row : ROWS_PER_BLOCK;
            memcpy(left, ROW(DY, 0) + at, (size_t)count * sizeof(T));
            for (npy_intp pixel = 0; pixel < pool.size * pool.size; pixel++) {
                npy_intp place = place_of(&pool, c, patch, pixel / pool.size, pixel % pool.size) + row;
                TYPED(pass)(left, x + place, ROW(Y, 0) + at, dx + place, count, one);
            }
            m += count;
        }
    }
}
