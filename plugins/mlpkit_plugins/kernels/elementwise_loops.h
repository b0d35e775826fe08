/* The rectified linear unit, and a product with a number; included by floating_types.h. */

VECTORIZED static void TYPED(rectify)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, Y };
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i);
        T *y = ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            y[j] = x[j] <= 0 ? 0 : x[j];
        }
    }
}

VECTORIZED static void TYPED(keep_where_positive)(const Matrix *arrays, const double *numbers)
{
    enum { DY, Y, DX };
    T one = (T)numbers[0];
    for (npy_intp i = 0; i < arrays[DY].rows; i++) {
        const T *dy = ROW(DY, i), *y = ROW(Y, i);
        T *dx = ROW(DX, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[DY].columns; j++) {
            dx[j] = dy[j] * (y[j] > 0 ? one : (T)0);
        }
    }
}

VECTORIZED static void TYPED(scale_elements)(const Matrix *arrays, const double *numbers)
{
    enum { X, Y };
    T factor = (T)numbers[0];
    for (npy_intp i = 0; i < arrays[X].rows; i++) {
        const T *x = ROW(X, i);
        T *y = ROW(Y, i);
        INDEPENDENT
        for (npy_intp j = 0; j < arrays[X].columns; j++) {
            y[j] = x[j] * factor;
        }
    }
}
