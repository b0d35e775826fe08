/* Reading decimal numbers as the nearest floating-point numbers. */
#ifndef MLPKIT_DECIMAL_H
#define MLPKIT_DECIMAL_H

/* Read a finite number, such as -1.5e3, to the bits that Python's float() gives, and return the position after it; NULL
 * if the text starts with anything else, or with more digits than it can handle, so that Python must read it. The data
 * end at a byte that can't be part of a number. The caller needn't hold the GIL. */
const char *read_decimal(const char *text, const char *end, char point, double *number);

#endif
