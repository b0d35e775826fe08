"""Running means, division by the root of accumulated squares, and matrix products."""

from __future__ import annotations

from math import sqrt

import numpy as np

from mlpkit import Array
from mlpkit_plugins.kernels import flush_subnormal, product


def divide_by_root(gradient: Array, squares: Array, epsilon: float) -> None:
    """Divide a gradient by the root of its squares, in place: gradient ← gradient / (√squares + epsilon)."""
    # The squares of smaller gradients are 0 in this dtype; without this bound, the quotient is 0 / 0 or far too large.
    least = sqrt(np.finfo(gradient.dtype).tiny)
    root = np.sqrt(squares)
    np.add(root, max(epsilon, least), out=root)
    np.divide(gradient, root, out=gradient)


def update_mean(mean: Array, beta: float, new: Array) -> None:
    """Update a running mean in place: mean ← beta mean + (1 - beta) new; subnormal numbers become 0."""
    mean *= beta
    mean += (1 - beta) * new
    flush_subnormal(mean)


def multiplied(a: Array, b: Array) -> Array:
    """Return the matrix product a b, computed like that of a layer, on the threads of the training."""
    return product(a, b, np.empty((a.shape[0], b.shape[1]), a.dtype))
