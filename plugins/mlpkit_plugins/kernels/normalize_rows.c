/* Layer normalization: the elements of each row get mean 0 and variance 1. */
#include "functions.h"
#include "instruction_set.h"
#include "row_arguments.h"

PyObject *normalize_rows(SIGNATURE)
{
    static const Parameter parameters[] = {{0, OF_X, 0}, {4, OF_X, 1},     {5, OF_ROWS, 1},
                                           {6, OF_X, 1}, {1, OF_A_ROW, 0}, {2, OF_A_ROW, 0}};
    const InstructionSet *set = instruction_set();
    double epsilon;
    if (set == NULL || count != 7 || !read_number(arguments[3], &epsilon)) {
        return with_numpy("normalize_rows", arguments, count);
    }
    return call_on_rows("normalize_rows", &set->loops->normalize_rows, parameters, 4, 2, &epsilon, arguments, count);
}

PyObject *normalize_rows_gradient(SIGNATURE)
{
    static const Parameter parameters[] = {{0, OF_X, 0}, {1, OF_X, 0}, {2, OF_ROWS, 0},
                                           {4, OF_X, 1}, {5, OF_X, 1}, {3, OF_A_ROW, 0}};
    const InstructionSet *set = instruction_set();
    if (set == NULL || count != 6) {
        return with_numpy("normalize_rows_gradient", arguments, count);
    }
    return call_on_rows("normalize_rows_gradient", &set->loops->normalize_rows_gradient, parameters, 5, 1, NULL,
                        arguments, count);
}
