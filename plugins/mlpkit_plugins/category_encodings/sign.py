"""Two categories as one element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mlpkit import Array, CategoryEncoding, Graph, ParameterError, TrainingCategories, Value

SIGNS: Final = np.array([1.0, -1.0, 0.0])
"""The values for codes 0 and 1, and, last, for -1, a missing category."""


class Sign(CategoryEncoding):
    """Two categories as one element.

        y = 1 for the first, -1 for the second

    Categories are in numerical or alphabetical order. A missing or unknown category becomes 0.

    Raises:
        ParameterError: a column has more than two categories.

    Source: Holzmüller, Grinsztajn and Steinwart, Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
        Data (2024), section 3.
    """

    def fit(self, column: TrainingCategories) -> dict[str, Array]:
        """Learn nothing."""
        if len(column.categories) > 2:
            message = f"the column '{column.name}' has {len(column.categories)} categories, too many for a sign"
            remedy = "choose another encoding, such as one_hot"
            raise ParameterError("categories", message, expected="at most two", remedy=remedy)
        return {}

    def encode(self, codes: Array, categories: Sequence[str], learned: Mapping[str, Array]) -> Array:
        """Return y."""
        y: Array = SIGNS[codes, None]
        return y

    def onnx(self, graph: Graph, codes: Value, categories: Sequence[str], learned: Mapping[str, Array]) -> Value:
        """Describe y."""
        places = graph.op("Unsqueeze", codes, np.array([1]))
        first, second = (graph.cast(graph.op("Equal", places, place), np.float64) for place in (0, 1))
        return graph.op("Sub", first, second)
