/* Loops for x86 processors with AVX-512. */
#if defined(__x86_64__) && defined(__GNUC__)
#define ROW_LOOPS row_loops_avx512
#define TARGET __attribute__((target("avx512f,fma"), flatten))
#include "row_loops.h"
#endif
