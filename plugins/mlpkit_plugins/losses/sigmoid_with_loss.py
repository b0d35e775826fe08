"""Sigmoid and cross-entropy as one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Lt

from mlpkit import Classes, ClassWeights, Labels, Loss, Rate, ShapeError, TargetError, UsageError
from mlpkit_plugins.kernels import row_order, sigmoid
from mlpkit_plugins.losses.class_targets import (
    log_shares,
    require_some_weight,
    require_sums_of_one,
    require_weight_per_class,
)
from mlpkit_plugins.losses.mean_over_rows import mean_of, remedy_for_axes, share_of_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Array, Graph, Target, Value


class SigmoidWithLoss(Loss):
    """Sigmoid of the logits, and the mean cross-entropy to independent labels.

        p    = σ(x) = 1 / (1 + exp(-x))
        loss = mean over rows and labels of  -t log p - (1 - t) log(1 - p)
             = mean over rows and labels of  max(x, 0) - t x + log(1 + exp(-|x|))
        dx   = dloss (p - t) / count

    Here count is the number of rows times the number of labels. The second form of the loss never overflows, and keeps
    its digits where p is close to t. If rows have weights w, the mean over them is Σ w loss / Σ w.

    With one logit and a target of two classes, t is the number of the class, or a one-hot row, and the prediction has
    the probabilities of both classes. With one logit per label, t is a row of zeros and ones, or of probabilities, and
    the prediction has the probability of each label.

    With class weights c₀ and c₁, a row of class t has weight w cₜ in place of w. With label smoothing s, u takes the
    place of t, and for two classes u₀ = c₀ (1 - u) and u₁ = c₁ u:

        u    = (1 - s) t + s / 2
        loss = Σ over rows of  w (-u₁ log p - u₀ log(1 - p)),  divided by  Σ over rows of  w cₜ

    Args:
        label_smoothing: share of each label that is spread evenly over both of its values.
        class_weights: of two classes, the weight of a row of each, in any unit: two numbers; a mapping from names of
            classes, with 1 for the other; or ``balanced``, rows / (2 · rows of the class), so that the training rows of
            both classes weigh the same. By default both are equal.

    Shapes: x and t (rows, labels); or x (rows, 1), t (rows,) or (rows, 2).

    Raises:
        ParameterError: both classes have weight 0.
        ShapeError: an input is not a row of logits, one for two classes or one per label of the data; there are class
            weights for anything but two classes; or the targets don't fit the logits.
        UsageError: a target is not in [0, 1], or the sum of a one-hot row is not 1.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.2; Szegedy, Vanhoucke, Ioffe, Shlens
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

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Require one logit for two classes, or one per label; and no class weights for labels."""
        remedy = remedy_for_axes(input_shape, 1, "put Flatten before it")
        (logits,) = self.expect_rank(input_shape, 1, remedy=remedy)
        self.binary = logits == 1 and not isinstance(target, Labels)
        if self.class_weights is not None and not self.binary:
            raise ShapeError(
                f"{self.path} has class weights, but compares {target or f'{logits} labels'}",
                expected="class weights for one of two classes only",
                remedy="leave out class_weights",
            )
        require_weight_per_class(self.path, self.class_weights, 2, "classes")
        if target is None:
            return
        if not isinstance(target, Labels) and not (isinstance(target, Classes) and target.count == 2):
            raise TargetError(
                f"{self.path} compares logits with labels or with two classes, but the data gives {target}",
                expected="data whose target is labels, or one of two classes",
                remedy="use SoftmaxWithLoss instead" if isinstance(target, Classes) else "",
            )
        wanted = target.count if isinstance(target, Labels) else 1
        if logits != wanted:
            raise ShapeError(
                f"{self.path} gets {logits} logits for {target}",
                expected=f"inputs of shape ({wanted},)",
                remedy=f"give the last layer before it {wanted} unit{'' if wanted == 1 else 's'}",
            )

    def expected_inputs(self, target: Target) -> tuple[int, ...] | None:
        """Return (1,) for two classes, or one logit per label."""
        if isinstance(target, Labels):
            return (target.count,)
        return (1,) if isinstance(target, Classes) and target.count == 2 else None

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean cross-entropy."""
        self.x, self.t = x, self._smoothed(self._labels(t, x.shape))
        self.weights, self.factor = weights, 1.0
        if self.class_weights is not None:
            self._weigh_classes(t, weights)
        losses = _cross_entropy(x, self.t, self.buffer("losses", x.shape), self.buffer("scratch", x.shape))
        return self.factor * mean_of(losses, self.weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss (p - t) / count."""
        dx = sigmoid(self.x, self.buffer("dx", self.x.shape))
        np.subtract(dx, self.t, out=dx)
        share = share_of_each(dloss, dx, self.weights)
        return np.multiply(dx, share if self.factor == 1 else self.factor * share, out=dx)

    def weight(self, t: Array, weights: Array | None = None) -> float:
        """Return the total weight of rows: their number, or the sum of their weights, times their classes' weights."""
        if self.class_weights is None:
            return super().weight(t, weights)
        counts = self._of_classes(self._class_numbers(t, len(t))).sum(axis=1)
        return float(counts.sum() if weights is None else counts @ weights)

    def _weigh_classes(self, t: Array, weights: Array | None) -> None:
        """Turn u₀ and u₁ into a label u₁ / (u₀ + u₁) of the weight w (u₀ + u₁), and a factor of the mean over rows.

        The factor is 1 unless labels are smoothed: the mean is divided by Σ w cₜ, and smoothed rows weigh more or less.
        """
        of_classes = self._of_classes(self.t)
        counts = of_classes.sum(axis=1)
        self.t = (of_classes[:, 1:] / np.where(counts > 0, counts, 1)[:, np.newaxis]).astype(self.x.dtype)
        self.weights = counts if weights is None else weights * counts
        if self.label_smoothing != 0:
            self.factor = float(self.weights.sum()) / (self.weight(t, weights) or 1.0)

    def _smoothed(self, labels: Array) -> Array:
        """Return u."""
        smoothing = self.now(self.label_smoothing)
        if smoothing == 0:
            return labels
        u: Array = ((1 - smoothing) * labels + smoothing / 2).astype(self.dtype)
        return u

    def _of_classes(self, labels: Array) -> NDArray[np.float64]:
        """Return c₀ (1 - label) and c₁ label of each row, shape (rows, 2), for labels of shape (rows, 1)."""
        of_classes: NDArray[np.float64] = np.concatenate([1.0 - labels, labels], axis=1) * np.array(self.class_weights)
        return of_classes

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the log-odds of each label, log p / (1 - p) of its mean p over rows."""
        labels = self._smoothed(self._class_numbers(t, len(t)) if self.binary else t)
        of_rows = np.ones(len(t)) if weights is None else weights
        ones, zeros = of_rows @ labels, of_rows @ (1 - labels)
        if self.class_weights is not None:
            zeros, ones = zeros * self.class_weights[0], ones * self.class_weights[1]
        shares = np.apply_along_axis(log_shares, 0, np.stack([zeros, ones]))
        odds: NDArray[np.float64] = shares[1] - shares[0]
        return odds

    def predict(self, x: Array) -> Array:
        """Return the probability of each label, shape (rows, labels), or of both classes, shape (rows, 2)."""
        if self.binary:
            x = np.concatenate([-x, x], axis=1)  # 1 - σ(x) = σ(-x)
        return sigmoid(x, self.buffer("prediction", x.shape))

    def inputs_for(self, prediction: Array) -> Array:
        """Return log p - log(1 - p), with p and 1 - p at least the smallest normal number."""
        p = prediction[:, 1:] if self.binary else prediction
        others = prediction[:, :1] if self.binary else 1 - prediction
        tiny = np.finfo(prediction.dtype).tiny
        logits: Array = np.log(np.maximum(p, tiny)) - np.log(np.maximum(others, tiny))
        return logits

    def onnx(self, graph: Graph) -> Value:
        """Describe the prediction."""
        x = graph.input
        if self.binary:
            x = graph.op("Concat", graph.op("Neg", x), x, axis=-1)
        return graph.op("Sigmoid", x)

    def _labels(self, t: Array, shape: tuple[int, ...]) -> Array:
        """Return the targets as one number from 0 to 1 per logit."""
        if self.binary:
            labels = self._class_numbers(t, shape[0])
        elif t.shape == shape:
            labels = t
        else:
            raise ShapeError(
                f"{self.path} can't take targets of {t.dtype} of shape {t.shape}",
                expected=f"rows of zeros and ones of shape {shape}",
            )
        if not ((labels >= 0) & (labels <= 1)).all():
            wrong = labels[~((labels >= 0) & (labels <= 1))][0]
            raise UsageError(f"{self.path} got the label {wrong}; expected numbers from 0 to 1")
        return labels

    def _class_numbers(self, t: Array, rows: int) -> Array:
        """Return the number of each row's class, or the probability of class 1, shape (rows, 1)."""
        if t.shape == (rows,) and t.dtype.kind in "iub":
            return t.reshape(rows, 1)
        if t.shape == (rows, 2):
            require_sums_of_one(self.path, t)
            return t[:, 1:]
        raise ShapeError(
            f"{self.path} can't take targets of {t.dtype} of shape {t.shape}",
            expected=f"class numbers, integers of shape ({rows},), or one-hot rows of shape ({rows}, 2)",
        )

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss on two classes and on five labels, also weighted and smoothed."""
        smoothed = {"label_smoothing": 0.1}
        return [
            ({}, (1,)),
            ({}, (5,)),
            ({"class_weights": [0.5, 2]}, (1,)),
            (smoothed, (5,)),
            ({**smoothed, "class_weights": [0.5, 2]}, (1,)),
        ]


def _cross_entropy(x: Array, t: Array, losses: Array, scratch: Array) -> Array:
    """Set losses to max(x, 0) - t x + log(1 + exp(-|x|)), and return them."""
    np.maximum(x, 0, out=losses)
    np.subtract(losses, np.multiply(t, x, out=scratch), out=losses)
    np.abs(x, out=scratch)
    np.negative(scratch, out=scratch)
    np.exp(scratch, out=scratch)
    np.log1p(scratch, out=scratch)
    return np.add(losses, scratch, out=losses)
