"""Numbers without an encoding."""

from __future__ import annotations

from collections.abc import Mapping

from mlpkit import Array, Encoding, Graph, TrainingColumns, Value


class NoEncoding(Encoding):
    """Leaves numbers unchanged, for data that is scaled already.

        y = x

    Source: none needed.
    """

    def fit(self, columns: TrainingColumns) -> dict[str, Array]:
        """Learn nothing."""
        return {}

    def encode(self, numbers: Array, learned: Mapping[str, Array]) -> Array:
        """Return y = x."""
        return numbers

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, Array]) -> Value:
        """Describe y = x."""
        return numbers
