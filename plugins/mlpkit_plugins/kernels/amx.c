#define _GNU_SOURCE /* for syscall */
#include "amx.h"

#ifdef COMPILES_AMX
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux reserves eight kilobytes for the unit's registers if a process asks for it. It refuses if the signal stack of a
 * thread is too small for them, and afterwards refuses such stacks. */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

static int may_use_amx(void)
{
    const char *choice = getenv("MLPKIT_KERNELS");
    return (choice == NULL || strncmp(choice, "avx", 3) != 0) && __builtin_cpu_supports("amx-tile") &&
           __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("avx512bw") &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

int has_amx(void)
{
    static int known = -1;
    if (known < 0) {
        known = may_use_amx();
    }
    return known;
}
#else
int has_amx(void) { return 0; }
#endif
