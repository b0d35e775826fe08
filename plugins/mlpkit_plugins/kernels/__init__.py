"""Loops that built-in components spend their time in: compiled where that could be done, in NumPy elsewhere.

A compiled kernel does in one pass over memory what NumPy does in several, and rounds as NumPy does: the results are
the same bits, so that a run neither knows nor records which of the two computed it. ``with_numpy.py`` says what each
kernel computes; the compiled ones hand over to it whatever they can't do, such as arrays with gaps within a row.

Where there is much to do, the compiled ones share it out to as many threads as a matrix product has at the time. With
OpenBLAS, these threads and those of BLAS are the same (``team.c``, ``blas_threads.c``).

The environment variable ``MLPKIT_KERNELS=numpy`` leaves the compiled ones out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpkit_plugins.kernels import with_numpy as kernels
elif os.environ.get("MLPKIT_KERNELS") == "numpy":
    from mlpkit_plugins.kernels import with_numpy as kernels
else:
    try:
        from mlpkit_plugins.kernels import compiled as kernels
    except ImportError:  # there was no compiler, or NumPy is not the one it was compiled for
        from mlpkit_plugins.kernels import with_numpy as kernels

COMPILED = kernels.__name__.endswith(".compiled")
"""Whether the compiled kernels are in use."""

add_row = kernels.add_row
cross_entropy_gradient = kernels.cross_entropy_gradient
descend = kernels.descend
descend_adaptively = kernels.descend_adaptively
keep_where_positive = kernels.keep_where_positive
normalize_columns = kernels.normalize_columns
pick_labels = kernels.pick_labels
product = kernels.product
rectify = kernels.rectify
shift_transposed = kernels.shift_transposed
take_scaled = kernels.take_scaled
