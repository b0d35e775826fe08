"""The logistic sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sigmoid(x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """Set out to σ(x), element by element, and return it.

        σ(x) = 1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|))

    The second form never overflows, and is exact to rounding for large negative x too.

    Args:
        x: of any shape.
        out: of the same shape.
    """
    denominator = np.abs(x)
    np.negative(denominator, out=denominator)
    np.exp(denominator, out=denominator)
    np.add(denominator, 1, out=denominator)
    np.minimum(x, 0, out=out)
    np.exp(out, out=out)
    np.divide(out, denominator, out=out)
    return out
