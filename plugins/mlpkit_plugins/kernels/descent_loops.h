/* Steps of optimizers on blocks of parameters, each a single row; included by floating_types.h. */

/* Subnormal numbers become 0. */
static inline T TYPED(flushed)(T x) { return x < LEAST_NORMAL && x > -LEAST_NORMAL ? 0 : x; }

VECTORIZED static void TYPED(descend)(const Matrix *arrays, const double *numbers)
{
    enum { VALUE, GRADIENT };
    T *value = ROW(VALUE, 0), length = (T)numbers[0];
    const T *gradient = ROW(GRADIENT, 0);
    INDEPENDENT
    for (npy_intp i = 0; i < arrays[VALUE].columns; i++) {
        value[i] = value[i] - gradient[i] * length;
    }
}

VECTORIZED static void TYPED(descend_adaptively)(const Matrix *arrays, const double *numbers)
{
    enum { VALUE, GRADIENT, M, V };
    double beta1 = numbers[0], beta2 = numbers[1], correction1 = numbers[2], correction2 = numbers[3];
    double epsilon = numbers[4], learning_rate = numbers[5], kept = numbers[6];
    double least_epsilon = sqrt(LEAST_NORMAL / (1 - beta2));
    T *value = ROW(VALUE, 0), *m = ROW(M, 0), *v = ROW(V, 0);
    const T *gradient = ROW(GRADIENT, 0);
    T kept_m = (T)beta1, new_m = (T)(1 - beta1), kept_v = (T)beta2, new_v = (T)(1 - beta2);
    T scale = (T)(1 / sqrt(correction2)), added = (T)(epsilon > least_epsilon ? epsilon : least_epsilon);
    T length = (T)(learning_rate / correction1), kept_value = (T)kept;
    INDEPENDENT
    for (npy_intp i = 0; i < arrays[VALUE].columns; i++) {
        T mean = m[i] * kept_m + gradient[i] * new_m, square = v[i] * kept_v + gradient[i] * gradient[i] * new_v;
        m[i] = TYPED(flushed)(mean);
        v[i] = TYPED(flushed)(square);
        value[i] = value[i] * kept_value - m[i] / (SQUARE_ROOT(v[i]) * scale + added) * length;
    }
}

VECTORIZED static void TYPED(flush_subnormal)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X };
    T *x = ROW(X, 0);
    INDEPENDENT
    for (npy_intp i = 0; i < arrays[X].columns; i++) {
        x[i] = TYPED(flushed)(x[i]);
    }
}
