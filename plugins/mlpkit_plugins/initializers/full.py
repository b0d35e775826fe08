"""Initialization with one value."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class Full(Initializer):
    """The same value everywhere, such as a positive bias; wrong for weights, since it never breaks their symmetry.

        W = value

    Args:
        value: the value, in the unit of the parameter.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 8.4.
    """

    value: float

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Return an array full of the value."""
        return np.full(shape, self.value, dtype)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show it on a bias."""
        return [({"value": 0.1}, (5,))]
