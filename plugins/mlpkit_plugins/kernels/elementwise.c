/* The rectified linear unit, and a product with a number. */
#include "compute_mode.h"
#include "functions.h"

#define LOOPS "elementwise_loops.h"
#include "floating_types.h"

PyObject *kernel_rectify(PyObject *const *arguments)
{
    enum { X, OUT };
    Matrix arrays[2];
    int type = floating_type(arguments[X]);
    if (type < 0 || !read_elements(arguments, 2, type, arrays)) {
        return in_row_order() ? apply(rectify_float32, arguments, 2, NULL) : NULL;
    }
    run(type, BOTH(rectify), arrays, 2, 2, NULL);
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_keep_where_positive(PyObject *const *arguments)
{
    enum { DY, Y, OUT };
    Matrix arrays[3];
    int type = floating_type(arguments[DY]);
    if (type < 0 || !read_elements(arguments, 3, type, arrays)) {
        return NULL;
    }
    const double one = 1; /* unknown to the compiler: a product with it flushes subnormal numbers, a copy doesn't */
    run(type, BOTH(keep_where_positive), arrays, 3, 3, &one);
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_scale_elements(PyObject *const *arguments)
{
    enum { X, FACTOR, OUT };
    Matrix arrays[2];
    double factor;
    int type = floating_type(arguments[X]);
    if (type < 0 || !read_number(arguments[FACTOR], &factor) ||
        !read_elements((PyObject *[]){arguments[X], arguments[OUT]}, 2, type, arrays)) {
        return NULL;
    }
    run(type, BOTH(scale_elements), arrays, 2, 2, &factor);
    return Py_NewRef(arguments[OUT]);
}
