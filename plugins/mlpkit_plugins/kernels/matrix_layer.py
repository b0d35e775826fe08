"""The base of layers whose matrix products the kernels compute."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import ClassVar

import numpy as np

from mlpkit import Array, Layer, Parameter
from mlpkit_plugins.kernels import (
    PRODUCTS_BY,
    PRODUCTS_BY_REASON,
    SLOW_BECAUSE,
    bfloat16_products,
    product,
    product_plus_row,
    row_order,
    shared_threads,
)


class MatrixLayer(Layer):
    """A layer whose products the kernels or BLAS compute, on the network's threads."""

    computed_by = PRODUCTS_BY
    computed_by_reason = PRODUCTS_BY_REASON
    slow_because = SLOW_BECAUSE
    compute_context = shared_threads
    evaluation_context = row_order
    bfloat16_context: ClassVar[Callable[[], AbstractContextManager[object]] | None] = bfloat16_products
    _ones = np.ones(0)

    def affine_plan(self, x: Array, W: Parameter, b: Parameter | None) -> Callable[[], Array]:
        """Return a function that computes x W + b, for the present content of all three, for ``prediction_plan``."""
        y = self.buffer("y", (len(x), W.shape[1]), contiguous=False)
        if b is None:
            return partial(product, x, W.value, y)
        return partial(product_plus_row, x, W.value, b.value, y)

    def sum_rows(self, x: Array, out: Array) -> None:
        """Set out to the sum of the rows of x, as the product of a row of ones and x, several times as fast."""
        if len(self._ones) != len(x):
            self._ones = np.ones(len(x), self.dtype)
        product(self._ones, x, out)
