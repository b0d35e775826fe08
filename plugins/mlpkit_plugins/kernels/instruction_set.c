#include "instruction_set.h"

#include <stdlib.h>
#include <string.h>

#if defined(COMPILES_AVX)
static const InstructionSet *choose(void)
{
    const char *choice = getenv("MLPKIT_KERNELS"); /* the narrower vectors can be tried on any processor */
    __builtin_cpu_init(); /* Clang's libraries for Windows don't call it by themselves */
    if (__builtin_cpu_supports("avx512f") && (choice == NULL || strcmp(choice, "avx2") != 0)) {
        return &avx512;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : NULL;
}
#elif defined(COMPILES_NEON)
static const InstructionSet *choose(void) { return &neon; } /* every 64-bit ARM has it */
#else
static const InstructionSet *choose(void) { return NULL; }
#endif

const InstructionSet *instruction_set(void)
{
    static const InstructionSet *chosen;
    static int is_chosen; /* when the module is loaded: later, threads only read it */
    if (!is_chosen) {
        chosen = choose();
        is_chosen = 1;
    }
    return chosen;
}
