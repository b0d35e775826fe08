/* How loops over many numbers are compiled. */
#ifndef MLPKIT_VECTORIZED_H
#define MLPKIT_VECTORIZED_H

#include <stdint.h> /* defines whether the C library is glibc */

/* Compiled once for each of these instruction sets; the loader takes the widest that the processor has. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORIZED
#endif

/* Compiled as part of each caller, where constant arguments are known. */
#ifdef __GNUC__
#define INLINED static inline __attribute__((always_inline))
#else
#define INLINED static inline
#endif

/* GCC would compile each loop of the function twice: for any strides, and for some that are 1. The second gains nothing
 * where vectors are explicit. */
#if defined(__GNUC__) && !defined(__clang__)
#define FOR_ANY_STRIDES __attribute__((optimize("no-version-loops-for-strides")))
#else
#define FOR_ANY_STRIDES
#endif

/* The loop's iterations are independent: element i of an output depends only on element i of the inputs, so it works in
 * place. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

#endif
