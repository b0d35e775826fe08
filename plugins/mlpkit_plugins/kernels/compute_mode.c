#include "compute_mode.h"

#include "instruction_set.h"

#include <stddef.h>

static _Thread_local int depth, rounding_depth;

void begin_row_order(void) { depth++; }

void end_row_order(void) { depth--; }

int in_row_order(void) { return depth > 0 && instruction_set() != NULL; }

void begin_bfloat16(void) { rounding_depth++; }

void end_bfloat16(void) { rounding_depth--; }

int in_bfloat16(void) { return rounding_depth > 0 && depth == 0; }
