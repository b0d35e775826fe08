"""LeCun's initialization, uniform."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class LecunUniform(Initializer):
    """Uniform numbers scaled to preserve the variance of activations through linear units.

        U(-a, a),  a = √(3 / fan_in)

    Source: LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.6: the variance is 1 / fan_in.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from U(-a, a)."""
        a = sqrt(3.0 / fans.inputs)
        return rng.uniform(-a, a, shape).astype(dtype)
