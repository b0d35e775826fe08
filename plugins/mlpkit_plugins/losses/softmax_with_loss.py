"""Softmax and cross-entropy as one layer, with optional label smoothing, class weights and weights of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Lt

from mlpkit import ClassWeights, Rate
from mlpkit_plugins.kernels import product, shift_transposed
from mlpkit_plugins.losses.class_targets import expect_class_numbers, expect_class_targets
from mlpkit_plugins.losses.class_weights import expect_some_weight, expect_weight_per_class
from mlpkit_plugins.losses.log_shares import log_shares
from mlpkit_plugins.losses.member_axis import remedy_for_axes
from mlpkit_plugins.losses.softmax_cross_entropy import SoftmaxCrossEntropy

if TYPE_CHECKING:
    from mlpkit import Array, Target


class SoftmaxWithLoss(SoftmaxCrossEntropy):
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
            classes, all others counting 1; or ``balanced``, rows / (classes · rows of the class), so that the training
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

    def __init__(
        self,
        *,
        label_smoothing: Annotated[Rate, Lt(1)] = 0.0,
        class_weights: ClassWeights | None = None,
    ) -> None:
        expect_some_weight(class_weights)
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.weights_of_classes = np.array(class_weights or 1.0)

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Make sure that there is one logit per class, and one class weight per class."""
        remedy = remedy_for_axes(input_shape, 1, "put Flatten before it")
        (logits,) = self.expect_rank(input_shape, 1, remedy=remedy)
        expect_weight_per_class(self.path, self.class_weights, logits, "logits")
        super().build(input_shape, target)

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean cross-entropy, to u if labels are smoothed or classes weighted."""
        self.smoothing = self.now(self.label_smoothing)
        if self.class_weights is not None:
            return self._weighted_forward(x, t, weights)
        return super().forward(x, t, weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Return dx = dloss (p - t) / rows, or dloss ((Σ u) p - u)."""
        if self.class_weights is not None:
            return self._weighted_backward(dloss)
        p = self._p_without_smoothing() if self.smoothing else self.p
        return self.gradient(p, dloss * (1 - self.smoothing))

    def weight(self, t: Array, weights: Array | None = None) -> float:
        """Return the total weight of rows: their number, or the sum of their weights, times those of their classes."""
        if self.class_weights is None:
            return super().weight(t, weights)
        classes = len(self.weights_of_classes)
        expect_class_targets(self.path, t, (len(t), classes))
        if t.ndim == 1:
            expect_class_numbers(self.path, t, classes)
        of_rows = self.weights_of_classes[t] if t.ndim == 1 else t @ self.weights_of_classes
        return float(of_rows.sum() if weights is None else of_rows @ weights)

    def best_constant(self, t: Array, weights: Array | None = None) -> Array:
        """Return the logarithm of each class's share of t, or of u."""
        shares, smoothing = self.shares_of_classes(t, weights), self.now(self.label_smoothing)
        smoothed = (1 - smoothing) * shares + smoothing * shares.mean()
        return log_shares(smoothed * self.weights_of_classes)

    def at_target(self, shifted: Array, t: Array) -> Array:
        """Return Σ u (x - max x) of each row, if classes have no weights."""
        of_label = super().at_target(shifted, t)
        if not self.smoothing:
            return of_label
        spread = np.full(len(shifted), self.smoothing / len(shifted), shifted.dtype)
        of_all = product(spread, shifted, self.buffer("of_all", of_label.shape))
        np.multiply(of_label, 1 - self.smoothing, out=of_label)
        np.add(of_label, of_all, out=of_label)
        return of_label

    def _p_without_smoothing(self) -> Array:
        """Return q such that p - u = (1 - label_smoothing) (q - t)."""
        q: Array = np.subtract(self.p, self.smoothing / self.classes, out=self.buffer("q", self.p.shape))
        np.divide(q, 1 - self.smoothing, out=q)
        return q

    def _weighted_forward(self, x: Array, t: Array, weights: Array | None) -> float:
        """Return the mean cross-entropy to u."""
        expect_class_targets(self.path, t, x.shape)
        self.u = self._adjusted(t, x.shape, weights)
        shifted = shift_transposed(x, self.buffer("p", x.shape[::-1]))
        at_target = np.einsum("ji,ij->i", shifted, self.u)
        losses = self.normalize(shifted)
        np.log(losses, out=losses)
        np.multiply(losses, self.u.sum(axis=1), out=losses)
        np.subtract(losses, at_target, out=losses)
        return float(np.add.reduce(losses, dtype=np.float64))

    def _weighted_backward(self, dloss: float) -> Array:
        """Return dx = dloss ((Σ u) p - u)."""
        dx = self.buffer("dx", self.u.shape)
        np.multiply(self.p.T, self.u.sum(axis=1, keepdims=True), out=dx)
        np.subtract(dx, self.u, out=dx)
        np.multiply(dx, dloss, out=dx)
        return dx

    def _adjusted(self, t: Array, shape: tuple[int, ...], weights: Array | None) -> Array:
        """Return u: the targets as rows, smoothed, each class and each row times its share of the weight."""
        shares = self.weights_of_classes / (self.weight(t, weights) or 1.0)  # if all weights are 0, so is u
        if weights is not None:
            shares = shares * weights[:, np.newaxis]
        rows, classes = shape
        u = self.buffer("u", shape)
        if t.ndim == 1:
            u[...] = 0
            u[np.arange(rows), t] = 1
        else:
            np.copyto(u, t)
        np.multiply(u, 1 - self.smoothing, out=u)
        np.add(u, self.smoothing / classes, out=u)
        np.multiply(u, shares, out=u)
        return u

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss plain, and with smoothed labels and weighted classes."""
        return [({}, (5,)), ({"label_smoothing": 0.1, "class_weights": [1, 0.5, 2, 0, 1]}, (5,))]
