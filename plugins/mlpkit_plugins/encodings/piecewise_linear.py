"""Numbers as their position in each of several bins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Encoding, Graph, ParameterError, TrainingColumns, Value
from mlpkit_plugins.functions.tree_thresholds import tree_thresholds


class PiecewiseLinear(Encoding):
    """Replaces each number by an element for each bin: 0 below the bin, 1 above it, and linear inside.

        yⱼ = (x - eⱼ₋₁) / (eⱼ - eⱼ₋₁),  at least 0 except in the first bin, at most 1 except in the last

    The edges e₀ < e₁ < ... go from the least to the greatest training number. Inner edges are evenly spaced quantiles,
    without duplicates, so that a column with many equal numbers has fewer bins; or the thresholds of a decision tree
    that predicts the target from this column alone. A column of equal numbers has one element, x - e₀.

    Args:
        bins: the largest number of bins of a column.
        edges: the edges of the bins: ``quantiles``, or the thresholds of a ``tree``, where the target changes.
        fewest_rows: the smallest number of training rows in a bin of a tree.
        least_gain: share of the target's variance, or of its Gini impurity for classes, that each split of a tree must
            explain.

    Raises:
        ParameterError: a tree needs targets, which the data set doesn't give to encodings.

    Source: Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (2022),
        section 3.2.1, equation 1, for quantiles, and section 3.2.2 for trees.
    """

    bins: Annotated[int, Ge(1)] = 48
    _: KW_ONLY
    edges: Literal["quantiles", "tree"] = "quantiles"
    fewest_rows: Annotated[int, Ge(1)] = 64
    least_gain: Annotated[float, Ge(0)] = 1e-4

    def fit(self, columns: TrainingColumns) -> dict[str, Array]:
        """Return each element's column, its bin's lower edge and width, and whether the bin is the first or last."""
        parts = []
        edges_of = self._of_tree(columns) if self.edges == "tree" else self._of_quantiles(columns)
        for column, distinct in enumerate(map(np.unique, edges_of)):
            edges = distinct if len(distinct) > 1 else np.array([distinct[0], distinct[0] + 1])
            place = np.arange(len(edges) - 1)
            parts.append([place * 0 + column, edges[:-1], np.diff(edges), place == 0, place == place[-1]])
        names = ("column", "edge", "width", "is_first", "is_last")
        return {
            name: np.concatenate(each).astype(np.float64)
            for name, each in zip(names, zip(*parts, strict=True), strict=True)
        }

    def encode(self, numbers: Array, learned: Mapping[str, Array]) -> Array:
        """Return y."""
        y: Array = (numbers[:, learned["column"].astype(np.intp)] - learned["edge"]) / learned["width"]
        np.maximum(y, 0, out=y, where=learned["is_first"] == 0)
        return np.minimum(y, 1, out=y, where=learned["is_last"] == 0)

    def features(self, columns: Sequence[str], learned: Mapping[str, Array]) -> list[list[str]]:
        """Name each bin by its column and its lower edge."""
        of = learned["column"].astype(int)
        return [
            [f"{name} from {edge:.6g} ({place})" for place, edge in enumerate(learned["edge"][of == column].tolist())]
            for column, name in enumerate(columns)
        ]

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, Array]) -> Value:
        """Describe y."""
        x = graph.op("Gather", numbers, learned["column"].astype(np.int64), axis=1)
        y = graph.op("Div", graph.op("Sub", x, learned["edge"]), learned["width"])
        y = graph.op("Where", learned["is_first"] == 1, y, graph.op("Max", y, np.array(0.0)))
        return graph.op("Where", learned["is_last"] == 1, y, graph.op("Min", y, np.array(1.0)))

    def _of_quantiles(self, columns: TrainingColumns) -> Iterable[Array]:
        """Return quantiles of each column."""
        return columns.quantiles(np.linspace(0, 1, self.bins + 1)).T

    def _of_tree(self, columns: TrainingColumns) -> Iterator[Array]:
        """Return the ends of each column, with the thresholds of its tree between them; 0 if all are missing."""
        targets = columns.targets()
        if targets is None:
            message = "a tree needs the target, which the data set doesn't give"
            raise ParameterError("edges", message, remedy="take the data from a csv or parquet file")
        for _, block in columns.blocks():
            for column in block.T:
                present = ~np.isnan(column)
                numbers = column[present] if present.any() else np.zeros(1)
                of_present = targets[present] if present.any() else targets[:1]
                thresholds = tree_thresholds(
                    numbers, of_present, leaves=self.bins, fewest_rows=self.fewest_rows, least_gain=self.least_gain
                )
                yield np.array([numbers.min(), *thresholds, numbers.max()])

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show a few bins of quantiles and of trees."""
        return [{"bins": 4}, {"bins": 4, "edges": "tree", "fewest_rows": 10}]
