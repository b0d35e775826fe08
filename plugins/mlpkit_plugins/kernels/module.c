/* The module mlpkit_plugins.kernels.compiled. */
#define MLPKIT_IMPORTS_NUMPY
#include "amx.h"
#include "arguments.h"
#include "blas_threads.h"
#include "compute_mode.h"
#include "instruction_set.h"
#include "multiply.h"

/* What begins and ends a block is the method of a context manager, too, and ignores its arguments. */
#define BLOCK_METHOD PyObject *Py_UNUSED(module), PyObject *const *Py_UNUSED(arguments), Py_ssize_t Py_UNUSED(count)

static PyObject *begin_sharing_threads(BLOCK_METHOD)
{
    Py_BEGIN_ALLOW_THREADS
    begin_sharing_team();
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *end_sharing_threads(BLOCK_METHOD)
{
    end_sharing_team();
    Py_RETURN_NONE;
}

static PyObject *begin_rows(BLOCK_METHOD)
{
    begin_row_order();
    Py_RETURN_NONE;
}

static PyObject *end_rows(BLOCK_METHOD)
{
    end_row_order();
    Py_RETURN_NONE;
}

static PyObject *begin_rounding(BLOCK_METHOD)
{
    begin_bfloat16();
    Py_RETURN_NONE;
}

static PyObject *end_rounding(BLOCK_METHOD)
{
    end_bfloat16();
    Py_RETURN_NONE;
}

#define AS_IN_NUMPY "As in with_numpy.py."
#define KERNEL_AS(name, function) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, AS_IN_NUMPY}
#define KERNEL(name) KERNEL_AS(#name, name)
#define VALUE_KERNEL(name, parameters) KERNEL_AS(#name, name##_of),
#define GRADIENT_KERNEL(name, parameters) KERNEL_AS(#name "_gradient", name##_gradient_of),

static PyMethodDef kernels[] = {
    KERNEL(product),
    KERNEL(product_plus_row),
    KERNEL(convolution),
    KERNEL(convolution_inputs_gradient),
    KERNEL(convolution_weights_gradient),
    KERNEL(pad_images),
    KERNEL(flatten_images),
    KERNEL(average_pool),
    KERNEL(max_pool),
    KERNEL(max_pool_gradient),
    KERNEL(rectify),
    KERNEL(keep_where_positive),
    KERNEL(drop),
    KERNEL(philox_words),
    KERNEL(scale_elements),
    KERNEL(normalize),
    KERNEL(normalize_gradient),
    KERNEL(scale_features),
    KERNEL(scale_and_shift_features),
    KERNEL(feature_sums),
    KERNEL(feature_sums_of_products),
    KERNEL(feature_sums_of_squares),
    KERNEL(prelu),
    KERNEL(prelu_gradient),
    KERNEL(lerp),
    KERNEL(lerp_gradient),
    KERNEL(shift_transposed),
    KERNEL(pick_labels),
    KERNEL(normalize_columns),
    KERNEL(cross_entropy_gradient),
    KERNEL(descend),
    KERNEL(descend_adaptively),
    KERNEL(flush_subnormal),
    KERNEL(take_scaled),
    KERNEL(take_rows),
    KERNEL(begin_sharing_threads),
    KERNEL(end_sharing_threads),
    KERNEL_AS("begin_row_order", begin_rows),
    KERNEL_AS("end_row_order", end_rows),
    KERNEL_AS("begin_bfloat16", begin_rounding),
    KERNEL_AS("end_bfloat16", end_rounding),
    KERNEL(read_rows),
    {"read_csv_records", read_csv_records, METH_VARARGS, AS_IN_NUMPY},
    {"distinct_fields", distinct_fields, METH_VARARGS, AS_IN_NUMPY},
    VALUES(VALUE_KERNEL)
    SLOPES(GRADIENT_KERNEL)
    KERNEL_AS("exp", exp_of),
    KERNEL_AS("cos", cos_of),
    KERNEL_AS("sin", sin_of),
    KERNEL(softmax),
    KERNEL(normalize_rows),
    KERNEL(normalize_rows_gradient),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "compiled", "The kernels, compiled: what with_numpy.py computes, sooner.", -1, kernels,
    NULL, NULL, NULL, NULL,
};

static const char *products_by(void)
{
    if (!can_multiply()) {
        return "NumPy";
    }
    if (!blas_can_share_team()) {
        return "compiled kernels, large products by BLAS";
    }
    return has_amx() ? "compiled kernels with AMX" : "compiled kernels";
}

static const char *instructions(void)
{
    const InstructionSet *set = instruction_set();
    return set == NULL ? "" : set->name;
}

PyMODINIT_FUNC PyInit_compiled(void)
{
    import_array();
    look_for_blas();
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && (PyModule_AddStringConstant(module, "PRODUCTS_BY", products_by()) < 0 ||
                           PyModule_AddStringConstant(module, "INSTRUCTIONS", instructions()) < 0)) {
        Py_CLEAR(module);
    }
    return module;
}
