/* Records of CSV files: their fields and numbers, as Python's csv and float() read them. */
#include "arguments.h"
#include "decimal.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* How a file is written. */
typedef struct {
    char delimiter, quote, point;
    npy_bool ends_field[256];      /* by character: the delimiter, and the ends of a line */
    const char *comment, *missing; /* missing: texts, each after a byte with its length */
    Py_ssize_t comment_length, missing_length;
    Py_ssize_t longest; /* bytes of a field */
} Syntax;

/* The columns that are read, and where to put them. */
typedef struct {
    npy_intp width;          /* columns in the file; if 0, records may have any number of fields */
    npy_intp count;          /* columns that are read */
    const npy_int32 *places; /* for each column of the file its place among those that are read, or -1 */
    npy_bool *are_numbers;   /* for each column that is read: whether all its fields so far are numbers */
    npy_int32 *fields;       /* start and length of each field; ~length if two quotes in it mean one */
    double *numbers;
} Columns;

typedef struct {
    const char *begin, *end;
    int doubles_quotes;
} Field;

typedef enum { KEPT, LEFT_OUT, CUT_OFF, UNUSUAL } Outcome;

/* Read a quoted field and return the position after it: the end of the data if more of the field may follow, NULL if
 * Python must read it. */
static const char *read_quoted(const char *at, const char *end, const Syntax *syntax, Field *field)
{
    *field = (Field){at, end, 0};
    while ((at = memchr(at, syntax->quote, (size_t)(end - at))) != NULL && at + 1 < end && at[1] == syntax->quote) {
        field->doubles_quotes = 1;
        at += 2;
    }
    field->end = at == NULL ? end : at;
    if (field->end - field->begin > syntax->longest) {
        return NULL;
    }
    if (at == NULL || at + 1 == end) {
        return end;
    }
    return syntax->ends_field[(unsigned char)at[1]] ? at + 1 : NULL;
}

/* Read a field and return the position after it, as read_quoted does. */
static const char *read_field(const char *at, const char *end, const Syntax *syntax, Field *field)
{
    while (at < end && *at == ' ') {
        at++;
    }
    if (at < end && *at == syntax->quote) {
        return read_quoted(at + 1, end, syntax, field);
    }
    const char *begin = at;
    while (at < end && !syntax->ends_field[(unsigned char)*at]) {
        at++;
    }
    *field = (Field){begin, at, 0};
    return at - begin > syntax->longest ? NULL : at;
}

static Field without_spaces(Field field)
{
    while (field.begin < field.end && *field.begin == ' ') {
        field.begin++;
    }
    while (field.begin < field.end && field.end[-1] == ' ') {
        field.end--;
    }
    return field;
}

