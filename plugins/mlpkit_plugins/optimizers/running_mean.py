"""Running means."""

from __future__ import annotations

from mlpkit import Array
from mlpkit_plugins.kernels import flush_subnormal


def update_mean(mean: Array, beta: float, new: Array) -> None:
    """Update a running mean in place: mean ← beta mean + (1 - beta) new; subnormal numbers become 0.

    Args:
        mean: any shape.
        beta: share of the mean that is kept.
        new: the same shape.
    """
    mean *= beta
    mean += (1 - beta) * new
    flush_subnormal(mean)
