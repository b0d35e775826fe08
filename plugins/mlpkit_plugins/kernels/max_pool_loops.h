/* Max pooling; included by floating_types.h. A row of an array is a column of patches. */

/* NaN stays NaN, as in NumPy. */
static inline T TYPED(larger)(T x, T y) { return x >= y || x != x ? x : y; }

VECTORIZED static void TYPED(take_larger)(T *y, const T *x, npy_intp pixels, npy_intp step, npy_intp rows)
{
    for (npy_intp i = 0; i < pixels; i++) {
        INDEPENDENT
        for (npy_intp n = 0; n < rows; n++) {
            y[i * rows + n] = TYPED(larger)(y[i * rows + n], x[i * step * rows + n]);
        }
    }
}

INLINED void TYPED(take_patches)(T *y, const T *largest, npy_intp channels, const Pool *pool, npy_intp rows)
{
    for (npy_intp c = 0; c < channels; c++) {
        for (npy_intp i = 0; i < pool->down; i++) {
            for (npy_intp n = 0; n < rows; n++) {
                *y++ = largest[(c * pool->height + i * pool->stride) * rows + n];
            }
        }
    }
}

/* Pool a column of patches of some channels, first across and then down. The patches start at every pixel, since loops
 * over all pixels are contiguous. */
VECTORIZED static void TYPED(pool_few)(T *y, const T *x, npy_intp channels, const Pool *pool)
{
    T across[NUMBERS_AT_ONCE], largest[NUMBERS_AT_ONCE];
    npy_intp pixels = channels * pool->height * pool->rows;
    const T *in_row = x, *in_patch;
    for (npy_intp q = 1; q < pool->size; q++, in_row = across) {
        const T *right = x + place_of(pool, 0, 0, 0, q);
        INDEPENDENT
        for (npy_intp m = 0; m < pixels; m++) {
            across[m] = TYPED(larger)(in_row[m], right[m]);
        }
    }
    in_patch = in_row;
    for (npy_intp p = 1; p < pool->size; p++, in_patch = largest) {
        const T *below = in_row + p * pool->rows;
        INDEPENDENT
        for (npy_intp m = 0; m < pixels - p * pool->rows; m++) {
            largest[m] = TYPED(larger)(in_patch[m], below[m]);
        }
    }
    if (pool->rows == 1) {
        TYPED(take_patches)(y, in_patch, channels, pool, 1);
    }
    else {
        TYPED(take_patches)(y, in_patch, channels, pool, pool->rows);
    }
}

static void TYPED(max_pool)(const Matrix *arrays, const double *numbers)
{
    enum { X, Y };
    Pool pool = pool_of(numbers);
    npy_intp at_once = NUMBERS_AT_ONCE / (pool.height * pool.rows);
    if (at_once > 0) {
        for (npy_intp j = 0; j < arrays[Y].rows; j++) {
            for (npy_intp c = 0; c < pool.channels; c += at_once) {
                TYPED(pool_few)(ROW(Y, j) + c * pool.down * pool.rows, ROW(X, j) + c * pool.height * pool.rows,
                                min(at_once, pool.channels - c), &pool);
            }
        }
        return;
    }
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
