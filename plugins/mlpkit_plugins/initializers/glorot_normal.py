"""Glorot's initialization, normal."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class GlorotNormal(Initializer):
    """Normal numbers scaled to preserve the variance of activations and gradients through linear units.

        N(0, 2 / (fan_in + fan_out))

    Source: Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks (2010),
        equation 12.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from N(0, 2 / (fan_in + fan_out))."""
        return rng.normal(0.0, sqrt(2.0 / (fans.inputs + fans.outputs)), shape).astype(dtype)
