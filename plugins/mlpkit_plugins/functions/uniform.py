"""Uniform first values within given bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit import Fans, Initializer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Uniform(Initializer):
    """Independent uniform numbers, for layers whose papers say so.

        U(-bound, bound)

    Args:
        bound: the bound.
    """

    def __init__(self, bound: float) -> None:
        self.bound = bound

    def __call__(
        self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        """Draw from U(-bound, bound)."""
        return rng.uniform(-self.bound, self.bound, shape).astype(dtype)
