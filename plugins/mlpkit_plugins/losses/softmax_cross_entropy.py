"""Softmax and cross-entropy as in textbooks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mlpkit import Classes, Loss, ShapeError, TargetError
from mlpkit_plugins.kernels import (
    cross_entropy_gradient,
    exp,
    normalize_columns,
    pick_labels,
    row_order,
    shift_transposed,
    softmax,
)
from mlpkit_plugins.losses.class_targets import expect_class_numbers, expect_class_targets
from mlpkit_plugins.losses.log_shares import log_shares
from mlpkit_plugins.losses.mean_over_rows import mean_of, shares_of_rows
from mlpkit_plugins.losses.member_axis import remedy_for_axes

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlpkit import Array, Graph, Target, Value


class SoftmaxCrossEntropy(Loss):
    """Softmax of the logits, and the mean cross-entropy to the classes' labels.

        p    = exp(x - max x) / Σ exp(x - max x)
        loss = mean over rows of  log Σ exp(x - max x) - Σ t (x - max x)
        dx   = dloss (p - t) / rows

    Here t is one-hot; integer labels mean the same. If rows have weights w, the mean over them is Σ w loss / Σ w.
    Internally, p has a column for each row of x, which is faster.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.4.
    """

    takes_weights = True
    evaluation_context = row_order
    unit = "nats"

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Make sure that there is one logit per class."""
        remedy = remedy_for_axes(input_shape, 1, "put Flatten before it")
        (logits,) = self.expect_rank(input_shape, 1, remedy=remedy)
        self.classes = logits
        if target is None:
            return
        if not isinstance(target, Classes):
            raise TargetError(
                f"{self.path} compares logits with classes, but the data gives {target}",
                expected="data whose target is one of several classes",
            )
        if target.count != logits:
            raise ShapeError(
                f"{self.path} gets {logits} logits for {target}",
                expected=f"inputs of shape ({target.count},), one logit per class",
                remedy=f"give the last layer before it {target.count} units",
            )

    def expected_inputs(self, target: Target) -> tuple[int, ...] | None:
        """Return one logit per class."""
        return (target.count,) if isinstance(target, Classes) else None

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean cross-entropy."""
        expect_class_targets(self.path, t, x.shape)
        self.t, self.weights = t, weights
        shifted = shift_transposed(x, self.buffer("p", x.shape[::-1]))
        at_target = self.at_target(shifted, t)
        losses = self.normalize(shifted)
        np.log(losses, out=losses)
        np.subtract(losses, at_target, out=losses)
        if weights is not None:
            return mean_of(losses, weights)
        return float(np.add.reduce(losses, dtype=np.float64)) / len(t)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss (p - t) / rows."""
        return self.gradient(self.p, dloss)

    def gradient(self, p: Array, dloss: float) -> Array:
        """Return dloss (p - t) / rows for probabilities with a column for each row."""
        t, share = self.t, dloss / len(self.t) if self.weights is None else 1.0
        dx = self.buffer("dx", p.shape[::-1])
        if t.ndim == 1:
            cross_entropy_gradient(p, t, share, dx)
        else:
            np.subtract(p.T, t, out=dx)
            np.multiply(dx, share, out=dx)
        if self.weights is not None:
            np.multiply(dx, shares_of_rows(dloss, dx[:, :1], self.weights), out=dx)
        return dx

    def predict(self, x: Array) -> Array:
        """Return the probability of each class, shape (rows, classes)."""
        return softmax(x, self.buffer("prediction", x.shape))

    def prediction_plan(self, x: Array) -> Callable[[], Array]:
        """Return a function that computes the probabilities again."""
        return partial(softmax, x, self.buffer("prediction", x.shape))

    def inputs_for(self, prediction: Array) -> Array:
        """Return log p, with p at least the smallest normal number."""
        logits: Array = np.log(np.maximum(prediction, np.finfo(prediction.dtype).tiny))
        return logits

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the logarithm of each class's share of the rows."""
        return log_shares(self.shares_of_classes(t, weights))

    def onnx(self, graph: Graph) -> Value:
        """Describe p."""
        return graph.op("Softmax", graph.input, axis=-1)

    def normalize(self, shifted: Array) -> Array:
        """Set p to the softmax, in place of the shifted logits, and return Σ exp(x - max x)."""
        self.p = exp(shifted, shifted)
        return normalize_columns(self.p, self.buffer("total", self.p.shape[1:]))

    def shares_of_classes(self, t: Array, weights: Array | None = None) -> Array:
        """Return how much each class has of the rows, in any unit."""
        if t.ndim == 1:
            return np.bincount(t, weights, self.classes)
        shares: Array = t.sum(axis=0, dtype=np.float64)
        if weights is not None:
            shares = np.asarray(weights @ t)
        return shares

    def at_target(self, shifted: Array, t: Array) -> Array:
        """Return Σ t (x - max x) of each row."""
        return self._at_labels(shifted, t) if t.ndim == 1 else np.einsum("ji,ij->i", shifted, t)

    def _at_labels(self, shifted: Array, t: Array) -> Array:
        """Return the shifted logit of each row's label."""
        try:
            return pick_labels(shifted, t, self.buffer("at_label", t.shape))
        except IndexError:
            expect_class_numbers(self.path, t, len(shifted))
            raise
