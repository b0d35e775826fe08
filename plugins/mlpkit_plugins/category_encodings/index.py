"""The positions of categories, for an embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from mlpkit import Array, CategoryEncoding, Graph, Value


class Index(CategoryEncoding):
    """The position of the category, counted from 1, for an embedding.

        y = i  if the row has the i-th category

    A missing or unknown category becomes 0.

    Source: Guo and Berkhahn, Entity Embeddings of Categorical Variables (2016).
    """

    holds: ClassVar = "categories"

    def encode(self, codes: Array, categories: Sequence[str], learned: Mapping[str, Array]) -> Array:
        """Return y."""
        y: Array = codes[:, None] + 1
        return y

    def onnx(self, graph: Graph, codes: Value, categories: Sequence[str], learned: Mapping[str, Array]) -> Value:
        """Describe y."""
        return graph.op("Add", graph.op("Unsqueeze", codes, np.array([1])), 1)
