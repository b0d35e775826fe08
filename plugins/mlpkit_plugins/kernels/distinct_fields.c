/* The distinct fields of a column of a CSV file. */
#include "arguments.h"

#include <limits.h>
#include <string.h>

/* Distinct fields in the order of their first appearance, and a hash table of their bytes. */
typedef struct {
    const char *data;
    const npy_int32 *fields; /* as read_csv_records stores them */
    npy_intp step;           /* from a row's field to the next row's */
    npy_int32 *firsts, count;
    npy_int32 *slots; /* 1 + the number of a distinct field; 0 if free */
    uint32_t mask;
} Distinct;

static inline npy_int32 bytes_of(const npy_int32 *field) { return field[1] < 0 ? ~field[1] : field[1]; }

/* FNV-1a. */
static uint32_t hash_of(const char *text, npy_int32 bytes)
{
    uint32_t hash = 2166136261u;
    for (npy_int32 i = 0; i < bytes; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    return hash ^ hash >> 15;
}

/* Return the number of a row's field among the distinct ones; a new field gets the next number. */
static npy_int32 number_of(Distinct *distinct, npy_int32 row)
{
    const npy_int32 *field = distinct->fields + row * distinct->step;
    const char *text = distinct->data + field[0];
    for (uint32_t slot = hash_of(text, bytes_of(field));; slot++) {
        npy_int32 *found = &distinct->slots[slot & distinct->mask];
        if (*found == 0) {
            distinct->firsts[distinct->count] = row;
            return (*found = ++distinct->count) - 1;
        }
        const npy_int32 *other = distinct->fields + distinct->firsts[*found - 1] * distinct->step;
        if (field[1] == other[1] && memcmp(text, distinct->data + other[0], (size_t)bytes_of(field)) == 0) {
            return *found - 1;
        }
    }
}

static int is_within(const npy_int32 *field, Py_ssize_t length)
{
    return field[0] >= 0 && field[0] <= length && bytes_of(field) <= length - field[0];
}

/* Number the fields of all rows; 0 if memory runs out, or a field is outside the data. */
static int number_all(Distinct *distinct, npy_int32 rows, Py_ssize_t length, npy_int32 *codes)
{
    distinct->mask = 15;
    while (distinct->mask < 2 * (uint32_t)rows) {
        distinct->mask = 2 * distinct->mask + 1;
    }
    distinct->slots = PyMem_Calloc((size_t)distinct->mask + 1, sizeof(npy_int32));
    int is_right = distinct->slots != NULL;
    for (npy_int32 row = 0; is_right && row < rows; row++) {
        is_right = is_within(distinct->fields + row * distinct->step, length);
        codes[row] = is_right ? number_of(distinct, row) : 0;
    }
    PyMem_Free(distinct->slots);
    return is_right;
}

static npy_intp second_length(PyObject *object)
{
    PyArrayObject *array = (PyArrayObject *)object;
    return PyArray_Check(object) && PyArray_NDIM(array) > 1 ? PyArray_DIM(array, 1) : 0;
}

PyObject *kernel_distinct_fields(PyObject *const *arguments)
{
    enum { DATA, FIELDS, PLACE, CODES, FIRSTS };
    PyObject *fields = arguments[FIELDS], *codes = arguments[CODES], *firsts = arguments[FIRSTS];
    Py_ssize_t place = PyLong_AsSsize_t(arguments[PLACE]), length;
    char *data;
    if (PyErr_Occurred() || PyBytes_AsStringAndSize(arguments[DATA], &data, &length) < 0) {
        return NULL;
    }
    npy_intp rows = first_length(codes), count = second_length(fields);
    const npy_int32 *all = elements(fields, NPY_INT32, 3, (npy_intp[]){rows, count, 2});
    npy_int32 *code_of = elements(codes, NPY_INT32, 1, (npy_intp[]){rows});
    Distinct distinct = {data, all + 2 * place, 2 * count, elements(firsts, NPY_INT32, 1, (npy_intp[]){rows}), 0, 0, 0};
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (rows > INT_MAX / 4 || place < 0 || place >= count || !number_all(&distinct, (npy_int32)rows, length, code_of)) {
        PyErr_SetString(PyExc_ValueError, "a field lies outside the data");
        return NULL;
    }
    return PyLong_FromLong(distinct.count);
}
