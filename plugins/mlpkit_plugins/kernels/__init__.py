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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


if TYPE_CHECKING:
    from mlpkit_plugins.kernels import with_numpy as kernels

    PRODUCTS_BY_REASON: str
    SLOW_BECAUSE: str
elif os.environ.get("MLPKIT_KERNELS") == "numpy":
    from mlpkit_plugins.kernels import with_numpy as kernels

    PRODUCTS_BY_REASON = "MLPKIT_KERNELS=numpy"
    SLOW_BECAUSE = ""
else:
    try:
        import mlpkit_plugins.kernels.compiled as kernels

        PRODUCTS_BY_REASON = kernels.INSTRUCTIONS or "the processor has none of AVX-512, AVX2 and NEON"
        SLOW_BECAUSE = ""
    except ModuleNotFoundError:
        from mlpkit_plugins.kernels import with_numpy as kernels

        PRODUCTS_BY_REASON = SLOW_BECAUSE = _why_not_compiled()
    except ImportError as error:  # such as kernels compiled for another NumPy
        from mlpkit_plugins.kernels import with_numpy as kernels

        PRODUCTS_BY_REASON = SLOW_BECAUSE = f"the compiled kernels can't be loaded: {error}"

COMPILED = kernels.__name__.endswith(".compiled")
"""Whether the compiled kernels are in use."""

PRODUCTS_BY = kernels.PRODUCTS_BY
"""The implementation of float32 matrix products, on which their bits depend."""

average_pool = kernels.average_pool
convolution = kernels.convolution
convolution_inputs_gradient = kernels.convolution_inputs_gradient
convolution_weights_gradient = kernels.convolution_weights_gradient
cos = kernels.cos
cross_entropy_gradient = kernels.cross_entropy_gradient
descend = kernels.descend
descend_adaptively = kernels.descend_adaptively
distinct_fields = kernels.distinct_fields
drop = kernels.drop
elu = kernels.elu
elu_gradient = kernels.elu_gradient
exp = kernels.exp
feature_sums = kernels.feature_sums
feature_sums_of_products = kernels.feature_sums_of_products
feature_sums_of_squares = kernels.feature_sums_of_squares
flatten_images = kernels.flatten_images
flush_subnormal = kernels.flush_subnormal
gelu = kernels.gelu
gelu_gradient = kernels.gelu_gradient
keep_where_positive = kernels.keep_where_positive
leaky_relu = kernels.leaky_relu
leaky_relu_gradient = kernels.leaky_relu_gradient
lerp = kernels.lerp
lerp_gradient = kernels.lerp_gradient
max_pool = kernels.max_pool
max_pool_gradient = kernels.max_pool_gradient
mish = kernels.mish
mish_gradient = kernels.mish_gradient
normalize = kernels.normalize
normalize_columns = kernels.normalize_columns
normalize_gradient = kernels.normalize_gradient
normalize_rows = kernels.normalize_rows
normalize_rows_gradient = kernels.normalize_rows_gradient
pad_images = kernels.pad_images
philox_words = kernels.philox_words
pick_labels = kernels.pick_labels
prelu = kernels.prelu
prelu_gradient = kernels.prelu_gradient
product = kernels.product
product_plus_row = kernels.product_plus_row
read_csv_records = kernels.read_csv_records
read_rows = kernels.read_rows
rectify = kernels.rectify
scale_and_shift_features = kernels.scale_and_shift_features
scale_elements = kernels.scale_elements
scale_features = kernels.scale_features
selu = kernels.selu
selu_gradient = kernels.selu_gradient
shift_transposed = kernels.shift_transposed
sigmoid = kernels.sigmoid
sigmoid_gradient = kernels.sigmoid_gradient
silu = kernels.silu
silu_gradient = kernels.silu_gradient
sin = kernels.sin
softmax = kernels.softmax
softplus = kernels.softplus
softplus_gradient = kernels.softplus_gradient
take_rows = kernels.take_rows
take_scaled = kernels.take_scaled
tanh = kernels.tanh
tanh_gradient = kernels.tanh_gradient


class _SharedThreads:
    """A context whose methods are kernels themselves, much faster than Python methods that call them."""

    __enter__ = kernels.begin_sharing_threads
    __exit__ = kernels.end_sharing_threads


class _RowOrder:
    """The same for row order."""

    __enter__ = kernels.begin_row_order
    __exit__ = kernels.end_row_order


class _Bfloat16:
    """The same for products in bfloat16."""

    __enter__ = kernels.begin_bfloat16
    __exit__ = kernels.end_bfloat16


_SHARED_THREADS = _SharedThreads()
_ROW_ORDER = _RowOrder()
_BFLOAT16 = _Bfloat16()


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
