"""Numbers scaled by quartiles and smoothly clipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from mlpkit import Array, Encoding, Graph, TrainingColumns, Value


class RobustSmoothClip(Encoding):
    """Centers each column at its median, divides it by its interquartile range, and clips it smoothly.

        z = (x - median) / spread,  spread = 75 % quantile - 25 % quantile
        y = z / √(1 + (z / limit)²)

    If the quartiles are equal, spread is half the distance between the least and the greatest number; if these are
    equal, too, z = 0. Outliers keep their order and stay within ± limit.

    Args:
        limit: the bound on the absolute value of y.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), section 3.
    """

    limit: Annotated[float, Gt(0)] = 3.0

    def fit(self, columns: TrainingColumns) -> dict[str, Array]:
        """Return median and 1 / spread of each column."""
        least, low, median, high, greatest = columns.quantiles((0.0, 0.25, 0.5, 0.75, 1.0))
        spread = np.where(high > low, high - low, (greatest - least) / 2)
        return {"median": median, "factor": np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)}

    def encode(self, numbers: Array, learned: Mapping[str, Array]) -> Array:
        """Return y = z / √(1 + (z / limit)²)."""
        z = (numbers - learned["median"]) * learned["factor"]
        y: Array = z / np.hypot(1.0, z / self.limit)
        return y

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, Array]) -> Value:
        """Describe y; the square is finite for any z up to 1e154."""
        z = graph.op("Mul", graph.op("Sub", numbers, learned["median"]), learned["factor"])
        share = graph.op("Div", z, np.array(self.limit))
        length = graph.op("Sqrt", graph.op("Add", graph.op("Mul", share, share), np.array(1.0)))
        return graph.op("Div", z, length)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show the usual limit and a closer one."""
        return [{}, {"limit": 2.0}]
