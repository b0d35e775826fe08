"""Loops that built-in components spend their time in: compiled where that could be done, in NumPy elsewhere.

``with_numpy.py`` says what each kernel computes. A compiled one goes through memory once where NumPy does so several
times, and hands over to NumPy whatever it can't do, such as arrays with gaps within a row. It rounds as NumPy does, to
the same bits, but for matrix products of float32: those it adds up in an order of its own, whatever the number of
threads (``multiply.h``). Large ones are computed by AMX where the processor has that, and then have other bits.

Large arrays are shared out to as many threads as a matrix product has at the time. While a network computes, these
threads and those of OpenBLAS are the same (``team.c``, ``blas_threads.c``); importing this package changes nothing.

Environment variables choose what computes: ``MLPKIT_KERNELS=numpy`` leaves the compiled kernels out; with ``avx512``
matrix products are computed without AMX, and with ``avx2`` without AVX-512 as well. ``MLPKIT_SHARE_BLAS=0`` leaves
OpenBLAS its own threads, as any other BLAS has them; the kernels then compute on one thread, and BLAS has the large
products.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit_plugins.kernels import with_numpy as kernels

    PRODUCTS_BY_REASON: str
elif os.environ.get("MLPKIT_KERNELS") == "numpy":
    from mlpkit_plugins.kernels import with_numpy as kernels

    PRODUCTS_BY_REASON = "MLPKIT_KERNELS=numpy"
else:
    try:
        import mlpkit_plugins.kernels.compiled as kernels

        PRODUCTS_BY_REASON = kernels.INSTRUCTIONS or "the processor has neither AVX2 nor AVX-512"
    except ModuleNotFoundError:
        from mlpkit_plugins.kernels import with_numpy as kernels

        PRODUCTS_BY_REASON = "the kernels are not compiled; with a C compiler, install mlpkit again"
    except ImportError as error:  # compiled for another NumPy, say
        from mlpkit_plugins.kernels import with_numpy as kernels

        PRODUCTS_BY_REASON = f"the compiled kernels can't be loaded: {error}"

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


@contextmanager
def shared_threads() -> Iterator[None]:
    """Have BLAS compute on the kernels' threads inside the block, if NumPy's is an OpenBLAS that can."""
    kernels.begin_sharing_threads()
    try:
        yield
    finally:
        kernels.end_sharing_threads()
