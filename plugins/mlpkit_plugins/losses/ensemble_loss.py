"""The loss of an ensemble inside a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpkit import Array, Graph, Loss, ShapeError, Target, Value


class EnsembleLoss(Loss):
    """Mean of the losses of an ensemble's members in training; the mean of their predictions otherwise.

        loss       = 1/K Σ loss(x_k, t)  (over the K members)
        dx_k       = 1/K ∂loss(x_k, t)/∂x_k
        prediction = 1/K Σ prediction(x_k)

    So each member learns by itself, and metrics see the ensemble. For classes, probabilities are averaged, not logits.

    Args:
        loss: the loss of each member; its mean over rows must be Σ w loss / Σ w, with a weight w for each row.

    Shapes: x (rows, members, ...); each x_k and t have the shapes that the loss takes.

    Raises:
        ShapeError: inputs have no axis of members, or the loss can't take a member's inputs.

    Source: Gorishniy, Kotelnikov and Babenko, TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling
        (2025), section 3.1.
    """

    takes_weights = True

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.takes_weights = loss.takes_weights
        self.compares_values = loss.compares_values
        self.takes_negative_values = loss.takes_negative_values
        self.unit = loss.unit

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Declare the loss of a member's inputs."""
        if len(input_shape) < 2:
            raise ShapeError(
                f"{self.path or self.type_name} gets inputs of shape {input_shape}, without an axis of members",
                expected="inputs of shape (members, ...)",
                remedy="put EnsembleView before the members' layers",
            )
        self.members, *of_member = input_shape
        self.child(self.loss, tuple(of_member), target)

    def expected_inputs(self, target: Target) -> tuple[int, ...] | None:
        """Return the shape that the loss takes, for one member."""
        of_member = self.loss.expected_inputs(target)
        return None if of_member is None else (1, *of_member)

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of the members' losses, as one minibatch with a row for each member of each example."""
        of_rows = () if weights is None else (np.repeat(weights, self.members),)
        return self.loss.forward(_rows(x), np.repeat(t, self.members, axis=0), *of_rows)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx."""
        dx = self.loss.backward(dloss)
        return dx.reshape(-1, self.members, *dx.shape[1:])

    def predict(self, x: Array) -> Array:
        """Return the mean of the members' predictions, summed from the first member to the last."""
        of_rows = self.loss.predict(_rows(x))
        of_members = of_rows.reshape(len(x), self.members, *of_rows.shape[1:])
        total: Array = of_members[:, 0].copy()
        for k in range(1, self.members):
            np.add(total, of_members[:, k], out=total)
        return np.divide(total, self.members, out=total)

    def prediction_names(self) -> tuple[str, ...] | None:
        """Return the loss's names."""
        return self.loss.prediction_names()

    def point_prediction(self, prediction: Array) -> Array:
        """Return the loss's point prediction."""
        return self.loss.point_prediction(prediction)

    def interval_prediction(self, prediction: Array) -> Array:
        """Return the loss's interval."""
        return self.loss.interval_prediction(prediction)

    def prediction_loss(self, prediction: Array, t: Array, weights: Array | None = None) -> float:
        """Return the loss of the mean prediction."""
        of_rows = () if weights is None else (weights,)
        return self.loss.prediction_loss(prediction, t, *of_rows)

    @property
    def can_be_averaged(self) -> bool:
        """Whether the loss of a mean prediction is known."""
        return self.loss.can_be_averaged

    def onnx(self, graph: Graph) -> Value:
        """Describe the mean of the members' predictions."""
        return graph.op("ReduceMean", graph.describe(self.loss, graph.input), axes=[1], keepdims=0)

    def exp(self, x: Array, out: Array) -> Array:
        """Set out to the loss's exp(x), and return it."""
        return self.loss.exp(x, out)

    def weight(self, t: Array, weights: Array | None = None) -> float:
        """Return the loss's weight of the rows."""
        return self.loss.weight(t) if weights is None else self.loss.weight(t, weights)

    def best_constant(self, t: Array, weights: Array | None = None) -> Array | None:
        """Return the loss's best constant for each member."""
        of_member = self.loss.best_constant(t) if weights is None else self.loss.best_constant(t, weights)
        return None if of_member is None else np.broadcast_to(of_member, (self.members, *np.shape(of_member)))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss on classes, weighted classes, two classes, values, and quantiles of one value."""
        weighted = {"SoftmaxWithLoss": {"label_smoothing": 0.1, "class_weights": [1, 0.5, 2]}}
        return [
            ({"loss": "SoftmaxWithLoss"}, (2, 5)),
            ({"loss": weighted}, (3, 3)),
            ({"loss": "SigmoidWithLoss"}, (3, 1)),
            ({"loss": "MeanSquaredError"}, (3, 2)),
            ({"loss": {"Pinball": {"quantiles": [0.1, 0.9]}}}, (3, 2)),
        ]


def _rows(x: Array) -> Array:
    """Return a row of inputs for each member of each example."""
    return x.reshape(-1, *x.shape[2:])
