"""Softmax and cross-entropy as one layer, with optional label smoothing, class weights and weights of examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Lt

from mlpkit import Array, Classes, ClassWeights, Graph, Loss, Rate, ShapeError, Target, TargetError, Value
from mlpkit_plugins.kernels import row_order, softmax
from mlpkit_plugins.losses.class_targets import (
    CrossEntropy,
    SmoothedCrossEntropy,
    WeightedCrossEntropy,
    log_shares,
    require_class_numbers,
    require_class_targets,
    require_some_weight,
    require_weight_per_class,
)
from mlpkit_plugins.losses.mean_over_rows import remedy_for_axes


class SoftmaxWithLoss(Loss):
    """Softmax of the logits, and the mean cross-entropy to the classes' labels.

        p    = exp(x - max x) / Σ exp(x - max x)
        loss = mean over rows of  log Σ exp(x - max x) - Σ t (x - max x)
        dx   = dloss (p - t) / rows

    Here t is one-hot; integer labels mean the same. If rows have weights w, the mean over them is Σ w loss / Σ w.
    Subtracting the row's largest logit keeps every exponential at most 1, so that logits up to ±1e38 are safe in
    float32.

    With label smoothing or class weights, u takes the place of the one-hot t, and w is 1 if rows have no weights:

        u    = w class_weights ((1 - label_smoothing) t + label_smoothing / classes) / weight
        loss = Σ over rows of  (Σ u) log Σ exp(x - max x) - Σ u (x - max x)
        dx   = dloss ((Σ u) p - u),  weight = Σ over rows of  w Σ class_weights t

    Args:
        label_smoothing: share of each label that is spread evenly over all classes.
        class_weights: weight of a row of each class, in any unit: one number per class; a mapping from names of
            classes, with 1 for all others; or ``balanced``, rows / (classes · rows of the class), so that the training
            rows of each class weigh the same. By default all are equal.

    Shapes: x (rows, classes), t (rows,) or (rows, classes).

    Raises:
        ParameterError: all classes have weight 0.
        ShapeError: an input is not a row of logits, one per class of the data; the number of class weights differs; or
            the targets are neither class numbers nor one-hot rows for that many classes.
        UsageError: a class number is out of range, or a row's sum is not 1.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.4; Szegedy, Vanhoucke, Ioffe, Shlens
        and Wojna, Rethinking the Inception Architecture for Computer Vision (2016), section 7, for smoothed labels.
    """

    takes_weights = True
    evaluation_context = row_order
    unit = "nats"

    def __init__(
        self, *, label_smoothing: Annotated[Rate, Lt(1)] = 0.0, class_weights: ClassWeights | None = None
    ) -> None:
        require_some_weight(class_weights)
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.weights_of_classes = np.array(class_weights or 1.0)

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Require one logit per class, and one class weight per class."""
        remedy = remedy_for_axes(input_shape, 1, "put Flatten before it")
        (self.classes,) = self.expect_rank(input_shape, 1, remedy=remedy)
        require_weight_per_class(self.path, self.class_weights, self.classes, "logits")
        if target is None:
            return
        if not isinstance(target, Classes):
            raise TargetError(
                f"{self.path} compares logits with classes, but the data gives {target}",
                expected="data whose target is one of several classes",
            )
        if target.count != self.classes:
            raise ShapeError(
                f"{self.path} gets {self.classes} logits for {target}",
                expected=f"inputs of shape ({target.count},), one logit per class",
                remedy=f"give the last layer before it {target.count} units",
            )

    def expected_inputs(self, target: Target) -> tuple[int, ...] | None:
        """Return one logit per class."""
        return (target.count,) if isinstance(target, Classes) else None

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean cross-entropy to t, or to u."""
        require_class_targets(self.path, t, x.shape)
        self.cross_entropy = self._cross_entropy(t, weights)
        try:
            return self.cross_entropy.forward(x)
        except IndexError:
            require_class_numbers(self.path, t, self.classes)
            raise

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss (p - t) / rows, or dloss ((Σ u) p - u)."""
        return self.cross_entropy.backward(dloss)

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

    def weight(self, t: Array, weights: Array | None = None) -> float:
        """Return the total weight of rows: their number, or the sum of their weights, times their classes' weights."""
        if self.class_weights is None:
            return super().weight(t, weights)
        require_class_targets(self.path, t, (len(t), self.classes))
        if t.ndim == 1:
            require_class_numbers(self.path, t, self.classes)
        of_rows = self.weights_of_classes[t] if t.ndim == 1 else t @ self.weights_of_classes
        return float(of_rows.sum() if weights is None else of_rows @ weights)

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the logarithm of each class's share of t, or of u."""
        if t.ndim == 1:
            shares: Array = np.bincount(t, weights, self.classes)
        else:
            shares = t.sum(axis=0, dtype=np.float64) if weights is None else np.asarray(weights @ t)
        smoothing = self.now(self.label_smoothing)
        smoothed = (1 - smoothing) * shares + smoothing * shares.mean()
        return log_shares(smoothed * self.weights_of_classes)

    def onnx(self, graph: Graph) -> Value:
        """Describe p."""
        return graph.op("Softmax", graph.input, axis=-1)

    def _cross_entropy(self, t: Array, weights: Array | None) -> CrossEntropy:
        """Return the cross-entropy of a minibatch."""
        smoothing = self.now(self.label_smoothing)
        if self.class_weights is not None:
            shares = self.weights_of_classes / (self.weight(t, weights) or 1.0)  # if all weights are 0, so is u
            if weights is not None:
                shares = shares * weights[:, np.newaxis]
            return WeightedCrossEntropy(self.buffer, t, shares, smoothing)
        if smoothing:
            return SmoothedCrossEntropy(self.buffer, t, weights, smoothing)
        return CrossEntropy(self.buffer, t, weights)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss plain, and with smoothed labels and weighted classes."""
        return [({}, (5,)), ({"label_smoothing": 0.1, "class_weights": [1, 0.5, 2, 0, 1]}, (5,))]
