"""Numbers of mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Mapping

from mlpkit import Array, Encoding, Graph, TrainingColumns, Value
from mlpkit_plugins.functions.rows import means_and_deviations


class Standardize(Encoding):
    """Scales each column to mean 0 and standard deviation 1.

        y = (x - mean) / std,  mean = Σ x / n,  std = √(Σ (x - mean)² / n)

    The sums run over the n training rows whose number is not missing; std is 1 if all are equal.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), section 11.5.3.
    """

    def fit(self, columns: TrainingColumns) -> dict[str, Array]:
        """Return mean and std of each column."""
        means, stds = means_and_deviations(columns.parts, columns.columns)
        return {"mean": means, "std": stds}

    def encode(self, numbers: Array, learned: Mapping[str, Array]) -> Array:
        """Return y = (x - mean) / std."""
        y: Array = numbers - learned["mean"]
        y /= learned["std"]
        return y

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, Array]) -> Value:
        """Describe y = (x - mean) / std."""
        return graph.op("Div", graph.op("Sub", numbers, learned["mean"]), learned["std"])
