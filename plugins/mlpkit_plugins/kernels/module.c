/* The module mlpkit_plugins.kernels.compiled. */
#define MLPKIT_IMPORTS_NUMPY
#include "amx.h"
#include "arguments.h"
#include "blas_threads.h"
#include "multiply.h"

#define KERNEL(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, "As in with_numpy.py."}

static PyMethodDef kernels[] = {
    KERNEL(product),
    KERNEL(product_plus_row),
    KERNEL(rectify),
    KERNEL(keep_where_positive),
    KERNEL(shift_transposed),
    KERNEL(pick_labels),
    KERNEL(normalize_columns),
    KERNEL(cross_entropy_gradient),
    KERNEL(descend),
    KERNEL(descend_adaptively),
    KERNEL(flush_subnormal),
    KERNEL(take_scaled),
    KERNEL(read_rows),
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
    return has_amx() && blas_shares_team() ? "compiled kernels with AMX" : "compiled kernels";
}

PyMODINIT_FUNC PyInit_compiled(void)
{
    import_array();
    share_team_with_blas();
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddStringConstant(module, "PRODUCTS_BY", products_by()) < 0) {
        Py_CLEAR(module);
    }
    return module;
}
