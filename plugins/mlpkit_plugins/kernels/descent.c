/* Steps of optimizers. */
#include "loops.h"

#define LOOPS "descent_loops.h"
#include "floating_types.h"

/* Read contiguous arrays of one shape that don't overlap; all but the second are outputs. */
static int read_blocks(PyObject *const *arguments, int count, int type, Matrix *blocks)
{
    for (int i = 0; i < count; i++) {
        if (!read_matrix(arguments[i], type, i != 1, &blocks[i])) {
            return 0;
        }
        for (int j = 0; j < i; j++) {
            if (blocks[i].data == blocks[j].data || !is_safe_output(&blocks[i], &blocks[j])) {
                return 0;
            }
        }
    }
    return same_shape(blocks, count) && blocks[0].rows == 1;
}

PyObject *kernel_descend(PyObject *const *arguments)
{
    enum { VALUE, GRADIENT, LENGTH };
    Matrix blocks[2];
    double length;
    int type = floating_type(arguments[VALUE]);
    if (type < 0 || !read_number(arguments[LENGTH], &length) || !read_blocks(arguments, 2, type, blocks)) {
        return NULL;
    }
    run(type, BOTH(descend), blocks, 2, 2, &length);
    Py_RETURN_NONE;
}

PyObject *kernel_descend_adaptively(PyObject *const *arguments)
{
    enum { VALUE, GRADIENT, M, V, BETA1, KEPT = 10 };
    Matrix blocks[4];
    double numbers[KEPT - BETA1 + 1]; /* beta1, beta2, correction1, correction2, epsilon, learning_rate, kept */
    int type = floating_type(arguments[VALUE]);
    if (type < 0 || !read_blocks(arguments, 4, type, blocks)) {
        return NULL;
    }
    for (int i = BETA1; i <= KEPT; i++) {
        if (!read_number(arguments[i], &numbers[i - BETA1])) {
            return NULL;
        }
    }
    run(type, BOTH(descend_adaptively), blocks, 4, 4, numbers);
    Py_RETURN_NONE;
}

PyObject *kernel_flush_subnormal(PyObject *const *arguments)
{
    enum { X };
    Matrix block;
    int type = floating_type(arguments[X]);
    if (type < 0 || !read_matrix(arguments[X], type, 1, &block) || !same_shape(&block, 1) || block.rows != 1) {
        return NULL;
    }
    run(type, BOTH(flush_subnormal), &block, 1, 1, NULL);
    Py_RETURN_NONE;
}
