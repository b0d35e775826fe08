/* A product with a number. */
#include "loops.h"

#define LOOPS(T, NAME)                                                                                                 \
    VECTORIZED static void scale_elements_##NAME(const Matrix *arrays, const double *numbers)                          \
    {                                                                                                                  \
        T factor = (T)numbers[0];                                                                                      \
        SET_ELEMENTS(T, x[j] * factor)                                                                                 \
    }

LOOPS(float, float32)
LOOPS(double, float64)

PyObject *scale_elements(SIGNATURE)
{
    Matrix all[2];
    double factor;
    int type = count == 3 ? floating_type(arguments[0]) : -1;
    if (type < 0 || !read_number(arguments[1], &factor) ||
        !read_elements((PyObject *[]){arguments[0], arguments[2]}, 2, type, all)) {
        return with_numpy("scale_elements", arguments, count);
    }
    run(type, BOTH(scale_elements), all, 2, 2, &factor);
    return Py_NewRef(arguments[2]);
}
