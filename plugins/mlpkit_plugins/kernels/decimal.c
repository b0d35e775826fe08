/* Numbers of up to 19 digits with small exponents take one division or multiplication; Python reads all others. Source:
 * W. D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990, for numbers that a single operation of
 * doubles rounds correctly. */
#include "decimal.h"

#include "arguments.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define MAX_DIGITS 19 /* any number with this many fits into 64 bits */
#define MAX_EXPONENT 99999
#define MAX_CHARACTERS 64

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define MAX_EXACT_POWER_OF_TEN 22
#define MAX_EXACT_INTEGER 1000000000000000 /* 2^53 is exact too, but then chance decides how 16 digits are read */

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 uint128_t;

#define MAX_POWER_OF_FIVE_IN_64_BITS 27

static uint64_t power_of_five(int exponent)
{
    uint64_t power = 1;
    for (uint64_t factor = 5; exponent; exponent >>= 1, factor *= factor) {
        power *= exponent & 1 ? factor : 1;
    }
    return power;
}

/* number * 2^exponent, without rounding: both are normal. */
static inline double times_power_of_two(double number, int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return number * power;
}

/* digits / 5^exponent * 2^-exponent. The quotient has 62 or 63 bits, and the last one records whether there is a
 * remainder, so the only rounding, to 53 bits, is correct. */
static double divided(uint64_t digits, int exponent)
{
    uint64_t divisor = power_of_five(exponent);
    int up = __builtin_clzll(digits), divisor_up = __builtin_clzll(divisor);
    uint128_t dividend = (uint128_t)(digits << up) << 62;
    divisor <<= divisor_up;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    quotient |= dividend != (uint128_t)quotient * divisor;
    return times_power_of_two((double)(int64_t)quotient, divisor_up - up - 62 - exponent);
}

/* digits * 5^exponent * 2^exponent; the last of 64 bits records whether any bit beyond them is set. */
static double multiplied(uint64_t digits, int exponent)
{
    uint128_t product = (uint128_t)digits * power_of_five(exponent);
    uint64_t above = (uint64_t)(product >> 64);
    int down = above ? 64 - __builtin_clzll(above) : 0;
    uint64_t first = (uint64_t)(product >> down);
    first |= product != (uint128_t)first << down;
    return times_power_of_two((double)first, down + exponent);
}
#else
#define MAX_POWER_OF_FIVE_IN_64_BITS (-1)
#define divided(digits, exponent) 0.0
#define multiplied(digits, exponent) 0.0
#endif

/* Set number to digits * 10^exponent; 0 if more than a few operations are needed. */
static int scale(uint64_t digits, int exponent, double *number)
{
    int size = exponent < 0 ? -exponent : exponent;
    if (digits <= MAX_EXACT_INTEGER && size <= MAX_EXACT_POWER_OF_TEN) {
        *number = exponent < 0 ? (double)digits / powers_of_ten[size] : (double)digits * powers_of_ten[size];
        return 1;
    }
    if (digits && size <= MAX_POWER_OF_FIVE_IN_64_BITS) {
        *number = exponent < 0 ? divided(digits, size) : multiplied(digits, size);
        return 1;
    }
    return 0;
}

/* Set number to what Python reads; 0 if that is infinite, or the text is too long. */
static int read_as_python(const char *text, const char *end, const char *point, double *number)
{
    char copy[MAX_CHARACTERS];
    if (end - text >= MAX_CHARACTERS) {
        return 0;
    }
    memcpy(copy, text, (size_t)(end - text));
    copy[end - text] = 0;
    if (point != NULL) {
        copy[point - text] = '.';
    }
    PyGILState_STATE state = PyGILState_Ensure();
    *number = PyOS_string_to_double(copy, NULL, NULL);
    int is_read = !PyErr_Occurred() && isfinite(*number);
    PyErr_Clear();
    PyGILState_Release(state);
    return is_read;
}

static inline int is_digit(char character) { return (unsigned char)(character - '0') < 10; }

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Append the leading digits of eight characters, and return how many there are, without a branch for each, which the
 * processor couldn't predict. */
static inline int append_up_to_eight(const char *at, uint64_t *number)
{
    static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t word; /* the first character is the lowest byte */
    memcpy(&word, at, sizeof word);
    word ^= 0x3030303030303030; /* 0 to 9 in the byte of a digit, more in others */
    uint64_t others = (word | (word + 0x7676767676767676)) & 0x8080808080808080;
    int count = others ? __builtin_ctzll(others) / 8 : 8;
    if (count) {
        word <<= 64 - 8 * count; /* zeros before the digits */
        word = (10 * word + (word >> 8)) & 0x00FF00FF00FF00FF;
        word = (100 * word + (word >> 16)) & 0x0000FFFF0000FFFF;
        word = (10000 * word + (word >> 32)) & 0x00000000FFFFFFFF;
        *number = *number * powers[count] + word;
    }
    return count;
}
#define READS_EIGHT_AT_ONCE 1
#else
#define append_up_to_eight(at, number) 0
#define READS_EIGHT_AT_ONCE 0
#endif

/* Append the digits to a number, and return the position after them. */
static inline const char *append_digits(const char *at, const char *end, uint64_t *number)
{
    while (READS_EIGHT_AT_ONCE && end - at >= 8) {
        int count = append_up_to_eight(at, number);
        at += count;
        if (count < 8) {
            return at;
        }
    }
    for (; is_digit(*at); at++) {
        *number = 10 * *number + (uint64_t)(*at - '0');
    }
    return at;
}

/* Add the exponent after this letter, and return the position after it; NULL if it has no digits. */
static const char *add_exponent(const char *letter, int *exponent)
{
    const char *first = letter + 1 + (letter[1] == '-' || letter[1] == '+');
    int power = 0;
    const char *at = first;
    for (; is_digit(*at); at++) {
        power = power > MAX_EXPONENT ? power : 10 * power + (*at - '0');
    }
    *exponent += letter[1] == '-' ? -power : power;
    return at == first ? NULL : at;
}

const char *read_decimal(const char *text, const char *end, char point, double *number)
{
    const char *first = text + (*text == '-' || *text == '+'), *found_point = NULL;
    uint64_t digits = 0;
    int exponent = 0;
    const char *at = append_digits(first, end, &digits);
    ptrdiff_t count = at - first;
    if (*at == point) {
        found_point = at;
        at = append_digits(at + 1, end, &digits);
        count = at - first - 1;
        exponent = (int)(found_point + 1 - at);
    }
    if (count == 0 || count > MAX_CHARACTERS) {
        return NULL;
    }
    if ((*at | 32) == 'e' && (at = add_exponent(at, &exponent)) == NULL) {
        return NULL;
    }
    if (count <= MAX_DIGITS && scale(digits, exponent, number)) {
        *number *= (double[]){1, -1}[*text == '-']; /* no branch, which the processor couldn't predict */
        return at;
    }
    return read_as_python(text, at, found_point, number) ? at : NULL;
}
