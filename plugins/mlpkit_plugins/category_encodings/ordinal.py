"""The positions of categories, as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from mlpkit import Array, CategoryEncoding, Graph, Value


class Ordinal(CategoryEncoding):
    """The position of the category as a number, which is then encoded like all numbers.

        y = i  if the row has the i-th category, counted from 0

    Categories are in numerical or alphabetical order. A missing or unknown category becomes a missing number.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), section 2.2, ordered
        categorical variables.
    """

    holds: ClassVar = "numbers"

    def encode(self, codes: Array, categories: Sequence[str], learned: Mapping[str, Array]) -> Array:
        """Return y."""
        return np.where(codes < 0, np.nan, codes)[:, None]

    def onnx(self, graph: Graph, codes: Value, categories: Sequence[str], learned: Mapping[str, Array]) -> Value:
        """Describe y."""
        y = graph.op("Where", graph.op("Less", codes, 0), np.array(np.nan), graph.cast(codes, np.float64))
        return graph.op("Unsqueeze", y, np.array([1]))
