/* A thread's floating-point mode: rounding, and the treatment of subnormal numbers. */
#ifndef MLPKIT_FLOAT_MODE_H
#define MLPKIT_FLOAT_MODE_H

#include <stdint.h>

typedef uint64_t FloatMode;

#if defined(__SSE__)
#include <xmmintrin.h>

#define FLAGS_RAISED 0x3f

static inline FloatMode float_mode(void) { return _mm_getcsr() & ~(uint32_t)FLAGS_RAISED; }
static inline void set_float_mode(FloatMode mode) { _mm_setcsr((uint32_t)mode); }
#elif defined(__aarch64__)
static inline FloatMode float_mode(void)
{
    FloatMode mode;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
    return mode;
}

static inline void set_float_mode(FloatMode mode) { __asm__ __volatile__("msr fpcr, %0" ::"r"(mode)); }
#else
static inline FloatMode float_mode(void) { return 0; }
static inline void set_float_mode(FloatMode mode) { (void)mode; }
#endif

#endif
