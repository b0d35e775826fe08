/* The module mlpkit_plugins.kernels.compiled. */
#define MLPKIT_IMPORTS_NUMPY
#include "amx.h"
#include "arguments.h"
#include "blas_threads.h"
#include "compute_mode.h"
#include "instruction_set.h"
#include "multiply.h"

/* These are also methods of context managers, and ignore their arguments. */
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

/* What to do after a kernel returned NULL: nothing, if an error is set. */
static PyObject *leave_to_numpy(const char *name, PyObject *const *arguments, Py_ssize_t count)
{
    return PyErr_Occurred() ? NULL : with_numpy(name, arguments, count);
}

#define KERNEL(name, expected)                                                                                         \
    static PyObject *method_##name(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)          \
    {                                                                                                                  \
        PyObject *result = count == expected ? kernel_##name(arguments) : NULL;                                        \
        return result != NULL ? result : leave_to_numpy(#name, arguments, count);                                      \
    }
#include "kernel_list.h"

#define METHOD(name, function) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, "As in with_numpy.py."}

static PyMethodDef methods[] = {
#define KERNEL(name, count) METHOD(#name, method_##name),
#include "kernel_list.h"
    METHOD("begin_sharing_threads", begin_sharing_threads),
    METHOD("end_sharing_threads", end_sharing_threads),
    METHOD("begin_row_order", begin_rows),
    METHOD("end_row_order", end_rows),
    METHOD("begin_bfloat16", begin_rounding),
    METHOD("end_bfloat16", end_rounding),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "compiled", .m_doc = "The kernels, compiled.",
                                        .m_size = -1, .m_methods = methods};

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
    find_blas();
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && (PyModule_AddStringConstant(module, "PRODUCTS_BY", products_by()) < 0 ||
                           PyModule_AddStringConstant(module, "INSTRUCTIONS", instructions()) < 0)) {
        Py_CLEAR(module);
    }
    return module;
}
