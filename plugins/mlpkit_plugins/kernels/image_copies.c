/* Copies of images between the order of minibatches, (rows, channels, height, width), and the order that image layers
 * read, (width, channels, height, rows). */
#include "arguments.h"
#include "blas_threads.h"
#include "instruction_set.h"
#include "pieces.h"
#include "team.h"

#include <string.h>

/* The smallest copies that release the GIL and use several threads. */
#define MIN_ELEMENTS_FOR_THREADS 32768
#define PARTS_PER_MEMBER 4

typedef struct {
    ptrdiff_t rows, channels, height, width, padding;
} Lengths;

/* A copy between rows of features and columns of pixels. */
typedef struct {
    const Tiles *tiles;
    Lengths of;
    float *features, *pixels;
    ptrdiff_t row;   /* from one row of features to the next */
    int to_features; /* the direction */
    Pieces parts;
} Work;

static Lengths lengths_of(PyArrayObject *images, ptrdiff_t padding)
{
    const npy_intp *lengths = PyArray_DIMS(images);
    return (Lengths){lengths[0], lengths[1], lengths[2], lengths[3], padding};
}

/* The position of a pixel, padding included, in the order (width, channels, height, rows). */
static ptrdiff_t place_of(const Lengths *of, ptrdiff_t feature)
{
    ptrdiff_t column = feature % of->width, line = feature / of->width;
    ptrdiff_t strip = (column + of->padding) * of->channels + line / of->height;
    return (strip * (of->height + 2 * of->padding) + line % of->height + of->padding) * of->rows;
}

/* The distance from a pixel to the one on its right. */
static ptrdiff_t column_of(const Lengths *of) { return of->channels * (of->height + 2 * of->padding) * of->rows; }

static void copy_vector(float *to, const float *from, int lanes)
{
    if (lanes == MAX_LANES) {
        memcpy(to, from, MAX_LANES * sizeof(float));
        return;
    }
    memcpy(to, from, (size_t)lanes * sizeof(float));
}

/* Copy a square: as many features and rows as a vector has lanes. */
static void copy_square(const Work *all, float *features, float *pixels, const ptrdiff_t *places)
{
    float square[MAX_LANES * MAX_LANES];
    int lanes = all->tiles->lanes;
    if (!all->to_features) {
        all->tiles->transpose(features, all->row, square, lanes);
    }
    for (int i = 0; i < lanes; i++) {
        float *pixel = pixels + places[i], *of_square = square + i * lanes;
        copy_vector(all->to_features ? of_square : pixel, all->to_features ? pixel : of_square, lanes);
    }
    if (all->to_features) {
        all->tiles->transpose(square, lanes, features, all->row);
    }
}

/* Copy a vector of features of the first rows. */
static void copy_squares(const Work *all, ptrdiff_t begin, ptrdiff_t rows)
{
    ptrdiff_t places[MAX_LANES], lanes = all->tiles->lanes, width = all->of.width;
    for (ptrdiff_t i = 0, left = 0; i < lanes; i++, left--) { /* a division takes as long as several copies */
        places[i] = left > 0 ? places[i - 1] + column_of(&all->of) : place_of(&all->of, begin + i);
        left = left > 0 ? left : width - (begin + i) % width;
    }
    for (ptrdiff_t n = 0; n < rows; n += lanes) {
        copy_square(all, all->features + n * all->row + begin, all->pixels + n, places);
    }
}

/* Copy some features of all rows from one on, line by line. */
static void copy_lines(const Work *all, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t first_row)
{
    ptrdiff_t column = column_of(&all->of);
    for (ptrdiff_t next; begin < end; begin = next) {
        next = min(end, (begin / all->of.width + 1) * all->of.width);
        ptrdiff_t place = place_of(&all->of, begin);
        for (ptrdiff_t n = first_row; n < all->of.rows; n++) {
            float *features = all->features + n * all->row, *pixel = all->pixels + place + n;
            for (ptrdiff_t i = begin; i < next; i++, pixel += column) {
                *(all->to_features ? features + i : pixel) = *(all->to_features ? pixel : features + i);
            }
        }
    }
}

static void copy_part(int number, void *work)
{
    const Work *all = work;
    ptrdiff_t lanes = all->tiles->lanes, features = all->of.channels * all->of.height * all->of.width;
    ptrdiff_t begin = begin_of(all->parts, number) * lanes;
    ptrdiff_t end = min(features, begin + length_of(all->parts, number) * lanes);
    ptrdiff_t rows = all->of.rows / lanes * lanes, end_of_squares = rows > 0 ? end - (end - begin) % lanes : begin;
    for (ptrdiff_t i = begin; i < end_of_squares; i += lanes) {
        copy_squares(all, i, rows);
    }
    copy_lines(all, begin, end_of_squares, rows);
    copy_lines(all, end_of_squares, end, 0);
}

