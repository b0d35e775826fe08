/* Decimal numbers as texts, and the floating-point numbers nearest to them. */
#ifndef MLPKIT_DECIMAL_H
#define MLPKIT_DECIMAL_H

/* Read a finite number, such as -1.5e3, to the bits that Python's float() gives, and return the place behind it; NULL
   if the text begins with anything else, or with so many digits that Python has to read it.

   The data end at a byte that belongs to no number. The caller holds Python's lock. */
const char *read_decimal(const char *text, const char *end, char point, double *number);

#endif
