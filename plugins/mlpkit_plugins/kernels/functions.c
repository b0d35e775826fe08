/* Functions of elements. */
#include "functions.h"

#include "compute_mode.h"
#include "instruction_set.h"

#include <string.h>

static int is_float32(PyObject *object)
{
    return PyArray_Check(object) && PyArray_TYPE((PyArrayObject *)object) == NPY_FLOAT;
}

/* Apply the loop to copies of the inputs; the first copy becomes the output. */
static PyObject *apply_to_copies(Loop loop, PyObject *const *arrays, int count, const double *numbers)
{
    PyObject *copies[MAX_ARRAYS] = {NULL};
    Matrix all[MAX_ARRAYS];
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
    Matrix all[MAX_ARRAYS];
    if (!read_elements(arrays, count, NPY_FLOAT, all)) {
        return apply_to_copies(loop, arrays, count, numbers);
    }
    run(NPY_FLOAT, &loop, all, count, count, numbers);
    return Py_NewRef(arrays[count - 1]);
}

/* Call a loop with the arguments of a kernel: the inputs, the parameter if there is one, the output. */
static PyObject *call(const Loop *loop, int arrays, int parameters, PyObject *const *arguments)
{
    PyObject *parameter = arguments[arrays - 1], *out = arguments[arrays + parameters - 1];
    double number = 0;
    if (loop == NULL || (parameters && !read_number(parameter, &number))) {
        return NULL;
    }
    PyObject *operands[MAX_ARRAYS];
    memcpy(operands, arguments, (size_t)arrays * sizeof *operands);
    operands[arrays - 1] = out;
    if (PyFloat_Check(operands[0]) && is_float32(out)) { /* the same dy for all elements */
        if (PyArray_FillWithScalar((PyArrayObject *)out, operands[0]) < 0) {
            return NULL;
        }
        operands[0] = out;
    }
    return apply(*loop, operands, arrays, &number);
}

/* The loop of that name in the processor's instruction set, NULL if it has none. */
#define LOOP(name) (instruction_set() ? &instruction_set()->loops->name : NULL)

#define ACTIVATION(name, parameters)                                                                                   \
    PyObject *kernel_##name(PyObject *const *arguments) { return call(LOOP(name), 2, parameters, arguments); }         \
    PyObject *kernel_##name##_gradient(PyObject *const *arguments)                                                     \
    {                                                                                                                  \
        return call(LOOP(name##_gradient), 3, parameters, arguments);                                                  \
    }
#include "kernel_list.h"

PyObject *kernel_exp(PyObject *const *arguments) { return call(in_row_order() ? LOOP(exp) : NULL, 2, 0, arguments); }

PyObject *kernel_cos(PyObject *const *arguments) { return call(LOOP(cos), 2, 0, arguments); }

PyObject *kernel_sin(PyObject *const *arguments) { return call(LOOP(sin), 2, 0, arguments); }
