/* Random bits of NumPy's generator Philox. Each block depends only on its number, so threads can share the blocks. */
#include "arguments.h"
#include "blas_threads.h"
#include "pieces.h"
#include "team.h"

#include <stdint.h>
#include <string.h>

/* A block has 256 bits. */
#define WORDS_PER_BLOCK 16

/* Enough blocks that the cost of taking a part is negligible. */
#define BLOCKS_PER_PART 512

#if defined(__SIZEOF_INT128__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ROUNDS 10
#define MULTIPLIER_0 0xD2E7470EE14C6C93u
#define MULTIPLIER_1 0xCA5A826395121157u
#define WEYL_0 0x9E3779B97F4A7C15u
#define WEYL_1 0xBB67AE8584CAA73Bu

typedef struct {
    uint64_t key[2], counter[4];
    npy_uint16 *words;
    npy_intp size;
    Pieces parts;
} Words;

/* The upper half of a product. */
static inline uint64_t high(uint64_t x, uint64_t y) { return (uint64_t)((unsigned __int128)x * y >> 64); }

/* Ten rounds; each multiplies two of the four numbers, and swaps the halves of the products. */
static inline void encrypt(const uint64_t key[2], const uint64_t counter[4], uint64_t to[4])
{
    uint64_t a = counter[0], b = counter[1], c = counter[2], d = counter[3], k = key[0], l = key[1];
    for (int round = 0; round < ROUNDS; round++, k += WEYL_0, l += WEYL_1) {
        uint64_t next_a = high(MULTIPLIER_1, c) ^ b ^ k, next_c = high(MULTIPLIER_0, a) ^ d ^ l;
        b = MULTIPLIER_1 * c;
        d = MULTIPLIER_0 * a;
        a = next_a;
        c = next_c;
    }
    to[0] = a, to[1] = b, to[2] = c, to[3] = d;
}

static void draw_part(int number, void *work)
{
    const Words *all = work;
    ptrdiff_t begin = begin_of(all->parts, number), end = begin + length_of(all->parts, number);
    uint64_t counter[4], block[4];
    memcpy(counter, all->counter, sizeof(counter));
    for (ptrdiff_t i = begin; i < end; i++) {
        counter[0] = all->counter[0] + 1 + (uint64_t)i;
        encrypt(all->key, counter, block);
        memcpy(all->words + i * WORDS_PER_BLOCK, block,
               sizeof(npy_uint16) * (size_t)min(WORDS_PER_BLOCK, all->size - i * WORDS_PER_BLOCK));
    }
}

static int read_numbers(PyObject *object, int count, uint64_t *numbers)
{
    npy_intp length = count;
    void *operands = elements(object, NPY_UINT64, 1, &length);
    if (operands == NULL) {
        PyErr_Clear();
        return 0;
    }
    memcpy(numbers, operands, sizeof(uint64_t) * (size_t)count);
    return 1;
}

static int read_words(PyObject *object, Words *all)
{
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_TYPE(array) != NPY_UINT16 || !PyArray_ISCARRAY(array)) {
        return 0;
    }
    all->words = PyArray_DATA(array);
    all->size = PyArray_SIZE(array);
    return 1;
}

PyObject *kernel_philox_words(PyObject *const *arguments)
{
    enum { KEY, COUNTER, OUT };
    Words all;
    if (!read_numbers(arguments[KEY], 2, all.key) || !read_numbers(arguments[COUNTER], 4, all.counter) ||
        !read_words(arguments[OUT], &all)) {
        return NULL;
    }
    ptrdiff_t blocks = ceil_div(all.size, WORDS_PER_BLOCK);
    if (all.counter[0] + (uint64_t)blocks < all.counter[0]) { /* the next word of the counter would change too */
        return NULL;
    }
    all.parts = cut_into(blocks < BLOCKS_PER_PART ? 1 : ceil_div(blocks, BLOCKS_PER_PART), blocks);
    if (all.parts.count == 1) {
        draw_part(0, &all);
        return Py_NewRef(arguments[OUT]);
    }
    PyThreadState *thread = PyEval_SaveThread();
    compute_parts((int)all.parts.count, draw_part, &all, blas_threads());
    PyEval_RestoreThread(thread);
    return Py_NewRef(arguments[OUT]);
}
#else
PyObject *kernel_philox_words(PyObject *const *Py_UNUSED(arguments)) { return NULL; }
#endif
