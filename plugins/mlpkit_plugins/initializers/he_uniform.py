"""He's initialization, uniform."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class HeUniform(Initializer):
    """Uniform numbers scaled to preserve the variance of activations through rectified linear units.

        U(-a, a),  a = √(6 / fan_in)

    Source: He, Zhang, Ren and Sun, Delving Deep into Rectifiers (2015), equation 10, with the same variance, 2 /
        fan_in.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from U(-a, a)."""
        a = sqrt(6.0 / fans.inputs)
        return rng.uniform(-a, a, shape).astype(dtype)
