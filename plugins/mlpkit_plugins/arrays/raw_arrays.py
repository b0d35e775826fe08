"""Arrays as in their files, before scaling."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from mlpkit import RawArray
from mlpkit_plugins.arrays.finite_rows import row_blocks
from mlpkit_plugins.formats.rows_on_disk import Rows


def raw_array(name: str, role: str, arrays: Iterable[Rows]) -> RawArray:
    """Describe an array, which may be in several files.

    Args:
        name: the name of the array.
        role: ``input`` or ``target``.
        arrays: its part in each file; only the numbers of rows differ.
    """
    arrays = list(arrays)
    dtypes = dict.fromkeys(str(array.dtype) for array in arrays)
    least, greatest, missing = math.nan, math.nan, 0
    for part in (part for array in arrays for _, part in row_blocks(array)):
        present = part[np.isfinite(part)] if part.dtype.kind == "f" else part
        missing += part.size - present.size
        if present.size:
            least, greatest = float(np.fmin(least, present.min())), float(np.fmax(greatest, present.max()))
    return RawArray(name, role, ", ".join(dtypes), arrays[0].shape[1:], least, greatest, missing)
