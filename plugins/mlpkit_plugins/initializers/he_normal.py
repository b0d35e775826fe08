"""He's initialization, normal."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class HeNormal(Initializer):
    """Normal numbers scaled to preserve the variance of activations through rectified linear units.

        N(0, 2 / fan_in)

    Source: He, Zhang, Ren and Sun, Delving Deep into Rectifiers (2015), equation 10.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from N(0, 2 / fan_in)."""
        return rng.normal(0.0, sqrt(2.0 / fans.inputs), shape).astype(dtype)
