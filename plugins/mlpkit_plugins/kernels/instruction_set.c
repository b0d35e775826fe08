#include "instruction_set.h"

#include <stdlib.h>
#include <string.h>

#if defined(COMPILES_AVX)
const InstructionSet *instruction_set(void)
{
    const char *choice = getenv("MLPKIT_KERNELS"); /* the narrower vectors can be tried on any processor */
    if (__builtin_cpu_supports("avx512f") && (choice == NULL || strcmp(choice, "avx2") != 0)) {
        return &avx512;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : NULL;
}
#elif defined(COMPILES_NEON)
const InstructionSet *instruction_set(void) { return &neon; } /* every 64-bit ARM has it */
#else
const InstructionSet *instruction_set(void) { return NULL; }
#endif
