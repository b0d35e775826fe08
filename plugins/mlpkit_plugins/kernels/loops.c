#include "loops.h"

#include "blas_threads.h"
#include "cache_line.h"
#include "pieces.h"
#include "team.h"

#include <string.h>

/* The shortest loops that release the GIL. */
#define MIN_ELEMENTS_TO_RELEASE_GIL 16384

/* Enough elements that the cost of taking a part is negligible. */
#define ELEMENTS_PER_PART 16384

/* Small parts, so that waits for a late member are short. */
#define PARTS_PER_MEMBER 4

typedef struct {
    Loop loop;
    const Matrix *arrays;
    const double *numbers;
    int count, cut, by_columns, parts;
} Work;

/* The start of a part of a length that is cut at multiples of a step. */
static npy_intp begin_of_part(int number, int parts, npy_intp length, npy_intp step)
{
    return min(begin_of(cut_into(parts, ceil_div(length, step)), number) * step, length);
}

static void run_part(int number, void *everything)
{
    const Work *work = everything;
    Matrix arrays[MAX_ARRAYS];
    memcpy(arrays, work->arrays, (size_t)work->count * sizeof(Matrix));
    for (int i = 0; i < work->cut; i++) {
        Matrix *array = &arrays[i];
        if (work->by_columns) {
            npy_intp step = CACHE_LINE / work->arrays[0].item; /* columns are cut where cache lines may begin */
            npy_intp begin = begin_of_part(number, work->parts, array->columns, step);
            array->columns = begin_of_part(number + 1, work->parts, array->columns, step) - begin;
            array->data += begin * array->item;
        }
        else {
            npy_intp begin = begin_of_part(number, work->parts, array->rows, 1);
            array->rows = begin_of_part(number + 1, work->parts, array->rows, 1) - begin;
            array->data += begin * array->stride * array->item;
        }
    }
    work->loop(arrays, work->numbers);
}

/* The number of parts: at most that of rows or columns. */
static int parts_of(const Work *work, npy_intp elements, int members)
{
    npy_intp most = work->by_columns ? work->arrays[0].columns : work->arrays[0].rows;
    return (int)min(min(elements / ELEMENTS_PER_PART, most), PARTS_PER_MEMBER * members);
}

static void compute(Work work)
{
    npy_intp elements = work.arrays[0].rows * work.arrays[0].columns;
    if (elements < MIN_ELEMENTS_TO_RELEASE_GIL) {
        work.loop(work.arrays, work.numbers);
        return;
    }
    PyThreadState *thread = PyEval_SaveThread();
    int members = blas_threads();
    work.parts = members > 1 && work.cut > 0 ? parts_of(&work, elements, members) : 1;
    if (work.parts < 2) {
        work.loop(work.arrays, work.numbers);
    }
    else {
        compute_parts(work.parts, run_part, &work, members);
    }
    PyEval_RestoreThread(thread);
}

void run(int type, const Loop *loops, const Matrix *arrays, int count, int cut, const double *numbers)
{
    int by_columns = arrays[0].rows == 1 && cut == count;
    compute((Work){loops[type != NPY_FLOAT], arrays, numbers, count, cut, by_columns, 0});
}

void run_by_columns(int type, const Loop *loops, const Matrix *arrays, int count)
{
    compute((Work){loops[type != NPY_FLOAT], arrays, NULL, count, count, 1, 0});
}
