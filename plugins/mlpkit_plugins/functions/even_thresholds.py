"""Initial thresholds between ordered classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class EvenThresholds(Initializer):
    """Thresholds that cut the logistic distribution into parts of equal probability.

        θₖ = log((k + 1) / (n - k)),  k = 0 ... n - 1

    The first element is θ₀; the following ones are log(θₖ - θₖ₋₁).
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Return θ₀ and the logarithms of the distances."""
        number = np.arange(1, shape[0] + 1)
        thresholds = np.log(number / number[::-1])
        return np.append(thresholds[:1], np.log(np.diff(thresholds))).astype(dtype)
