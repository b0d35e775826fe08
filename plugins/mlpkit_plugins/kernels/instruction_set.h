/* Instruction sets with vectors of float32. Each has a file that defines a few operations; the kernels are written once
 * in terms of these (vector_kernels.h). */
#ifndef MLPKIT_INSTRUCTION_SET_H
#define MLPKIT_INSTRUCTION_SET_H

#include "convolution_tiles.h"
#include "functions.h"
#include "tiles.h"

typedef struct {
    const char *name;
    const Tiles *tiles;
    const ConvolutionTiles *convolution_tiles;
    const RowLoops *loops;
} InstructionSet;

#if defined(__x86_64__) && defined(__GNUC__)
#define COMPILES_AVX
extern const InstructionSet avx512, avx2;
#elif defined(__aarch64__) && defined(__GNUC__)
#define COMPILES_NEON
extern const InstructionSet neon;
#endif

/* The processor's instruction set with the widest vectors, NULL if it has none of these. */
const InstructionSet *instruction_set(void);

#endif
