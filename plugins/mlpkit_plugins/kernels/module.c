/* The module mlpkit_plugins.kernels.compiled. */
#define MLPKIT_IMPORTS_NUMPY
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
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "compiled", "The kernels, compiled: what with_numpy.py computes, sooner.", -1, kernels,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_compiled(void)
{
    import_array();
    share_team_with_blas();
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddObjectRef(module, "MULTIPLIES", can_multiply() ? Py_True : Py_False) < 0) {
        Py_CLEAR(module);
    }
    return module;
}
