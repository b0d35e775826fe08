#include "row_order.h"

#include "instruction_set.h"

#include <stddef.h>

static _Thread_local int depth;

void begin_row_order(void) { depth++; }

void end_row_order(void) { depth--; }

int in_row_order(void) { return depth > 0 && instruction_set() != NULL; }
