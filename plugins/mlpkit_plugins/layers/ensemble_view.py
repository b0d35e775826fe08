"""A minibatch repeated for each member of an ensemble."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from mlpkit import Array, Graph, Layer, Value


class EnsembleView(Layer):
    """Gives the same inputs to each member of an ensemble inside a network, along a new axis.

        y_k = x  for each member k
        dx  = Σ dy_k  (over the members)

    Nothing is copied. Layers for the members follow, such as ``BatchEnsembleAffine`` and ``EnsembleAffine``; Dropout
    and activations treat the new axis like any other. The network ends in an ``EnsembleLoss``.

    Args:
        members: number of members.

    Shapes: x (rows, ...), y (rows, members, ...).

    Source: Gorishniy, Kotelnikov and Babenko, TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling
        (2025), section 3.2.
    """

    members: Annotated[int, Ge(1)] = 32

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape with the new axis."""
        return (self.members, *input_shape)

    def forward(self, x: Array) -> Array:
        """Return y, a view of x."""
        return np.broadcast_to(x[:, None], (len(x), self.members, *x.shape[1:]))

    def backward(self, dy: Array) -> Array:
        """Return dx = Σ dy_k."""
        return np.sum(dy, axis=1, out=self.buffer("dx", (len(dy), *dy.shape[2:])))

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        x = graph.op("Unsqueeze", graph.input, np.array([1]))
        return graph.op("Expand", x, np.array([1, self.members, *(1 for _ in self._output_shape[1:])]))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({"members": 3}, (4,)), ({"members": 2}, (2, 3))]
