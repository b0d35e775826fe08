"""Numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlpkit import Array, Encoding, Graph, TrainingColumns, Value


class MinMax(Encoding):
    """Scales the training numbers of each column to the range 0 to 1.

        y = (x - least) / (greatest - least)

    A column of equal training numbers is divided by 1. Numbers outside the training range are below 0 or above 1.

    Source: Han, Kamber and Pei, Data Mining: Concepts and Techniques (2011), section 3.5.2.
    """

    def fit(self, columns: TrainingColumns) -> dict[str, Array]:
        """Return the least number and the span of each column."""
        least, greatest = columns.quantiles((0.0, 1.0))
        return {"least": least, "span": np.where(greatest > least, greatest - least, 1.0)}

    def encode(self, numbers: Array, learned: Mapping[str, Array]) -> Array:
        """Return y = (x - least) / span."""
        y: Array = (numbers - learned["least"]) / learned["span"]
        return y

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, Array]) -> Value:
        """Describe y = (x - least) / span."""
        return graph.op("Div", graph.op("Sub", numbers, learned["least"]), learned["span"])
