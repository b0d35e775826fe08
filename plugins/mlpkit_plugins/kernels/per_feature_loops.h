/* Loops with a number per feature, which is a column of the matrices; included by floating_types.h. */

VECTORIZED static void TYPED(prelu)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, Y, SLOPE };
    const T *slope = ROW(SLOPE, 0);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i);
        T *y = ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            y[j] = x[j] < 0 ? x[j] * slope[j] : x[j];
        }
    }
}

VECTORIZED static void TYPED(prelu_gradient)(const Matrix *arrays, const double *numbers)
{
    enum { DY, X, PRODUCTS, DX, SLOPE };
    const T *slope = ROW(SLOPE, 0);
    T one = (T)numbers[0];
    for (npy_intp i = 0; i < arrays[DY].rows; i++) {
        const T *dy = ROW(DY, i), *x = ROW(X, i);
        T *products = ROW(PRODUCTS, i), *dx = ROW(DX, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[DY].columns; j++) {
            T factor = x[j] > 0 ? one : slope[j], upstream = dy[j];
            products[j] = upstream * (x[j] > 0 ? (T)0 : x[j]);
            dx[j] = upstream * factor;
        }
    }
}

VECTORIZED static void TYPED(lerp)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, END, Y, WEIGHT };
    const T *weight = ROW(WEIGHT, 0);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i), *end = ROW(END, i);
        T *y = ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            y[j] = x[j] + (end[j] - x[j]) * weight[j];
        }
    }
}

VECTORIZED static void TYPED(lerp_gradient)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { DY, X, END, SLOPE, PRODUCTS, DX, WEIGHT };
    const T *weight = ROW(WEIGHT, 0);
    for (npy_intp i = 0; i < arrays[DY].rows; i++) {
        const T *dy = ROW(DY, i), *x = ROW(X, i), *end = ROW(END, i), *slope = ROW(SLOPE, i);
        T *products = ROW(PRODUCTS, i), *dx = ROW(DX, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[DY].columns; j++) {
            T upstream = dy[j];
            products[j] = upstream * (end[j] - x[j]);
            dx[j] = upstream * ((slope[j] - 1) * weight[j] + 1);
        }
    }
}

VECTORIZED static void TYPED(normalize)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, NORMALIZED, Y, MEAN, SCALE, GAMMA, BETA };
    const T *mean = ROW(MEAN, 0), *scale = ROW(SCALE, 0), *gamma = ROW(GAMMA, 0), *beta = ROW(BETA, 0);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i);
        T *normalized = ROW(NORMALIZED, i), *y = ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            T unscaled = (x[j] - mean[j]) * scale[j];
            normalized[j] = unscaled;
            y[j] = unscaled * gamma[j] + beta[j];
        }
    }
}

VECTORIZED static void TYPED(normalize_gradient)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { DY, NORMALIZED, DX, MEAN, ALONG, FACTOR };
    const T *mean = ROW(MEAN, 0), *along = ROW(ALONG, 0), *factor = ROW(FACTOR, 0);
    for (npy_intp i = 0; i < arrays[DY].rows; i++) {
        const T *dy = ROW(DY, i), *normalized = ROW(NORMALIZED, i);
        T *dx = ROW(DX, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[DY].columns; j++) {
            dx[j] = (dy[j] - mean[j] - normalized[j] * along[j]) * factor[j];
        }
    }
}

VECTORIZED static void TYPED(scale_features)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, Y, SCALE };
    const T *scale = ROW(SCALE, 0);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i);
        T *y = ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            y[j] = x[j] * scale[j];
        }
    }
}

VECTORIZED static void TYPED(scale_and_shift_features)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, Y, SCALE, SHIFT };
    const T *scale = ROW(SCALE, 0), *shift = ROW(SHIFT, 0);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i);
        T *y = ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            y[j] = x[j] * scale[j] + shift[j];
        }
    }
}

/* Sums are added up in the order of rows, as in NumPy. The second array has as many rows as x, or one. */
#define ROW_OR_ONLY_ROW(array, i) (arrays[array].rows > 1 ? ROW(array, i) : ROW(array, 0))

static inline void TYPED(set_to_zero)(T *sum, npy_intp columns)
{
    for (npy_intp j = 0; j < columns; j++) {
        sum[j] = 0;
    }
}

VECTORIZED static void TYPED(feature_sums)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, SUM };
    T *sum = ROW(SUM, 0);
    TYPED(set_to_zero)(sum, arrays[X].columns);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            sum[j] += x[j];
        }
    }
}

VECTORIZED static void TYPED(feature_sums_of_products)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, Y, SUM };
    T *sum = ROW(SUM, 0);
    TYPED(set_to_zero)(sum, arrays[X].columns);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i), *y = ROW_OR_ONLY_ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            sum[j] += x[j] * y[j];
        }
    }
}

VECTORIZED static void TYPED(feature_sums_of_squares)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, MEAN, SUM };
    T *sum = ROW(SUM, 0);
    TYPED(set_to_zero)(sum, arrays[X].columns);
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i), *mean = ROW_OR_ONLY_ROW(MEAN, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            sum[j] += (x[j] - mean[j]) * (x[j] - mean[j]);
        }
    }
}

#undef ROW_OR_ONLY_ROW
