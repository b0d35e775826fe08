/* Matrices of float32 that products read and write. */
#ifndef MLPKIT_OPERAND_H
#define MLPKIT_OPERAND_H

#include <stddef.h>

/* Element [i][j] is at data[i * row + j * column]. */
typedef struct {
    float *data;
    ptrdiff_t row, column;
} Operand;

/* The part of a matrix from element [i][j] on. */
static inline Operand part_from(Operand matrix, ptrdiff_t i, ptrdiff_t j)
{
    return (Operand){matrix.data + i * matrix.row + j * matrix.column, matrix.row, matrix.column};
}

static inline Operand transpose_of(Operand matrix) { return (Operand){matrix.data, matrix.column, matrix.row}; }

#endif
