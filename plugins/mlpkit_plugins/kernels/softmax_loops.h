/* Softmax and cross-entropy on transposed logits; included by floating_types.h. */

VECTORIZED static void TYPED(shift_transposed)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { X, OUT };
    T largest[ROWS_PER_BLOCK];
    npy_intp rows = arrays[X].rows, row = arrays[X].stride, classes = arrays[OUT].rows;
    for (npy_intp begin = 0; begin < rows; begin += ROWS_PER_BLOCK) {
        npy_intp length = rows - begin < ROWS_PER_BLOCK ? rows - begin : ROWS_PER_BLOCK;
        const T *x = ROW(X, begin);
        for (npy_intp c = 0; c < classes; c++) {
            T *out = ROW(OUT, c) + begin;
            for (npy_intp i = 0; i < length; i++) {
                T element = x[i * row + c];
                out[i] = element;
                largest[i] = c == 0 || !(largest[i] >= element || largest[i] != largest[i]) ? element : largest[i];
            }
        }
        for (npy_intp c = 0; c < classes; c++) {
            T *out = ROW(OUT, c) + begin;
            INDEPENDENT
            for (npy_intp i = 0; i < length; i++) {
                out[i] = out[i] - largest[i];
            }
        }
    }
}

/* Return the first row whose label is out of range, -1 if all are valid. */
static npy_intp TYPED(pick_labels)(const Matrix *p, const npy_int64 *t, const Matrix *out)
{
    for (npy_intp i = 0; i < p->columns; i++) {
        if (t[i] < 0 || t[i] >= p->rows) {
            return i;
        }
        ((T *)out->data)[i] = ((const T *)p->data)[t[i] * p->stride + i];
    }
    return -1;
}

VECTORIZED static void TYPED(normalize_columns)(const Matrix *arrays, const double *Py_UNUSED(numbers))
{
    enum { P, TOTAL };
    npy_intp classes = arrays[P].rows, rows = arrays[P].columns;
    T *total = ROW(TOTAL, 0);
    for (npy_intp c = 0; c < classes; c++) {
        const T *p = ROW(P, c);
        INDEPENDENT
        for (npy_intp i = 0; i < rows; i++) {
            total[i] = c == 0 ? p[i] : total[i] + p[i];
        }
    }
    for (npy_intp c = 0; c < classes; c++) {
        T *p = ROW(P, c);
        INDEPENDENT
        for (npy_intp i = 0; i < rows; i++) {
            p[i] = p[i] / total[i];
        }
    }
}

VECTORIZED static void TYPED(cross_entropy_gradient)(const Matrix *arrays, const double *numbers)
{
    enum { P, DX, LABELS };
    npy_intp classes = arrays[P].rows, rows = arrays[P].columns, row = arrays[DX].stride;
    const npy_int64 *t = (const npy_int64 *)arrays[LABELS].data;
    T scale = (T)numbers[0];
    for (npy_intp c = 0; c < classes; c++) {
        const T *p = ROW(P, c);
        T *dx = ROW(DX, 0) + c;
        for (npy_intp i = 0; i < rows; i++) {
            dx[i * row] = (t[i] == c ? p[i] - 1 : p[i]) * scale;
        }
    }
}
