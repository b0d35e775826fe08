"""Numbers as how far they reach into each of several bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Encoding, Graph, TrainingColumns, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class PiecewiseLinear(Encoding):
    """Replaces each number by an element for each bin: 0 below the bin, 1 above it, and linear inside.

        yⱼ = (x - eⱼ₋₁) / (eⱼ - eⱼ₋₁),  at least 0 except in the first bin, at most 1 except in the last

    The edges e₀ < e₁ < ... are evenly spaced quantiles of the training numbers, equal ones once, so that a column has
    fewer bins if many of its numbers are equal. A column whose numbers are all equal has one element, x - e₀.

    Args:
        bins: the largest number of bins of a column.

    Source: Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (2022),
        section 3.2.1, equation 1.
    """

    def __init__(self, bins: Annotated[int, Ge(1)] = 48) -> None:
        self.bins = bins

    def fit(self, columns: TrainingColumns) -> dict[str, NDArray[Any]]:
        """Return for each element its column, its bin's lower edge and width, and whether it is the first or last."""
        parts = []
        for column, quantiles in enumerate(columns.quantiles(np.linspace(0, 1, self.bins + 1)).T):
            edges = np.unique(quantiles)
            edges = edges if len(edges) > 1 else np.array([edges[0], edges[0] + 1])
            place = np.arange(len(edges) - 1)
            parts.append([place * 0 + column, edges[:-1], np.diff(edges), place == 0, place == place[-1]])
        names = ("column", "edge", "width", "is_first", "is_last")
        return {
            name: np.concatenate(each).astype(np.float64)
            for name, each in zip(names, zip(*parts, strict=True), strict=True)
        }

    def encode(self, numbers: NDArray[Any], learned: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return y."""
        y: NDArray[Any] = (numbers[:, learned["column"].astype(np.intp)] - learned["edge"]) / learned["width"]
        np.maximum(y, 0, out=y, where=learned["is_first"] == 0)
        np.minimum(y, 1, out=y, where=learned["is_last"] == 0)
        return y

    def features(self, columns: Sequence[str], learned: Mapping[str, NDArray[Any]]) -> list[list[str]]:
        """Return a name for each bin of a column: the column's, and the bin's lower edge."""
        of = learned["column"].astype(int)
        return [
            [f"{name} from {edge:.6g} ({place})" for place, edge in enumerate(learned["edge"][of == column].tolist())]
            for column, name in enumerate(columns)
        ]

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, NDArray[Any]]) -> Value:
        """Describe y."""
        x = graph.op("Gather", numbers, learned["column"].astype(np.int64), axis=1)
        y = graph.op("Div", graph.op("Sub", x, learned["edge"]), learned["width"])
        y = graph.op("Where", learned["is_first"] == 1, y, graph.op("Max", y, np.array(0.0)))
        return graph.op("Where", learned["is_last"] == 1, y, graph.op("Min", y, np.array(1.0)))

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show few bins."""
        return [{"bins": 4}]
