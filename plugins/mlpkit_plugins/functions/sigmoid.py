"""The logistic sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sigmoid(x: NDArray[Any], out: NDArray[Any], *, numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[Any]:
    """Set out to σ(x), element by element, and return it.

        σ(x) = 1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|))

    The second form never overflows, and is exact to rounding for large negative x too.

    Args:
        x: of any shape.
        out: of the same shape.
        numerator: scratch of the same shape; may be out itself.
        denominator: scratch of the same shape.
    """
    np.minimum(x, 0, out=numerator)
    np.exp(numerator, out=numerator)
    np.abs(x, out=denominator)
    np.negative(denominator, out=denominator)
    np.exp(denominator, out=denominator)
    np.add(denominator, 1, out=denominator)
    np.divide(numerator, denominator, out=out)
    return out
