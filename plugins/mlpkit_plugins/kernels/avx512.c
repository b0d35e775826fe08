/* Kernels for x86 processors with AVX-512. */
#include "instruction_set.h"

#ifdef COMPILES_AVX
#define INSTRUCTION_SET avx512
#define NAME "AVX-512"
#define TARGET __attribute__((target("avx512f,fma")))
#define FMA(x, y, z) _mm512_fmadd_ps(x, y, z)
#define B_IS_PADDED 0
#define NOT_ZERO(v) _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ)
#include "avx512_vectors.h"

#include "vector_kernels.h"
#endif
