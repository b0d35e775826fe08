"""Values as a network computes with them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit.array import Array
from mlpkit.components.graph import Graph, Value
from mlpkit.components.loss import Loss
from mlpkit.components.target import Target, Values


class ScaledValues:
    """Scales targets for a loss, and turns its inputs back into values, with its exponential function."""

    def __init__(self, target: Values, loss: Loss, dtype: np.dtype[Any]) -> None:
        assert target.scaling is not None
        self._means = np.array(target.scaling.means, dtype).reshape(target.shape)
        self._stds = np.array(target.scaling.stds, dtype).reshape(target.shape)
        self._log = target.scaling.log
        self._bounds = [np.array(bound, dtype).reshape(target.shape) for bound in target.scaling.bounds or ()]
        self._exp = loss.exp

    def scaled(self, t: Array) -> Array:
        """Return z = (v - mean) / std, with v the values or their logarithms."""
        z: Array = ((np.log(t) if self._log else t) - self._means) / self._stds
        return z.astype(self._means.dtype, copy=False)

    def values(self, z: Array) -> Array:
        """Return the values that scaled ones stand for, beyond their bounds, too."""
        v: Array = z * self._stds + self._means
        return self._exp(v, v) if self._log else v

    def predictions(self, z: Array) -> Array:
        """Return the values to predict: what scaled ones stand for, clipped to their bounds if they have any."""
        v = self.values(z)
        return np.clip(v, *self._bounds, out=v) if self._bounds else v

    def onnx(self, graph: Graph, z: Value) -> Value:
        """Describe ``predictions``."""
        v = graph.op("Add", graph.op("Mul", z, self._stds), self._means)
        v = graph.op("Exp", v) if self._log else v
        if not self._bounds:
            return v
        least, greatest = self._bounds
        return graph.op("Min", graph.op("Max", v, least), greatest)


def scaled_values(target: Target | None, loss: Loss, dtype: np.dtype[Any]) -> ScaledValues | None:
    """Return how the targets of a network are scaled; None if they stay as they are."""
    if isinstance(target, Values) and target.scaling is not None and loss.compares_values:
        return ScaledValues(target, loss, dtype)
    return None
