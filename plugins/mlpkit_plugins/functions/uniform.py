"""Uniform initial values within given bounds."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class Uniform(Initializer):
    """Independent uniform numbers, for layers whose papers use them.

        U(-bound, bound)

    Args:
        bound: the bound.
        rows_alike: whether all rows of the first axis have the same numbers.
    """

    bound: float
    _: KW_ONLY
    rows_alike: bool = False

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from U(-bound, bound)."""
        drawn = rng.uniform(-self.bound, self.bound, shape[1:] if self.rows_alike else shape).astype(dtype)
        return np.broadcast_to(drawn, shape)
