/* Loops for x86 processors with AVX2 and FMA. */
#if defined(__x86_64__) && defined(__GNUC__)
#define ROW_LOOPS row_loops_avx2
#define TARGET __attribute__((target("avx2,fma"), flatten))
#include "row_loops.h"
#endif
