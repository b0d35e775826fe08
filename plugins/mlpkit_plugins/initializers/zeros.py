"""Initialization with zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class Zeros(Initializer):
    """Zero everywhere: right for biases, wrong for weights, since it never breaks their symmetry.

        W = 0

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 8.4.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Return zeros."""
        return np.zeros(shape, dtype)
