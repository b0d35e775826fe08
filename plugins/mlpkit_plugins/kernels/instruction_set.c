#include "instruction_set.h"

#include <stdlib.h>
#include <string.h>

#if defined(COMPILES_AVX) && defined(_WIN32) /* Zig's libraries answer no to __builtin_cpu_supports */
#include <cpuid.h>

/* Bits of the answers of CPUID, and the registers that the system must save: those of AVX, and also those of AVX-512. */
#define FMA (1u << 12)
#define XSAVE_IN_USE (1u << 27)
#define AVX2 (1u << 5)
#define AVX512F (1u << 16)
#define AVX_STATE 0x6u
#define AVX512_STATE 0xe6u

static int has(unsigned instructions, unsigned state)
{
    unsigned a, b, c, d, saved, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (FMA | XSAVE_IN_USE)) != (FMA | XSAVE_IN_USE)) {
        return 0;
    }
    __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    return (saved & state) == state && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & instructions) == instructions;
}

static int has_avx512(void) { return has(AVX512F, AVX512_STATE); }
static int has_avx2(void) { return has(AVX2, AVX_STATE); }
#elif defined(COMPILES_AVX)
static int has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

#if defined(COMPILES_AVX)
static const InstructionSet *choose(void)
{
    const char *choice = getenv("MLPKIT_KERNELS"); /* the narrower vectors can be tried on any processor */
    if (has_avx512() && (choice == NULL || strcmp(choice, "avx2") != 0)) {
        return &avx512;
    }
    return has_avx2() ? &avx2 : NULL;
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
