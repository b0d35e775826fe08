"""Numbers as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit import Encoding, Graph, TrainingColumns, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class NoEncoding(Encoding):
    """Leaves numbers as they are.

        y = x

    Source: none needed; trees and data that is scaled already want it so.
    """

    def fit(self, columns: TrainingColumns) -> dict[str, NDArray[Any]]:
        """Learn nothing."""
        return {}

    def encode(self, numbers: NDArray[Any], learned: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return y = x."""
        return numbers

    def onnx(self, graph: Graph, numbers: Value, learned: Mapping[str, NDArray[Any]]) -> Value:
        """Describe y = x."""
        return numbers
