/* AMX, the unit for matrices of Intel's processors. */
#ifndef MLPKIT_AMX_H
#define MLPKIT_AMX_H

/* Whether the compiler knows it, and how functions get at it. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define COMPILES_AMX
#define AMX __attribute__((target("amx-tile,amx-bf16")))
#endif

/* Whether the processor has it, and the system lets this process use it. */
int has_amx(void);

#endif
