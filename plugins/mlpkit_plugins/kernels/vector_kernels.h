/* The kernels of one instruction set. The including file defines its name and its vectors:
 *
 *     INSTRUCTION_SET, NAME    its name in C, and its name for users
 *     TARGET                   the attribute that lets a function use it
 *     VECTOR, LANES            a vector of float32, and its number of lanes
 *     MASK, MASK_OF(n)         which lanes to read or write: the first n
 *     LOAD(p), LOAD_SOME(p, mask), STORE(p, v), STORE_SOME(p, mask, v)
 *     LOAD_FOURS(p, step)      the four numbers at p, the four at p + step, and so on
 *     ZERO(), BROADCAST(p), ADD(x, y), FMA(x, y, z)
 *     ZIP_LOW(x, y)            x[0] y[0] x[1] y[1], and the same in every other four lanes
 *     ZIP_HIGH(x, y)           x[2] y[2] x[3] y[3]
 *     NOT_ZERO(v)              a bit for each lane, from the lowest up
 *     ROWS_OF_1 to ROWS_OF_4   the most rows of a tile with that many vectors per row whose sums, numbers of A and row
 *                              of B all fit into registers; 0 if there is no such tile
 *     B_IS_PADDED              whether rows of B are filled up to whole vectors
 *     MASKS_ARE_FAST           whether LOAD_SOME takes as long as LOAD
 *     MIN_SUMS                 the fewest sums with which no FMA waits: its latency in cycles, times FMAs per cycle
 */
#include "row_loops.h"
#include "tile_loops.h"

#include "convolution_tile_loops.h"

const InstructionSet INSTRUCTION_SET = {NAME, &tiles, &convolution_tiles, &row_loops};
