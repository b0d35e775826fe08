"""The running means that optimizers keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit_plugins.kernels import flush_subnormal

if TYPE_CHECKING:
    from mlpkit import Array


def update_mean(mean: Array, beta: float, new: Array) -> None:
    """Move a mean towards a new array, in place: mean ← beta mean + (1 - beta) new. Subnormal numbers become 0.

    Args:
        mean: of any shape.
        beta: share that is kept of it.
        new: of the same shape.
    """
    mean *= beta
    mean += (1 - beta) * new
    flush_subnormal(mean)
