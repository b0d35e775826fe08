"""The division that RMSprop and Adagrad share."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlpkit import Array


def divide_by_root(gradient: Array, squares: Array, epsilon: float) -> None:
    """Divide a gradient by the root of its accumulated squares, in place.

        gradient ← gradient / (√squares + epsilon)

    Args:
        gradient: a block of the gradients.
        squares: the same block of a mean, or of a sum, of their squares.
        epsilon: number added to the root.
    """
    # Squares of smaller gradients are 0 in this dtype; without a bound, this gives 0 / 0 or too long a step.
    least = sqrt(np.finfo(gradient.dtype).tiny)
    root = np.sqrt(squares)
    np.add(root, max(epsilon, least), out=root)
    np.divide(gradient, root, out=gradient)
