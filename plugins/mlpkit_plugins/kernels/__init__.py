"""Loops that built-in components spend their time in: compiled where that could be done, in NumPy elsewhere.

``with_numpy.py`` says what each kernel computes. A compiled one goes through memory once where NumPy does so several
times, and hands over to NumPy whatever it can't do, such as arrays with gaps within a row. It rounds as NumPy does, to
the same bits, but for matrix products of float32: those it adds up in an order of its own, whatever the number of
threads (``multiply.h``). Large ones are computed by AMX where the processor has that, and then have other bits.

Where there is much to do, the compiled ones share it out to as many threads as a matrix product has at the time. With
OpenBLAS, these threads and those of BLAS are the same (``team.c``, ``blas_threads.c``).

The environment variable ``MLPKIT_KERNELS=numpy`` leaves the compiled ones out. With ``avx512`` matrix products are
computed without AMX, and with ``avx2`` without AVX-512 as well.
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

PRODUCTS_BY = kernels.PRODUCTS_BY
"""What computes matrix products of float32: their bits depend on it."""

cross_entropy_gradient = kernels.cross_entropy_gradient
descend = kernels.descend
descend_adaptively = kernels.descend_adaptively
flush_subnormal = kernels.flush_subnormal
keep_where_positive = kernels.keep_where_positive
normalize_columns = kernels.normalize_columns
pick_labels = kernels.pick_labels
product = kernels.product
product_plus_row = kernels.product_plus_row
read_rows = kernels.read_rows
rectify = kernels.rectify
shift_transposed = kernels.shift_transposed
take_scaled = kernels.take_scaled
