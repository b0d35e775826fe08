"""Matrix products."""

from __future__ import annotations

import numpy as np

from mlpkit import Array
from mlpkit_plugins.kernels import product


def multiplied(a: Array, b: Array) -> Array:
    """Return the matrix product a b, computed like that of a layer, on the threads of the training."""
    return product(a, b, np.empty((a.shape[0], b.shape[1]), a.dtype))
