"""The base of layers whose matrix products the kernels compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlpkit import Layer
from mlpkit_plugins.kernels import (
    PRODUCTS_BY,
    PRODUCTS_BY_REASON,
    SLOW_BECAUSE,
    bfloat16_products,
    row_order,
    shared_threads,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


class MatrixLayer(Layer):
    """A layer whose products the kernels or BLAS compute, on the network's threads."""

    computed_by = PRODUCTS_BY
    computed_by_reason = PRODUCTS_BY_REASON
    slow_because = SLOW_BECAUSE
    compute_context = shared_threads
    evaluation_context = row_order
    bfloat16_context: ClassVar[Callable[[], AbstractContextManager[object]] | None] = bfloat16_products
