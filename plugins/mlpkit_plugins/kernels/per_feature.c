/* Layers with a number per feature; a feature is a column of the matrices. */
#include "loops.h"

#define LOOPS "per_feature_loops.h"
#include "floating_types.h"

/* Call a loop with the arguments of a kernel: inputs, rows with a number per feature, outputs. */
static PyObject *call(const Loop *loops, int inputs, int of_features, int outputs, PyObject *const *arguments)
{
    int arrays = inputs + outputs, count = arrays + of_features, type = floating_type(arguments[0]);
    int readable = type >= 0;
    Matrix all[MAX_ARRAYS];
    for (int k = 0; k < arrays && readable; k++) {
        PyObject *array = arguments[k < inputs ? k : k + of_features];
        readable = read_matrix(array, type, k >= inputs, &all[k]) && PyArray_NDIM((PyArrayObject *)array) == 2 &&
                   all[k].rows == all[0].rows && all[k].columns == all[0].columns;
        for (int before = 0; k >= inputs && before < k && readable; before++) {
            readable = is_safe_output(&all[k], &all[before]);
        }
    }
    for (int k = 0; k < of_features && readable; k++) {
        PyObject *row = arguments[inputs + k];
        readable = read_matrix(row, type, 0, &all[arrays + k]) && PyArray_NDIM((PyArrayObject *)row) == 1 &&
                   all[arrays + k].columns == all[0].columns;
        for (int output = inputs; output < arrays && readable; output++) {
            readable = all[output].data != all[arrays + k].data && is_safe_output(&all[output], &all[arrays + k]);
        }
    }
    if (!readable) {
        return NULL;
    }
    const double one = 1; /* unknown to the compiler: a product with it flushes subnormal numbers, a copy doesn't */
    run(type, loops, all, count, arrays, &one);
    return Py_NewRef(arguments[count - 1]);
}

/* Call a loop that sums columns. out is a row that overlaps no input. There are at least two columns: NumPy adds up a
 * single column in another order. */
static PyObject *sum(const Loop *loops, int others, int scratch, PyObject *const *arguments)
{
    int count = 2 + others + scratch, type = floating_type(arguments[0]);
    Matrix all[3];
    int readable = type >= 0;
    for (int k = 0; k < 2 + others && readable; k++) {
        PyObject *array = arguments[k <= others ? k : count - 1];
        int is_output = k > others;
        readable = read_matrix(array, type, is_output, &all[k]) && all[k].columns == all[0].columns &&
                   (all[k].rows == all[0].rows || all[k].rows == 1) &&
                   (!is_output || (PyArray_NDIM((PyArrayObject *)array) == 1));
        for (int before = 0; is_output && before < k && readable; before++) {
            readable = all[k].data != all[before].data && is_safe_output(&all[k], &all[before]);
        }
    }
    if (!readable || PyArray_NDIM((PyArrayObject *)arguments[0]) != 2 || all[0].columns < 2) {
        return NULL;
    }
    run_by_columns(type, loops, all, 2 + others);
    return Py_NewRef(arguments[count - 1]);
}

PyObject *kernel_prelu(PyObject *const *arguments) { return call(BOTH(prelu), 1, 1, 1, arguments); }

PyObject *kernel_prelu_gradient(PyObject *const *arguments) { return call(BOTH(prelu_gradient), 2, 1, 2, arguments); }

PyObject *kernel_lerp(PyObject *const *arguments) { return call(BOTH(lerp), 2, 1, 1, arguments); }

PyObject *kernel_lerp_gradient(PyObject *const *arguments) { return call(BOTH(lerp_gradient), 4, 1, 2, arguments); }

PyObject *kernel_normalize(PyObject *const *arguments) { return call(BOTH(normalize), 1, 4, 2, arguments); }

PyObject *kernel_normalize_gradient(PyObject *const *arguments)
{
    return call(BOTH(normalize_gradient), 2, 3, 1, arguments);
}

PyObject *kernel_scale_features(PyObject *const *arguments) { return call(BOTH(scale_features), 1, 1, 1, arguments); }

PyObject *kernel_scale_and_shift_features(PyObject *const *arguments)
{
    return call(BOTH(scale_and_shift_features), 1, 2, 1, arguments);
}

PyObject *kernel_feature_sums(PyObject *const *arguments) { return sum(BOTH(feature_sums), 0, 0, arguments); }

PyObject *kernel_feature_sums_of_products(PyObject *const *arguments)
{
    return sum(BOTH(feature_sums_of_products), 1, 1, arguments);
}

PyObject *kernel_feature_sums_of_squares(PyObject *const *arguments)
{
    return sum(BOTH(feature_sums_of_squares), 1, 1, arguments);
}
