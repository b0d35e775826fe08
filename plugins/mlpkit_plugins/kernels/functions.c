/* Functions of elements. */
#include "functions.h"

#include "compute_mode.h"
#include "instruction_set.h"

#include <string.h>

/* The loops that compute by rows, if this thread does. */
static const RowLoops *loops_by_rows(void) { return in_row_order() ? instruction_set()->loops : NULL; }

static int is_float32(PyObject *object)
{
    return PyArray_Check(object) && PyArray_TYPE((PyArrayObject *)object) == NPY_FLOAT;
}

/* The same on copies of the inputs, the first of which becomes the output. */
static PyObject *apply_to_copies(Loop loop, PyObject *const *arrays, int count, const double *numbers)
{
    PyObject *copies[MOST_ARRAYS] = {NULL};
    Matrix all[MOST_ARRAYS];
    int made = 0, done = 0;
    for (; made + 1 < count && (copies[made] = float32_copy(arrays[made])) != NULL; made++) {
        PyArrayObject *copy = (PyArrayObject *)copies[made];
        all[made] = (Matrix){PyArray_BYTES(copy), 1, PyArray_SIZE(copy), PyArray_SIZE(copy), sizeof(float)};
    }
    if (made + 1 == count) {
        all[made] = all[0];
        run(NPY_FLOAT, &loop, all, count, count, numbers);
        done = PyArray_CopyInto((PyArrayObject *)arrays[made], (PyArrayObject *)copies[0]) == 0;
    }
    while (made > 0) {
        Py_DECREF(copies[--made]);
    }
    return done ? Py_NewRef(arrays[count - 1]) : NULL;
}

PyObject *apply(Loop loop, PyObject *const *arrays, int count, const double *numbers)
{
    for (int k = 0; k < count; k++) {
        if (!is_float32(arrays[k]) || PyArray_SIZE((PyArrayObject *)arrays[k]) == 0 ||
            !PyArray_SAMESHAPE((PyArrayObject *)arrays[k], (PyArrayObject *)arrays[0])) {
            return NULL;
        }
    }
    Matrix all[MOST_ARRAYS];
    if (!read_elements(arrays, count, NPY_FLOAT, all)) {
        return apply_to_copies(loop, arrays, count, numbers);
    }
    run(NPY_FLOAT, &loop, all, count, count, numbers);
    return Py_NewRef(arrays[count - 1]);
}

/* Call a loop with arguments as with_numpy.py has them: the inputs, the parameter if there is one, the output. */
static PyObject *call(const char *name, const Loop *loop, int arrays, int parameters, PyObject *const *arguments,
                      Py_ssize_t count)
{
    double parameter = 0;
    PyObject *result = NULL;
    if (loop != NULL && count == arrays + parameters && (!parameters || read_number(arguments[count - 2], &parameter))) {
        PyObject *given[MOST_ARRAYS];
        memcpy(given, arguments, (size_t)arrays * sizeof *given);
        given[arrays - 1] = arguments[count - 1];
        if (PyFloat_Check(given[0]) && is_float32(given[arrays - 1])) { /* the same dy for all elements */
            if (PyArray_FillWithScalar((PyArrayObject *)given[arrays - 1], given[0]) < 0) {
                return NULL;
            }
            given[0] = given[arrays - 1];
        }
        result = apply(*loop, given, arrays, &parameter);
    }
    return result != NULL || PyErr_Occurred() ? result : with_numpy(name, arguments, count);
}

static const RowLoops *loops_of_functions(void)
{
    const InstructionSet *set = instruction_set();
    return set == NULL ? NULL : set->loops;
}

#define DEFINE_VALUE(name, parameters)                                                                                 \
    PyObject *name##_of(SIGNATURE)                                                                                     \
    {                                                                                                                  \
        const RowLoops *loops = loops_of_functions();                                                                  \
        return call(#name, loops ? &loops->name : NULL, 2, parameters, arguments, count);                              \
    }

#define DEFINE_GRADIENT(name, parameters)                                                                              \
    PyObject *name##_gradient_of(SIGNATURE)                                                                            \
    {                                                                                                                  \
        const RowLoops *loops = loops_of_functions();                                                                  \
        return call(#name "_gradient", loops ? &loops->name##_gradient : NULL, 3, parameters, arguments, count);       \
    }

VALUES(DEFINE_VALUE)
SLOPES(DEFINE_GRADIENT)

PyObject *exp_of(SIGNATURE)
{
    const RowLoops *loops = loops_by_rows();
    return call("exp", loops ? &loops->exp : NULL, 2, 0, arguments, count);
}

#define DEFINE_WAVE(name)                                                                                              \
    PyObject *name##_of(SIGNATURE)                                                                                     \
    {                                                                                                                  \
        const RowLoops *loops = loops_of_functions();                                                                  \
        return call(#name, loops ? &loops->name : NULL, 2, 0, arguments, count);                                       \
    }

DEFINE_WAVE(cos)
DEFINE_WAVE(sin)
