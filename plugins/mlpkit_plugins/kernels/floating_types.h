/* Includes the header LOOPS twice: it defines the loops of some kernels for float32, then for float64. It may use
 *
 *     T                            the type of an element
 *     TYPED(name)                  name_float32 or name_float64
 *     ROW(array, i)                row i of the array at that place in the argument arrays
 *     SQUARE_ROOT(x), LEAST_NORMAL
 */
#include "loops.h"

#include <float.h>
#include <math.h>

#define ROW(array, i) ((T *)arrays[array].data + (i) * arrays[array].stride)

#define T float
#define TYPED(name) name##_float32
#define SQUARE_ROOT(x) sqrtf(x)
#define LEAST_NORMAL FLT_MIN
#include LOOPS
#undef T
#undef TYPED
#undef SQUARE_ROOT
#undef LEAST_NORMAL

#define T double
#define TYPED(name) name##_float64
#define SQUARE_ROOT(x) sqrt(x)
#define LEAST_NORMAL DBL_MIN
#include LOOPS
#undef T
#undef TYPED
#undef SQUARE_ROOT
#undef LEAST_NORMAL
#undef ROW
