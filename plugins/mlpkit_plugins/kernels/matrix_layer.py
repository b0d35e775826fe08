"""The base of layers whose matrix products the kernels compute."""

from __future__ import annotations

from mlpkit import Layer
from mlpkit_plugins.kernels import PRODUCTS_BY, PRODUCTS_BY_REASON, SLOW_BECAUSE, row_order, shared_threads


class MatrixLayer(Layer):
    """A layer whose products the kernels or BLAS compute, on the network's threads."""

    computed_by = PRODUCTS_BY
    computed_by_reason = PRODUCTS_BY_REASON
    slow_because = SLOW_BECAUSE
    compute_context = shared_threads
    evaluation_context = row_order
