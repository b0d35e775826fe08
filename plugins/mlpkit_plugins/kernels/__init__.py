"""The inner loops of built-in components: compiled if there was a compiler, otherwise in NumPy.

``with_numpy.py`` defines each kernel. A compiled kernel passes over memory once instead of several times, and forwards
unsupported arrays to NumPy, such as arrays with gaps within a row. Its bits are NumPy's, except in float32 for matrix
products and convolutions, which have a fixed order of summation for any number of threads (``multiply.h``,
``convolve.h``); for activations (``activations.h``), cosine and sine (``exporters/row_functions.h``), which have their
own implementations; and for layer normalization, which has its own order of summation (``mlpkit_sumf``). Large products
use AMX if the processor has it, with different bits.

Large arrays are split among as many threads as a matrix product uses. While a network computes, OpenBLAS shares these
threads (``team.c``, ``blas_threads.c``); importing this package changes nothing.

Environment variables select the kernels: ``MLPKIT_KERNELS=numpy`` disables the compiled ones, ``avx512`` disables AMX
in matrix products, and ``avx2`` AVX-512 as well; on ARM these two have no effect. With ``MLPKIT_SHARE_BLAS=0``,
OpenBLAS keeps its own threads, like any other BLAS; the kernels then use one thread, and BLAS computes the large
products.
"""

from __future__ import annotations

import os
from types import BuiltinFunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


def _why_not_compiled() -> str:
    """Return why there are no compiled kernels, from the installation's record, and what to do."""
    from importlib import metadata  # noqa: PLC0415 - slow to load, and needed only here

    try:
        record = metadata.distribution("mlpkit").read_text("WHEEL") or ""
    except metadata.PackageNotFoundError:
        record = ""
    if "Root-Is-Purelib: true" in record:
        return "installed from a wheel without compiled kernels; with a C compiler, install mlpkit from source"
    return "no C compiler worked at installation; with one, install mlpkit again"


if TYPE_CHECKING or os.environ.get("MLPKIT_KERNELS") == "numpy":
    from mlpkit_plugins.kernels.with_numpy import *

    PRODUCTS_BY_REASON, SLOW_BECAUSE = "MLPKIT_KERNELS=numpy", ""
else:
    try:
        from mlpkit_plugins.kernels.compiled import *

        PRODUCTS_BY_REASON, SLOW_BECAUSE = INSTRUCTIONS or "the processor has none of AVX-512, AVX2 and NEON", ""
    except ModuleNotFoundError:
        from mlpkit_plugins.kernels.with_numpy import *

        PRODUCTS_BY_REASON = SLOW_BECAUSE = _why_not_compiled()
    except ImportError as error:  # compiled for another NumPy, say
        from mlpkit_plugins.kernels.with_numpy import *

        PRODUCTS_BY_REASON = SLOW_BECAUSE = f"the compiled kernels can't be loaded: {error}"

COMPILED = isinstance(product, BuiltinFunctionType)
"""Whether the compiled kernels are in use."""


def _context(begin: Callable[..., object], end: Callable[..., object]) -> AbstractContextManager[None]:
    """Return a context whose methods are kernels themselves, much faster than Python methods that call them."""
    context: AbstractContextManager[None] = type("Context", (), {"__enter__": begin, "__exit__": end})()
    return context


_SHARED_THREADS = _context(begin_sharing_threads, end_sharing_threads)
_ROW_ORDER = _context(begin_row_order, end_row_order)
_BFLOAT16 = _context(begin_bfloat16, end_bfloat16)


def shared_threads() -> AbstractContextManager[None]:
    """Let BLAS use the kernels' threads inside the block, if NumPy's BLAS is an OpenBLAS that supports it."""
    return _SHARED_THREADS


def row_order() -> AbstractContextManager[None]:
    """Compute each row in an order that doesn't depend on the batch, inside the block, in the current thread.

    Products and functions of float32 then have the bits described in docs/numerics.md, if the processor has AVX-512,
    AVX2 and FMA, or NEON. Otherwise nothing changes.
    """
    return _ROW_ORDER


def bfloat16_products() -> AbstractContextManager[None]:
    """Round the factors of float32 matrix products to bfloat16 inside the block, in the current thread.

    Sums stay float32. Inside ``row_order``, nothing is rounded.
    """
    return _BFLOAT16
