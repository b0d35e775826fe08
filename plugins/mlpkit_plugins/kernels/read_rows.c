/* Reading rows of an array that stays in its file. */
#include "arguments.h" /* first: Python.h says which functions of POSIX the system's headers declare */

#include <errno.h>
#include <unistd.h>

/* Read that many bytes from a place in a file; fewer only at the end of the file, and -1 after an error. */
static ssize_t read_at(int descriptor, char *to, size_t bytes, off_t place)
{
    size_t received = 0;
    while (received < bytes) {
        ssize_t came = pread(descriptor, to + received, bytes - received, place + (off_t)received);
        if (came == 0) {
            break;
        }
        if (came < 0 && errno != EINTR) {
            return -1;
        }
        received += came > 0 ? (size_t)came : 0;
    }
    return (ssize_t)received;
}

/* Return how many rows, from the first on, are consecutive in the file too. */
static npy_intp run_of(const npy_int64 *indices, npy_intp rows)
{
    npy_intp length = 1;
    while (length < rows && indices[length] == indices[0] + length) {
        length++;
    }
    return length;
}

PyObject *read_rows(SIGNATURE)
{
    if (count != 4 || !PyLong_Check(arguments[0]) || !PyLong_Check(arguments[1]) || !PyArray_Check(arguments[2]) ||
        !PyArray_Check(arguments[3])) {
        return with_numpy("read_rows", arguments, count);
    }
    PyArrayObject *indices = (PyArrayObject *)arguments[2], *out = (PyArrayObject *)arguments[3];
    if (PyArray_TYPE(indices) != NPY_INT64 || PyArray_NDIM(indices) != 1 || !PyArray_ISCARRAY_RO(indices) ||
        !PyArray_ISBEHAVED(out) || !PyArray_IS_C_CONTIGUOUS(out) || PyArray_NDIM(out) < 1 || PyArray_DIM(out, 0) == 0 ||
        PyArray_DIM(out, 0) != PyArray_DIM(indices, 0)) {
        return with_numpy("read_rows", arguments, count);
    }
    int descriptor = PyObject_AsFileDescriptor(arguments[0]);
    long long start = PyLong_AsLongLong(arguments[1]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    const npy_int64 *places = (const npy_int64 *)PyArray_DATA(indices);
    npy_intp rows = PyArray_DIM(out, 0), bytes = PyArray_NBYTES(out) / rows, whole = 0;
    ssize_t received = 0;
    Py_BEGIN_ALLOW_THREADS
    while (whole < rows) {
        npy_intp run = run_of(places + whole, rows - whole);
        received = read_at(descriptor, PyArray_BYTES(out) + whole * bytes, (size_t)(run * bytes),
                           (off_t)(start + places[whole] * bytes));
        if (received < run * bytes) {
            break;
        }
        whole += run;
    }
    Py_END_ALLOW_THREADS
    if (received < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyBool_FromLong(whole == rows);
}
