"""The negative log-likelihood of ordered classes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from mlpkit import Array, Classes, Fans, Graph, Initializer, Loss, ShapeError, Target, TargetError, Value
from mlpkit_plugins.kernels import row_order, sigmoid, softplus
from mlpkit_plugins.losses.class_targets import require_class_numbers, require_class_targets
from mlpkit_plugins.losses.mean_over_rows import mean_of, remedy_for_axes, share_of_each

FAR: Final = 1e30
"""In place of infinity, which not every export can write; less any score, its sigmoid is 1, even in float32."""


class EvenThresholds(Initializer):
    """Thresholds that cut the logistic distribution into parts of equal probability.

        θₖ = log((k + 1) / (n - k)),  k = 0 ... n - 1

    The first element is θ₀; the following ones are log(θₖ - θₖ₋₁).
    """

    def __call__(self, shape: tuple[int, ...], fans: Fans, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
        """Return θ₀ and the logarithms of the distances."""
        number = np.arange(1, shape[0] + 1)
        thresholds = np.log(number / number[::-1])
        return np.append(thresholds[:1], np.log(np.diff(thresholds))).astype(dtype)


class Ordinal(Loss):
    """Negative log-likelihood of ordered classes, such as grades, by thresholds on a single score.

        P(t ≤ k) = σ(θₖ - x),  with trained thresholds θ₀ < θ₁ < ... < θ of the last class but one
        p        = σ(a) σ(-b) (1 - exp(b - a)),  with a = θₜ - x and b = θₜ₋₁ - x
        loss     = mean over rows of  -log p
                 = mean over rows of  log(1 + exp(-a)) + log(1 + exp(b)) - log(1 - exp(b - a))
        dx       = dloss (σ(-a) - σ(b)) / rows

    For the first class b = -∞, and for the last one a = ∞. So p is P(t ≤ k) - P(t ≤ k - 1), in a form that keeps its
    digits. The larger the score, the higher the class. If rows have weights w, the mean over them is Σ w loss / Σ w.

    The parameter ``theta`` holds θ₀, and for each further threshold the logarithm of its distance from the one below,
    so that they stay in order; it never decays. At first, all classes are equally likely at the score 0.

    Classes must have an order: numbers do, and so does a list ``classes`` in the data, lowest first.

    Shapes: x (rows, 1), t (rows,) or (rows, classes).

    Raises:
        ShapeError: an input is not a single score; the data's target is not classes, or classes without an order; or
            the targets are neither class numbers nor one-hot rows for that many classes.
        UsageError: a class number is out of range, or a row's sum is not 1.

    Source: McCullagh, Regression Models for Ordinal Data (1980), section 2.1, the proportional odds model.
    """

    takes_weights = True
    evaluation_context = row_order
    unit = "nats"

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Declare theta."""
        if target is None:
            raise ShapeError(
                f"{self.path or self.type_name} can't know how many classes there are",
                expected="a target",
                remedy="name it, as in Sequential(..., target=Classes(5))",
            )
        if not isinstance(target, Classes):
            raise TargetError(
                f"{self.path} compares a score with ordered classes, but the data gives {target}",
                expected="data whose target is one of several classes",
            )
        if not target.ordered:
            raise TargetError(
                f"{self.path} compares a score with ordered classes, but the data only has their names",
                expected="classes in an order",
                remedy="list them in the parameter classes of csv, parquet or mlpkit.fit, lowest first, as in classes: "
                "[low, middle, high]",
            )
        if input_shape != (1,):
            raise ShapeError(
                f"{self.path} gets inputs of shape {input_shape} for {target}",
                expected="inputs of shape (1,), a score",
                remedy=remedy_for_axes(input_shape, 1, "give the last layer before it 1 unit"),
            )
        self.classes = target.count
        self.theta = self.parameter("theta", (self.classes - 1,), EvenThresholds(), decay=False)

    def expected_inputs(self, target: Target) -> tuple[int, ...] | None:
        """Return one score for classes."""
        return (1,) if isinstance(target, Classes) else None

    def forward(self, x: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of -log p."""
        self.x, self.t, self.weights = x, self._one_hot(t, len(x)), weights
        thresholds, gaps = self._thresholds()
        above, below = self._bounds(x, thresholds)  # -a and b
        losses = softplus(above, self.buffer("losses", above.shape))
        np.add(losses, softplus(below, self.buffer("below", above.shape)), out=losses)
        losses[:, 1:-1] -= np.log(-np.expm1(-gaps))
        np.multiply(losses, self.t, out=losses)
        return mean_of(losses.sum(axis=1), weights)

    def backward(self, dloss: float = 1.0) -> Array:
        """Set dtheta, and return dx."""
        thresholds, gaps = self._thresholds()
        above, below = self._bounds(self.x, thresholds)
        share = share_of_each(dloss, self.x, self.weights)
        t = self.t * share
        by_above = np.multiply(sigmoid(above, above), t, out=above)
        by_below = np.multiply(sigmoid(below, below), t, out=below)
        if self.needs_parameter_gradients:
            by_threshold = by_below[:, 1:].sum(axis=0) - by_above[:, :-1].sum(axis=0)
            by_gap = by_threshold[::-1].cumsum()[::-1]
            self.theta.grad[0] = by_gap[0]
            by_share = gaps * np.exp(-gaps) / np.expm1(-gaps)
            self.theta.grad[1:] = gaps * by_gap[1:] + by_share * t[:, 1:-1].sum(axis=0)
        dx = self.buffer("dx", self.x.shape)
        np.subtract(by_above.sum(axis=1, keepdims=True), by_below.sum(axis=1, keepdims=True), out=dx)
        return dx

    def predict(self, x: Array) -> Array:
        """Return the probability of each class, shape (rows, classes)."""
        thresholds, gaps = self._thresholds()
        above, below = self._bounds(x, thresholds)
        p = sigmoid(np.negative(above, out=above), self.buffer("prediction", above.shape))
        np.multiply(p, sigmoid(np.negative(below, out=below), below), out=p)
        p[:, 1:-1] *= (-np.expm1(-gaps)).astype(p.dtype)
        return p

    def prediction_loss(self, prediction: Array, t: Array, weights: Array | None = None) -> float:
        """Return the mean of -log p, with p at least the smallest normal number.

        It replaces ``inputs_for``, since most probabilities don't belong to any score.
        """
        p = np.maximum(prediction, np.finfo(prediction.dtype).tiny)
        losses = -np.log(p, dtype=np.float64) * self._one_hot(t, len(p))
        return mean_of(losses.sum(axis=1), weights)

    def onnx(self, graph: Graph) -> Value:
        """Describe p."""
        thresholds, gaps = self._thresholds()
        far = thresholds.dtype.type(FAR)
        upper, lower = np.append(thresholds, far), np.append(-far, thresholds)
        shares = np.concatenate([[1], -np.expm1(-gaps), [1]]).astype(thresholds.dtype)
        below_upper = graph.op("Sigmoid", graph.op("Sub", upper, graph.input))
        above_lower = graph.op("Sigmoid", graph.op("Sub", graph.input, lower))
        return graph.op("Mul", graph.op("Mul", below_upper, above_lower), shares)

    def _thresholds(self) -> tuple[Array, Array]:
        """Return all thresholds, and in float64 the distances between them.

        They are computed in float64, since the last bits of NumPy's float32 exponential depend on the processor.
        """
        theta = self.theta.value.astype(np.float64)
        gaps = np.exp(theta[1:])
        return np.cumsum(np.append(theta[:1], gaps)).astype(self.dtype), gaps

    def _bounds(self, x: Array, thresholds: Array) -> tuple[Array, Array]:
        """Return -a and b: how far each score is above the upper threshold of each class, and below its lower one."""
        above, below = (np.empty((len(x), self.classes), thresholds.dtype) for _ in range(2))
        np.subtract(x, thresholds, out=above[:, :-1])
        np.subtract(thresholds, x, out=below[:, 1:])
        above[:, -1] = below[:, 0] = -FAR
        return above, below

    def _one_hot(self, t: Array, rows: int) -> Array:
        """Return the targets as one-hot rows."""
        require_class_targets(self.path, t, (rows, self.classes))
        if t.ndim == 2:
            return t
        require_class_numbers(self.path, t, self.classes)
        rows_of_classes: Array = np.eye(self.classes, dtype=self.dtype)[t]
        return rows_of_classes

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss on a score."""
        return [({}, (1,))]
