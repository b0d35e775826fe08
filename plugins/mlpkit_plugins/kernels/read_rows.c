/* Reading rows of an array that stays in its file. */
#include "arguments.h" /* first: Python.h selects the POSIX functions that system headers declare */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#ifdef _WIN32
#include <io.h>
#include <windows.h>

/* Read at most that many bytes at an offset of a file, as POSIX does. */
static ptrdiff_t pread(int descriptor, void *to, size_t bytes, int64_t place)
{
    OVERLAPPED from = {.Offset = (DWORD)place, .OffsetHigh = (DWORD)(place >> 32)};
    DWORD some = bytes < 1u << 30 ? (DWORD)bytes : 1u << 30, received = 0;
    if (!ReadFile((HANDLE)_get_osfhandle(descriptor), to, some, &received, &from) &&
        GetLastError() != ERROR_HANDLE_EOF) {
        errno = EIO;
        return -1;
    }
    return received;
}
#else
#include <unistd.h>
#endif

/* Rows in ascending order are read together with the bytes between them, up to a window of this size. */
#define WINDOW_BYTES 65536

/* Reading this many bytes between two such rows costs less than another system call. */
#define MAX_BYTES_BETWEEN_ROWS 4096

/* Read bytes at an offset of a file and return how many: fewer only at the end of the file, -1 after an error. */
static ptrdiff_t read_at(int descriptor, char *to, size_t bytes, int64_t place)
{
    size_t received = 0;
    while (received < bytes) {
        ptrdiff_t came = pread(descriptor, to + received, bytes - received, place + (int64_t)received);
        if (came == 0) {
            break;
        }
        if (came < 0 && errno != EINTR) {
            return -1;
        }
        received += came > 0 ? (size_t)came : 0;
    }
    return (ptrdiff_t)received;
}

/* Return how many of the first rows are consecutive in the file too. */
static npy_intp run_of(const npy_int64 *indices, npy_intp rows)
{
    npy_intp length = 1;
    while (length < rows && indices[length] == indices[0] + length) {
        length++;
    }
    return length;
}

/* Return how many of the first rows are in ascending order within a window of the file. */
static npy_intp rows_in_window(const npy_int64 *indices, npy_intp rows, npy_intp bytes)
{
    npy_intp length = 1;
    while (length < rows && indices[length] > indices[length - 1] && /* so differences are at least 1 */
           (npy_uint64)indices[length] - (npy_uint64)indices[length - 1] - 1 <=
               (npy_uint64)(MAX_BYTES_BETWEEN_ROWS / bytes) &&
           (npy_uint64)indices[length] - (npy_uint64)indices[0] + 1 <= (npy_uint64)(WINDOW_BYTES / bytes)) {
        length++;
    }
    return length;
}

/* Read as many of the first rows as one system call can, and return how many; 0 at the end of the file, -1 after an
 * error. */
static npy_intp read_some(int descriptor, long long start, const npy_int64 *indices, npy_intp rows, npy_intp bytes,
                          char *out)
{
    char window[WINDOW_BYTES];
    npy_intp run = run_of(indices, rows), nearby = rows_in_window(indices, rows, bytes);
    npy_intp some = nearby > run ? nearby : run, span = (indices[some - 1] - indices[0] + 1) * bytes;
    char *to = nearby > run ? window : out;
    ptrdiff_t received = read_at(descriptor, to, (size_t)span, start + indices[0] * bytes);
    if (received < span) {
        return received < 0 ? -1 : 0;
    }
    for (npy_intp i = 0; to == window && i < some; i++) {
        memcpy(out + i * bytes, window + (indices[i] - indices[0]) * bytes, (size_t)bytes);
    }
    return some;
}

PyObject *kernel_read_rows(PyObject *const *arguments)
{
    enum { DESCRIPTOR, START, INDICES, ROWS };
    if (!PyLong_Check(arguments[DESCRIPTOR]) || !PyLong_Check(arguments[START]) || !PyArray_Check(arguments[INDICES]) ||
        !PyArray_Check(arguments[ROWS])) {
        return NULL;
    }
    PyArrayObject *indices = (PyArrayObject *)arguments[INDICES], *out = (PyArrayObject *)arguments[ROWS];
    if (PyArray_TYPE(indices) != NPY_INT64 || PyArray_NDIM(indices) != 1 || !PyArray_ISCARRAY_RO(indices) ||
        !PyArray_ISBEHAVED(out) || !PyArray_IS_C_CONTIGUOUS(out) || PyArray_NDIM(out) < 1 || PyArray_SIZE(out) == 0 ||
        PyArray_DIM(out, 0) != PyArray_DIM(indices, 0)) {
        return NULL;
    }
    int descriptor = PyObject_AsFileDescriptor(arguments[DESCRIPTOR]);
    long long start = PyLong_AsLongLong(arguments[START]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    const npy_int64 *places = (const npy_int64 *)PyArray_DATA(indices);
    npy_intp rows = PyArray_DIM(out, 0), bytes = PyArray_NBYTES(out) / rows, whole = 0, some = 1;
    Py_BEGIN_ALLOW_THREADS
    while (whole < rows && some > 0) {
        some = read_some(descriptor, start, places + whole, rows - whole, bytes, PyArray_BYTES(out) + whole * bytes);
        whole += some > 0 ? some : 0;
    }
    Py_END_ALLOW_THREADS
    if (some < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyBool_FromLong(whole == rows);
}
