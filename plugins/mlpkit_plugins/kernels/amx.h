/* AMX, the unit for matrices of Intel's processors: eight tiles, each of 16 lines of 64 bytes. */
#ifndef MLPKIT_AMX_H
#define MLPKIT_AMX_H

#include <stddef.h>
#include <stdint.h>

/* Whether the compiler can test the processor for it. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define COMPILES_AMX

/* The instructions as inline assembly, since the compiler's intrinsics don't declare what memory they read. The name of
 * a tile is a digit. */
#define ZERO_TILE(tile) __asm__ volatile("tilezero %tmm" #tile)
#define LOAD_TILE(tile, from, bytes_apart)                                                                             \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile::"r"(from), "r"((ptrdiff_t)(bytes_apart)) : "memory")
#define STORE_TILE(tile, to, bytes_apart)                                                                              \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(to), "r"((ptrdiff_t)(bytes_apart)) : "memory")

/* Add A B to C, tiles of 16 by 32 numbers of bfloat16, 32 by 16, and 16 by 16 of float32. */
#define ADD_PRODUCT_OF_TILES(c, a, b) __asm__ volatile("tdpbf16ps %tmm" #b ", %tmm" #a ", %tmm" #c)

/* A thread calls the first before it uses tiles, and the second afterwards. */
static inline void use_tiles(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes_of_line[16];
        uint8_t lines[16];
    } configuration = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        configuration.bytes_of_line[tile] = 64;
        configuration.lines[tile] = 16;
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(configuration));
}

static inline void release_tiles(void) { __asm__ volatile("tilerelease"); }
#endif

/* Whether the processor has AMX, and the system lets this process use it. */
int has_amx(void);

#endif
