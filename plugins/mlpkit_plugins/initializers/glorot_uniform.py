"""Glorot's initialization, uniform."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class GlorotUniform(Initializer):
    """Uniform numbers scaled to preserve the variance of activations and gradients through linear units.

        U(-a, a),  a = √(6 / (fan_in + fan_out))

    Source: Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks (2010),
        equation 16.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from U(-a, a)."""
        a = sqrt(6.0 / (fans.inputs + fans.outputs))
        return rng.uniform(-a, a, shape).astype(dtype)
