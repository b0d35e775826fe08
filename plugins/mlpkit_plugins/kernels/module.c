/* The module mlpkit_plugins.kernels.compiled. */
#define MLPKIT_IMPORTS_NUMPY
#include "arguments.h"
#include "blas_threads.h"

#define KERNEL(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, "As in with_numpy.py."}

static PyMethodDef kernels[] = {
    KERNEL(add_row),
    KERNEL(product),
    KERNEL(rectify),
    KERNEL(keep_where_positive),
    KERNEL(shift_transposed),
    KERNEL(pick_labels),
    KERNEL(normalize_columns),
    KERNEL(cross_entropy_gradient),
    KERNEL(descend),
    KERNEL(descend_adaptively),
    KERNEL(take_scaled),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "compiled", "The kernels, compiled: the same bits as with_numpy.py, sooner.", -1, kernels,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_compiled(void)
{
    import_array();
    share_team_with_blas();
    return PyModule_Create(&definition);
}