static void copy_all(Work *all)
{
    ptrdiff_t features = all->of.channels * all->of.height * all->of.width;
    ptrdiff_t groups = ceil_div(features, all->tiles->lanes);
    if (features * all->of.rows < MIN_ELEMENTS_FOR_THREADS) {
        all->parts = cut_into(1, groups);
        copy_part(0, all);
        return;
    }
    PyThreadState *thread = PyEval_SaveThread();
    int members = blas_threads();
    all->parts = cut_into(members > 1 ? min(groups, PARTS_PER_MEMBER * members) : 1, groups);
    if (all->parts.count == 1) {
        copy_part(0, all);
    }
    else {
        compute_parts((int)all->parts.count, copy_part, all, members);
    }
    PyEval_RestoreThread(thread);
}

static int is_float32(PyObject *object, int writable)
{
    return floating_type(object) == NPY_FLOAT && PyArray_ISBEHAVED_RO((PyArrayObject *)object) &&
           (!writable || PyArray_ISWRITEABLE((PyArrayObject *)object)) && PyArray_SIZE((PyArrayObject *)object) > 0;
}

/* Whether the axes of images have that order in memory, slowest first; if gaps is set, the first one may have gaps. */
static int has_order(PyArrayObject *array, const int *order, int gaps)
{
    npy_intp step = PyArray_ITEMSIZE(array);
    for (int i = PyArray_NDIM(array) - 1; i >= 0; i--) {
        npy_intp length = PyArray_DIM(array, order[i]), stride = PyArray_STRIDE(array, order[i]);
        if (length > 1 && stride != step && !(gaps && i == 0 && stride > step)) {
            return 0;
        }
        step *= length;
    }
    return 1;
}

static const int AS_IN_MINIBATCHES[] = {0, 1, 2, 3}, AS_READ[] = {3, 1, 2, 0};

static ptrdiff_t row_of(PyArrayObject *array)
{
    return PyArray_DIM(array, 0) > 1 ? PyArray_STRIDE(array, 0) / PyArray_ITEMSIZE(array) : 0;
}

/* Set the padding to zero. */
static void clear_padding(const Lengths *of, float *pixels)
{
    ptrdiff_t border = of->padding * of->rows, inside = of->height * of->rows, strip = inside + 2 * border;
    for (ptrdiff_t i = 0; border > 0 && i < (of->width + 2 * of->padding) * of->channels; i++, pixels += strip) {
        ptrdiff_t column = i / of->channels - of->padding;
        if (column < 0 || column >= of->width) {
            memset(pixels, 0, (size_t)strip * sizeof(float));
            continue;
        }
        memset(pixels, 0, (size_t)border * sizeof(float));
        memset(pixels + border + inside, 0, (size_t)border * sizeof(float));
    }
}

PyObject *kernel_pad_images(PyObject *const *arguments)
{
    enum { X, PADDING, OUT };
    PyArrayObject *x = (PyArrayObject *)arguments[X];
    ptrdiff_t padding;
    Matrix pixels;
    if (instruction_set() == NULL || !is_float32(arguments[X], 0) || PyArray_NDIM(x) != 4 ||
        !has_order(x, AS_IN_MINIBATCHES, 1) || !read_count(arguments[PADDING], &padding) ||
        !read_images(arguments[OUT], NPY_FLOAT, 1, &pixels) || !disjoint(arguments[OUT], arguments, 1)) {
        return NULL;
    }
    Work all = {.tiles = instruction_set()->tiles,
                .of = lengths_of(x, padding),
                .features = PyArray_DATA(x),
                .pixels = (float *)pixels.data,
                .row = row_of(x)};
    const npy_intp *lengths = PyArray_DIMS((PyArrayObject *)arguments[OUT]);
    if (lengths[0] != all.of.width + 2 * padding || lengths[1] != all.of.channels ||
        lengths[2] != all.of.height + 2 * padding || lengths[3] != all.of.rows) {
        return NULL;
    }
    clear_padding(&all.of, all.pixels);
    copy_all(&all);
    return Py_NewRef(arguments[OUT]);
}

PyObject *kernel_flatten_images(PyObject *const *arguments)
{
    enum { X, OUT };
    PyArrayObject *x = (PyArrayObject *)arguments[X];
    Matrix features;
    if (instruction_set() == NULL || !is_float32(arguments[X], 0) || PyArray_NDIM(x) != 4 ||
        !has_order(x, AS_READ, 0) || !read_matrix(arguments[OUT], NPY_FLOAT, 1, &features) ||
        features.rows != PyArray_DIM(x, 0) || features.rows * features.columns != PyArray_SIZE(x) ||
        !disjoint(arguments[OUT], arguments, 1)) {
        return NULL;
    }
    Work all = {.tiles = instruction_set()->tiles,
                .of = lengths_of(x, 0),
                .features = (float *)features.data,
                .pixels = PyArray_DATA(x),
                .row = features.stride,
                .to_features = 1};
    copy_all(&all);
    return Py_NewRef(arguments[OUT]);
}
