/* Arguments of the kernels: arrays from Python. */
#ifndef MLPKIT_ARGUMENTS_H
#define MLPKIT_ARGUMENTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdio.h> /* FILE, which NumPy's headers use; Python's stable ABI leaves it out */

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL mlpkit_kernels_numpy
#ifndef MLPKIT_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include "vectorized.h"

/* An array of one or two axes; the elements of a row are contiguous. */
typedef struct {
    char *data;
    npy_intp rows, columns;
    npy_intp stride; /* from row to row, in elements */
    npy_intp item;   /* bytes of an element */
} Matrix;

/* The type number of a float32 or float64 array, -1 for anything else. */
int floating_type(PyObject *object);

/* Read an array of that dtype; 0 if the loops can't work on the object. */
int read_matrix(PyObject *object, int type, int writable, Matrix *matrix);

/* Whether all matrices have the same shape; if all are contiguous, each becomes a single long row. */
int same_shape(Matrix *matrices, int count);

/* Whether an output doesn't overlap an input, or is the same memory. */
int is_safe_output(const Matrix *output, const Matrix *input);

/* Whether an output shares no memory with any of the inputs, each of which is None or an array that has elements and no
 * negative strides. */
int disjoint(PyObject *output, PyObject *const *inputs, int count);

/* Read images: a contiguous array of that dtype with four axes, not empty; the first axis becomes the rows. */
int read_images(PyObject *object, int type, int writable, Matrix *images);

/* Read arrays of that dtype and of one shape for a function of their elements; the last array is the output. 0 if a
 * loop can't work on them as they are. Each becomes a single long row if all have the same memory layout, without
 * gaps. */
int read_elements(PyObject *const *arrays, int count, int type, Matrix *all);

/* The length of an array's first axis; 0 for anything else. */
npy_intp first_length(PyObject *object);

/* The elements of a writable, contiguous array of that type and these lengths; NULL with an error set. */
void *elements(PyObject *object, int type, int axes, const npy_intp *lengths);

/* A contiguous copy, in the processor's byte order, of an array of float32; NULL with an error set. */
PyObject *float32_copy(PyObject *array);

/* Read a float. */
int read_number(PyObject *object, double *number);

/* Read a whole number from 0 to 10^9. */
int read_count(PyObject *object, npy_intp *number);

/* Call the function of that name in with_numpy.py, which takes any arrays. */
PyObject *with_numpy(const char *name, PyObject *const *arguments, Py_ssize_t count);

/* The kernels, each with as many arguments as the list says. A kernel sets its outputs and returns its result; it
 * returns NULL, without an error set, if it leaves the call to NumPy. */
#define KERNEL(name, count) PyObject *kernel_##name(PyObject *const *arguments);
#include "kernel_list.h"

#endif
