#include "multiply.h"

#include "amx.h"
#include "multiply_amx.h"
#include "multiply_pairs.h"
#include "multiply_row.h"
#include "multiply_vectors.h"
#include "pieces.h"
#include "team.h"

#include <stdatomic.h>

/* AMX is faster for products of at least this size and these sides, although each number must be split for it. */
#define MIN_MULTIPLICATIONS_FOR_AMX 20000000
#define MIN_SIDE_FOR_AMX 128

/* Enough multiplications that the cost of taking a part is negligible, and how many take as long as reading a number of
 * B. */
#define MULTIPLICATIONS_PER_PART 250000
#define MULTIPLICATIONS_PER_NUMBER_READ 8

/* Columns of C are split at multiples of a vector or a tile. */
#define COLUMNS_PER_GRAIN 16

/* Computes a part; 0 if it can't. */
typedef int (*Multiply)(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner,
                        ptrdiff_t columns);

typedef struct {
    Operand a, b, c;
    const float *row;
    ptrdiff_t rows, inner, columns;
    Multiply multiply;
    Pieces parts;
    atomic_int done;
} Product;

int can_multiply(void) { return can_multiply_vectors(); }

int suits_amx(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    return min(min(rows, columns), inner) >= MIN_SIDE_FOR_AMX &&
           rows * inner * columns >= MIN_MULTIPLICATIONS_FOR_AMX && (a.row == 1 || a.column == 1) && has_amx();
}

/* The function that computes a product of rounded factors. multiply_vectors needs factors that are already rounded. */
static Multiply rounding_kernel(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    if (suits_amx(a, rows, inner, columns)) {
        return multiply_amx_rounded;
    }
    return can_multiply_pairs() && (a.row == 1 || a.column == 1) ? multiply_pairs : multiply_vectors;
}

int can_round_factors(Operand a, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns)
{
    return rounding_kernel(a, rows, inner, columns) != multiply_vectors;
}

static void multiply_rows(int number, void *work)
{
    Product *all = work;
    ptrdiff_t begin = begin_of(all->parts, number), rows = length_of(all->parts, number);
    if (!all->multiply(part_from(all->a, begin, 0), all->b, part_from(all->c, begin, 0), all->row, rows, all->inner,
                       all->columns)) {
        all->done = 0;
    }
}

static void multiply_columns(int number, void *work)
{
    Product *all = work;
    ptrdiff_t begin = begin_of(all->parts, number) * COLUMNS_PER_GRAIN;
    ptrdiff_t columns = min(length_of(all->parts, number) * COLUMNS_PER_GRAIN, all->columns - begin);
    if (!all->multiply(all->a, part_from(all->b, 0, begin), part_from(all->c, 0, begin),
                       all->row == NULL ? NULL : all->row + begin, all->rows, all->inner, columns)) {
        all->done = 0;
    }
}

/* Compute all parts; 0 if one of them can't be computed. */
static int compute_in_parts(Product *all, int members)
{
    /* Parts by columns each read all of A, so rows are preferred. */
    int by_rows = all->rows + all->rows / 8 >= all->columns;
    Part part = by_rows ? multiply_rows : multiply_columns;
    ptrdiff_t length = by_rows ? all->rows : ceil_div(all->columns, COLUMNS_PER_GRAIN);
    ptrdiff_t parts =
        min(min((all->rows + MULTIPLICATIONS_PER_NUMBER_READ) * all->inner * all->columns / MULTIPLICATIONS_PER_PART,
                members),
            length);
    all->done = 1;
    all->parts = cut_into(parts < 2 ? 1 : parts, length);
    if (all->parts.count == 1) {
        part(0, all);
    }
    else {
        compute_parts((int)all->parts.count, part, all, members);
    }
    return all->done;
}

void multiply(Operand a, Operand b, Operand c, const float *row, ptrdiff_t rows, ptrdiff_t inner, ptrdiff_t columns,
              int members, Precision precision)
{
    Product all = {.a = a, .b = b, .c = c, .row = row, .rows = rows, .inner = inner, .columns = columns};
    if (precision == ROUND_FACTORS || precision == ROUNDED_FACTORS) {
        all.multiply = rounding_kernel(a, rows, inner, columns);
        compute_in_parts(&all, members);
        return;
    }
    if (suits_multiply_row(b, rows, columns)) {
        multiply_row(a, b, c.data, row, inner, columns, members);
        return;
    }
    all.multiply = multiply_amx;
    if (precision == ROW_ORDER || !suits_amx(a, rows, inner, columns) || !compute_in_parts(&all, members)) {
        all.multiply = multiply_vectors;
        compute_in_parts(&all, members);
    }
}
