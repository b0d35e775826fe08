/* Kernels for 64-bit ARM processors, all of which have NEON: 32 registers of 4 numbers. */
#include "instruction_set.h"

#ifdef COMPILES_NEON
#include <arm_neon.h>

#define INSTRUCTION_SET neon
#define NAME "NEON"
#define TARGET
#define LANES 4
#define VECTOR float32x4_t
#define MASK int /* the number of lanes, since NEON has no masks */
#define MASK_OF(n) (n)
#define LOAD(p) vld1q_f32(p)
#define LOAD_SOME(p, mask) load_some(p, mask)
#define LOAD_FOURS(p, step) vld1q_f32(p)
#define STORE(p, v) vst1q_f32(p, v)
#define STORE_SOME(p, mask, v) store_some(p, mask, v)
#define ZERO() vdupq_n_f32(0)
#define BROADCAST(p) vdupq_n_f32(*(p))
#define ADD(x, y) vaddq_f32(x, y)
#define FMA(x, y, z) vfmaq_f32(z, x, y)
#define ZIP_LOW(x, y) vzip1q_f32(x, y)
#define ZIP_HIGH(x, y) vzip2q_f32(x, y)
#define NOT_ZERO(v) not_zero(v)
#define ROWS_OF_1 14
#define ROWS_OF_2 12
#define ROWS_OF_3 8
#define ROWS_OF_4 5
#define B_IS_PADDED 0
#define MASKS_ARE_FAST 0
#define MIN_SUMS 16

/* Otherwise GCC compiles a whole tile for each count. */
#define HIDE(count) __asm__("" : "+r"(count))

static inline float32x4_t load_some(const float *from, int count)
{
    HIDE(count);
    return count == 4   ? vld1q_f32(from)
           : count == 3 ? vcombine_f32(vld1_f32(from), vld1_lane_f32(from + 2, vdup_n_f32(0), 0))
           : count == 2 ? vcombine_f32(vld1_f32(from), vdup_n_f32(0))
           : count == 1 ? vld1q_lane_f32(from, vdupq_n_f32(0), 0)
                        : vdupq_n_f32(0);
}

static inline void store_some(float *to, int count, float32x4_t v)
{
    HIDE(count);
    if (count == 4) {
        vst1q_f32(to, v);
        return;
    }
    if (count >= 2) {
        vst1_f32(to, vget_low_f32(v));
    }
    if (count == 3) {
        vst1q_lane_f32(to + 2, v, 2);
    }
    if (count == 1) {
        vst1q_lane_f32(to, v, 0);
    }
}

static inline unsigned not_zero(float32x4_t v)
{
    const uint32x4_t bits = {1, 2, 4, 8};
    return vaddvq_u32(vbicq_u32(bits, vceqzq_f32(v)));
}

#include "vector_kernels.h"
#endif
