#include "row_arguments.h"

/* The arrays of a call, or contiguous copies of them; the first ones, as many as cut says, have rows. */
typedef struct {
    const Parameter *parameters;
    PyArrayObject *held[MAX_ARRAYS];
    Matrix matrices[MAX_ARRAYS];
    int count, cut;
} Arrays;

static int fits(PyObject *object, const Parameter *parameter, PyArrayObject *x)
{
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_TYPE(array) != NPY_FLOAT ||
        (parameter->output && !PyArray_ISWRITEABLE(array))) {
        return 0;
    }
    int axes = PyArray_NDIM(array), of_row = parameter->shape == OF_A_ROW;
    const npy_intp *shape = PyArray_DIMS(x) + of_row;
    return axes == PyArray_NDIM(x) - of_row &&
           (parameter->shape == OF_ROWS ? PyArray_DIM(array, 0) == shape[0] && PyArray_SIZE(array) == shape[0]
                                        : PyArray_CompareLists(PyArray_DIMS(array), shape, axes));
}

/* Hold an array, or a copy, as a matrix with that many rows; 0 with an error set. */
static int hold(PyObject *object, npy_intp rows, int output, PyArrayObject **held, Matrix *matrix)
{
    if (PyArray_NDIM((PyArrayObject *)object) == 2 && read_matrix(object, NPY_FLOAT, output, matrix)) {
        *held = (PyArrayObject *)Py_NewRef(object);
        return 1;
    }
    int requirements = output ? NPY_ARRAY_INOUT_ARRAY2 : NPY_ARRAY_IN_ARRAY;
    PyArrayObject *array = *held = (PyArrayObject *)PyArray_FROM_OTF(object, NPY_FLOAT, requirements);
    if (array != NULL) {
        npy_intp columns = PyArray_SIZE(array) / rows;
        *matrix = (Matrix){PyArray_BYTES(array), rows, columns, columns, sizeof(float)};
    }
    return array != NULL;
}

/* Release the arrays, and write copies of outputs back if they were computed; 0 with an error set. */
static int release(Arrays *arrays, int computed)
{
    int written = 1;
    while (arrays->count > 0) {
        PyArrayObject *array = arrays->held[--arrays->count];
        if (computed) {
            written &= PyArray_ResolveWritebackIfCopy(array) >= 0;
        }
        else {
            PyArray_DiscardWritebackIfCopy(array);
        }
        Py_DECREF(array);
    }
    return written;
}

/* Whether no output overlaps another array; the last output may be the first input. */
static int outputs_are_safe(const Arrays *arrays)
{
    const Matrix *all = arrays->matrices;
    for (int k = 0; k < arrays->cut; k++) {
        for (int other = 0; other < arrays->count && arrays->parameters[k].output; other++) {
            int in_place = k == arrays->cut - 1 && other == 0;
            if (other != k &&
                ((all[k].data == all[other].data && !in_place) || !is_safe_output(&all[k], &all[other]))) {
                return 0;
            }
        }
    }
    return 1;
}

int call_on_rows(Loop loop, const Parameter *parameters, int cut, int of_a_row, const double *number,
                 PyObject *const *arguments)
{
    Arrays arrays = {.parameters = parameters, .cut = cut};
    PyArrayObject *x = (PyArrayObject *)arguments[0];
    if (!PyArray_Check(arguments[0]) || PyArray_NDIM(x) < 2 || PyArray_SIZE(x) == 0) {
        return 0;
    }
    for (int k = 0; k < cut + of_a_row; k++) {
        if (!fits(arguments[parameters[k].argument], &parameters[k], x)) {
            return 0;
        }
    }
    for (; arrays.count < cut + of_a_row; arrays.count++) {
        int k = arrays.count;
        if (!hold(arguments[parameters[k].argument], k < cut ? PyArray_DIM(x, 0) : 1, parameters[k].output,
                  &arrays.held[k], &arrays.matrices[k])) {
            release(&arrays, 0);
            return 0;
        }
    }
    if (!outputs_are_safe(&arrays)) {
        release(&arrays, 0);
        return 0;
    }
    run(NPY_FLOAT, &loop, arrays.matrices, arrays.count, cut, number);
    return release(&arrays, 1);
}
