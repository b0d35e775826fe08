/* Bytes to scaled numbers; included by floating_types.h. */

VECTORIZED static void TYPED(take_scaled)(const Matrix *arrays, const double *numbers)
{
    enum { OUT, INDICES, BYTES };
    T *out = ROW(OUT, 0), scale = (T)numbers[0];
    npy_intp rows = arrays[OUT].rows, columns = arrays[OUT].columns;
    const npy_int64 *indices = (const npy_int64 *)arrays[INDICES].data;
    const npy_uint8 *bytes = (const npy_uint8 *)arrays[BYTES].data;
    for (npy_intp i = 0; i < rows; i++) {
        const npy_uint8 *from = bytes + indices[i] * columns;
        T *to = out + i * columns;
        if (i + ROWS_TO_PREFETCH < rows) {
            prefetch_row((const char *)bytes + indices[i + ROWS_TO_PREFETCH] * columns, columns);
        }
        INDEPENDENT
        for (npy_intp j = 0; j < columns; j++) {
            to[j] = (T)from[j] * scale;
        }
    }
}
