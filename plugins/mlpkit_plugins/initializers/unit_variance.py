"""Weights whose outputs have unit variance over training data."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np

from mlpkit import Array, Fans, Initializer


class UnitVariance(Initializer):
    """Normal weights, scaled so that each unit's outputs have variance 1 over a batch of training inputs.

        V_ij ~ N(0, 1 / fan_in)
        W_ij = V_ij / std(y_j),  y = f(x; V)

    where f is the layer and j counts its units. Without data, and for units with constant outputs, W = V.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), appendix A.2; the idea: Krähenbühl, Doersch, Donahue and Darrell, Data-dependent Initializations of
        Convolutional Neural Networks (2016), section 3.1.
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Draw V from N(0, 1 / fan_in)."""
        return rng.normal(0.0, sqrt(1.0 / fans.inputs), shape).astype(dtype)

    def adapt(
        self, values: Array, outputs: Callable[[Array], Array], unit_axis: int, rng: np.random.Generator
    ) -> Array:
        """Divide each unit's weights by the standard deviation of its outputs."""
        y = np.moveaxis(outputs(values), 1, -1)
        deviation = y.std(axis=tuple(range(y.ndim - 1)), dtype=np.float64)
        deviation[deviation == 0] = 1
        W: Array = np.moveaxis(values, unit_axis, -1) / deviation
        return np.moveaxis(W, -1, unit_axis).astype(values.dtype)
