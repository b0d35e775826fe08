"""LeCun's initialization, normal."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class LecunNormal(Initializer):
    """Normal numbers scaled to preserve the variance of activations through linear units.

        N(0, 1 / fan_in)

    Source: LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.6.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from N(0, 1 / fan_in)."""
        return rng.normal(0.0, sqrt(1.0 / fans.inputs), shape).astype(dtype)