static int is_missing(Field field, const Syntax *syntax)
{
    const char *text = syntax->missing, *end = text + syntax->missing_length;
    for (Py_ssize_t length; text < end; text += length) {
        length = (unsigned char)*text++;
        if (field.end - field.begin == length && memcmp(field.begin, text, (size_t)length) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Set number to the number in a field, NaN if it is missing; return 0 if the field is neither. */
static int number_in(Field field, const char *end, const Syntax *syntax, double *number)
{
    field = without_spaces(field);
    *number = NAN;
    return !field.doubles_quotes &&
           (is_missing(field, syntax) || read_decimal(field.begin, end, syntax->point, number) == field.end);
}

/* Read a field of a column of numbers and return the position after it, as read_quoted does. */
static const char *read_number_field(const char *at, const char *end, const Syntax *syntax, Field *field,
                                     double *number, int *is_number)
{
    const char *behind = read_decimal(at, end, syntax->point, number);
    if (behind != NULL && behind - at <= syntax->longest && syntax->ends_field[(unsigned char)*behind]) {
        *field = (Field){at, behind, 0};
        *is_number = 1;
        return behind;
    }
    behind = read_field(at, end, syntax, field);
    *is_number = behind != NULL && number_in(*field, end, syntax, number);
    return behind;
}

static int is_line_end(char character) { return character == '\n' || character == '\r'; }

static int is_comment(Field field, const Syntax *syntax)
{
    return syntax->comment_length && field.end - field.begin >= syntax->comment_length &&
           memcmp(field.begin, syntax->comment, (size_t)syntax->comment_length) == 0;
}

static int is_blank(Field field)
{
    while (field.begin < field.end && (*field.begin == ' ' || *field.begin == '\t')) {
        field.begin++;
    }
    return field.begin == field.end;
}

/* Whether a field has an ASCII character that Python doesn't count as blank. */
static int is_visible(Field field)
{
    while (field.begin < field.end && (*field.begin <= ' ' || *field.begin > '~')) {
        field.begin++;
    }
    return field.begin < field.end;
}

/* Judge a record by its first field. In a file of one column, an empty field may be a whole record. */
static Outcome outcome_by(Field first, int is_only, const Syntax *syntax, npy_intp width)
{
    if (is_comment(first, syntax)) {
        return LEFT_OUT;
    }
    if (is_only && width == 1 && !is_visible(first)) {
        return UNUSUAL;
    }
    return is_only && is_blank(first) ? LEFT_OUT : KEPT;
}

static void store(const Columns *columns, npy_intp row, npy_intp place, Field field, const char *data)
{
    npy_int32 *to = columns->fields + 2 * (row * columns->count + place);
    npy_int32 length = (npy_int32)(field.end - field.begin);
    to[0] = (npy_int32)(field.begin - data);
    to[1] = field.doubles_quotes ? ~length : length;
}

/* Read the fields of a record into a row of the columns, and advance to the end of its line. */
static Outcome read_fields(const char **from, const char *data, const char *end, const Syntax *syntax,
                           const Columns *columns, npy_intp row)
{
    const char *at = *from;
    Outcome outcome = KEPT;
    npy_intp column = 0;
    for (int is_last = 0; !is_last; column++, at++) {
        npy_intp place = column < columns->width ? columns->places[column] : -1;
        int is_number = place >= 0 && columns->are_numbers[place];
        double number = NAN;
        Field field;
        at = is_number ? read_number_field(at, end, syntax, &field, &number, &is_number)
                       : read_field(at, end, syntax, &field);
        if (at == NULL || at == end) {
            return at == NULL ? UNUSUAL : CUT_OFF;
        }
        is_last = *at != syntax->delimiter;
        outcome = column == 0 ? outcome_by(field, is_last, syntax, columns->width) : outcome;
        if (outcome == KEPT && place >= 0) {
            store(columns, row, place, field, data);
            columns->numbers[row * columns->count + place] = number;
            columns->are_numbers[place] = (npy_bool)is_number;
        }
    }
    *from = at - 1;
    return outcome == KEPT && columns->width && column != columns->width ? UNUSUAL : outcome;
}

/* Read a record into a row of the columns, and advance past it. */
static Outcome read_record(const char **from, const char *data, const char *end, const Syntax *syntax,
                           const Columns *columns, npy_intp row)
{
    const char *at = *from;
    Outcome outcome = is_line_end(*at) ? LEFT_OUT : read_fields(&at, data, end, syntax, columns, row);
    if (outcome == CUT_OFF || outcome == UNUSUAL) {
        return outcome;
    }
    if (*at == '\r' && at + 1 == end) {
        return CUT_OFF; /* the other half of the line's end may follow */
    }
    *from = at + (at[0] == '\r' && at[1] == '\n' ? 2 : 1);
    return outcome;
}

/* Whether the arrays have room for all columns that are read. */
static int fit(const Columns *columns)
{
    for (npy_intp i = 0; i < columns->width; i++) {
        if (columns->places[i] >= columns->count) {
            return 0;
        }
    }
    return 1;
}

PyObject *kernel_read_csv_records(PyObject *const *arguments)
{
    enum { DATA, BEGIN, SYNTAX, PLACES, ROWS, FIELDS, NUMBERS, ARE_NUMBERS };
    PyObject *places = arguments[PLACES], *rows = arguments[ROWS], *are_numbers = arguments[ARE_NUMBERS];
    Py_ssize_t begin = PyLong_AsSsize_t(arguments[BEGIN]), length;
    char *data;
    Syntax syntax = {0};
    if (PyErr_Occurred() || PyBytes_AsStringAndSize(arguments[DATA], &data, &length) < 0 ||
        !PyTuple_Check(arguments[SYNTAX]) ||
        !PyArg_ParseTuple(arguments[SYNTAX], "cccy#y#n", &syntax.delimiter, &syntax.quote, &syntax.point,
                          &syntax.comment, &syntax.comment_length, &syntax.missing, &syntax.missing_length,
                          &syntax.longest)) {
        return NULL;
    }
    npy_intp most = first_length(rows), width = first_length(places), count = first_length(are_numbers);
    npy_int64 *row_of = elements(rows, NPY_INT64, 1, (npy_intp[]){most});
    Columns columns = {
        width,
        count,
        elements(places, NPY_INT32, 1, (npy_intp[]){width}),
        elements(are_numbers, NPY_BOOL, 1, (npy_intp[]){count}),
        elements(arguments[FIELDS], NPY_INT32, 3, (npy_intp[]){most, count, 2}),
        elements(arguments[NUMBERS], NPY_DOUBLE, 2, (npy_intp[]){most, count}),
    };
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (begin < 0 || begin > length || length > INT_MAX || !fit(&columns)) {
        PyErr_SetString(PyExc_ValueError, "data or columns don't fit the arrays");
        return NULL;
    }
    for (int end = 0; end < 3; end++) {
        syntax.ends_field[(unsigned char)(char[]){syntax.delimiter, '\n', '\r'}[end]] = 1;
    }
    const char *at = data + begin, *end = data + length;
    Outcome outcome = KEPT;
    npy_intp records = 0, kept = 0;
    Py_BEGIN_ALLOW_THREADS
    for (; records < most && at < end; records++) {
        outcome = read_record(&at, data, end, &syntax, &columns, kept);
        if (outcome == CUT_OFF || outcome == UNUSUAL) {
            break;
        }
        row_of[kept] = records;
        kept += outcome == KEPT;
    }
    Py_END_ALLOW_THREADS
    return Py_BuildValue("nnnO", (Py_ssize_t)records, (Py_ssize_t)kept, (Py_ssize_t)(at - data),
                         outcome == UNUSUAL ? Py_True : Py_False);
}
