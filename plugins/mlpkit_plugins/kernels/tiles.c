#include "tiles.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
const Tiles *tiles_of_processor(void)
{
    const char *choice = getenv("MLPKIT_KERNELS"); /* the narrower tiles can be tried on any processor */
    if (__builtin_cpu_supports("avx512f") && (choice == NULL || strcmp(choice, "avx2") != 0)) {
        return &tiles_avx512;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &tiles_avx2 : NULL;
}
#else
const Tiles *tiles_of_processor(void) { return NULL; }
#endif
