"""Uniform numbers within 1 / √fan_in."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class FanInUniform(Initializer):
    """Uniform numbers within 1 / √fan_in: the distribution of weights and biases of PyTorch's linear layers.

        U(-a, a),  a = 1 / √fan_in

    Source: LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.6, with a third of its variance; equal
        to He's uniform numbers for leaky rectified linear units of slope √5: He, Zhang, Ren and Sun, Delving Deep into
        Rectifiers (2015), equation 15.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw from U(-a, a)."""
        a = 1 / sqrt(fans.inputs)
        return rng.uniform(-a, a, shape).astype(dtype)
