"""An element for each category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlpkit import Array, CategoryEncoding, Graph, Value


class OneHot(CategoryEncoding):
    """An element for each category, which is 1 for the row's category and 0 for all others.

        yᵢ = 1 if the row has the i-th category, else 0

    A missing or unknown category becomes all zeros.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), section 2.2, dummy variables.
    """

    def encode(self, codes: Array, categories: Sequence[str], learned: Mapping[str, Array]) -> Array:
        """Return y."""
        y = np.zeros((len(codes), len(categories) + 1), np.bool_)  # with a last column for the code -1
        y[np.arange(len(codes)), codes] = True
        return y[:, :-1]

    def features(self, column: str, categories: Sequence[str], learned: Mapping[str, Array]) -> list[str]:
        """Return ``column=category`` for each category."""
        return [f"{column}={category}" for category in categories]

    def onnx(self, graph: Graph, codes: Value, categories: Sequence[str], learned: Mapping[str, Array]) -> Value:
        """Describe y."""
        return graph.op("Equal", graph.op("Unsqueeze", codes, np.array([1])), np.arange(len(categories)))
