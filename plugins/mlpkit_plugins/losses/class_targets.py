"""Targets that are classes: checks, as NumPy would accept others, their weights, and logarithms of their shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, ParameterError, ShapeError, UsageError
from mlpkit_plugins.kernels import (
    cross_entropy_gradient,
    exp,
    normalize_columns,
    pick_labels,
    product,
    shift_transposed,
)
from mlpkit_plugins.losses.mean_over_rows import mean_of, share_of_each

SUM_TOLERANCE = 1e-3
"""How far the sum of a one-hot row may be from 1; rows of float32 probabilities must pass."""


def require_class_targets(who: str, t: Array, shape: tuple[int, ...]) -> None:
    """Require integers, of any range, or one-hot rows as targets, for inputs of shape (rows, classes)."""
    if t.shape == shape[:1] and t.dtype.kind in "iu":
        return
    if t.shape != shape:
        raise ShapeError(
            f"{who} can't take targets of {t.dtype} of shape {t.shape}",
            expected=f"class numbers, integers of shape {shape[:1]}, or one-hot rows of shape {shape}",
        )
    require_sums_of_one(who, t)


def require_sums_of_one(who: str, t: Array) -> None:
    """Require rows that are one-hot, or at least sum to 1, or raise ``UsageError``."""
    if not (np.abs(t.sum(axis=1) - 1) < SUM_TOLERANCE).all():
        raise UsageError(f"{who} got a target row whose sum is not 1; expected one-hot rows")


def require_class_numbers(who: str, t: Array, classes: int) -> None:
    """Require integers that are class numbers, or raise ``UsageError``."""
    wrong = t[(t < 0) | (t >= classes)]
    if len(wrong):
        raise UsageError(f"{who} got the label {wrong[0]}; expected class numbers from 0 to {classes - 1}")


def require_some_weight(class_weights: Sequence[float] | None) -> None:
    """Require a weight above 0 for some class."""
    if class_weights is not None and not any(class_weights):
        raise ParameterError("class_weights", "all weights are 0", expected="a number greater than 0 among them")


def require_weight_per_class(who: str, class_weights: Sequence[float] | None, count: int, what: str) -> None:
    """Require ``count`` class weights, if there are any, one for each of ``what``."""
    if class_weights is not None and len(class_weights) != count:
        raise ShapeError(
            f"{who} has {len(class_weights)} class weights for {count} {what}",
            expected=f"{count} numbers in class_weights, one per class",
        )


SMALLEST: Final = 1e-6
"""Stands for a share of zero, whose logarithm isn't finite."""


def log_shares(counts: Array) -> NDArray[np.float64]:
    """Return log(count / Σ counts) for counts that aren't all 0, with 1e-6 in place of smaller shares."""
    counts = np.asarray(counts, np.float64)
    shares: NDArray[np.float64] = np.log(np.maximum(counts / (counts.sum() or 1.0), SMALLEST))
    return shares


class CrossEntropy:
    """The mean cross-entropy to labels.

        loss = mean over rows of  log Σ exp(x̃) - Σ t x̃
        dx   = dloss (p - t) / rows

    Args:
        scratch: the ``buffer`` of the loss.
        t: class numbers, shape (rows,), or one-hot rows, shape (rows, classes).
        weights: the weight of each row; None if all are equal.
    """

    def __init__(self, scratch: Callable[..., Array], t: Array, weights: Array | None) -> None:
        self.scratch = scratch
        self.t = t
        self.weights = weights

    def forward(self, x: Array) -> float:
        """Return the loss.

        Raises:
            IndexError: a class number is out of range.
        """
        shifted = shift_transposed(x, self.scratch("p", x.shape[::-1]))
        at_target = self.at_target(shifted)
        losses = self.softmax(shifted)
        np.log(losses, out=losses)
        np.subtract(losses, at_target, out=losses)
        return mean_of(losses, self.weights)

    def backward(self, dloss: float) -> Array:
        """Return dx = dloss (p - t) / rows."""
        return self.difference(self.p, dloss)

    def at_target(self, shifted: Array) -> Array:
        """Return Σ t x̃ of each row."""
        if self.t.ndim == 1:
            return pick_labels(shifted, self.t, self.scratch("at_label", self.t.shape))
        at_target: Array = np.einsum("ji,ij->i", shifted, self.t)
        return at_target

    def softmax(self, shifted: Array) -> Array:
        """Turn x̃ into p, and return Σ exp(x̃) of each row."""
        self.p = exp(shifted, shifted)
        return normalize_columns(self.p, self.scratch("total", shifted.shape[1:]))

    def difference(self, p: Array, dloss: float) -> Array:
        """Return dloss (p - t) / rows."""
        share = dloss / len(self.t) if self.weights is None else 1.0
        dx = self.scratch("dx", p.shape[::-1])
        if self.t.ndim == 1:
            cross_entropy_gradient(p, self.t, share, dx)
        else:
            np.subtract(p.T, self.t, out=dx)
            np.multiply(dx, share, out=dx)
        if self.weights is not None:
            np.multiply(dx, share_of_each(dloss, dx[:, :1], self.weights), out=dx)
        return dx


class SmoothedCrossEntropy(CrossEntropy):
    """The mean cross-entropy to smoothed labels: a share of each is spread evenly over all classes.

        u    = (1 - smoothing) t + smoothing / classes
        loss = mean over rows of  log Σ exp(x̃) - Σ u x̃
        dx   = dloss (p - u) / rows = dloss (1 - smoothing) (q - t) / rows,
               with q = (p - smoothing / classes) / (1 - smoothing)

    Args:
        scratch: as for ``CrossEntropy``.
        t: as for ``CrossEntropy``.
        weights: as for ``CrossEntropy``.
        smoothing: the share.
    """

    def __init__(self, scratch: Callable[..., Array], t: Array, weights: Array | None, smoothing: float) -> None:
        super().__init__(scratch, t, weights)
        self.smoothing = smoothing

    def backward(self, dloss: float) -> Array:
        """Return dx = dloss (1 - smoothing) (q - t) / rows."""
        q = np.subtract(self.p, self.smoothing / len(self.p), out=self.scratch("q", self.p.shape))
        np.divide(q, 1 - self.smoothing, out=q)
        return self.difference(q, dloss * (1 - self.smoothing))

    def at_target(self, shifted: Array) -> Array:
        """Return Σ u x̃ of each row."""
        at_target = super().at_target(shifted)
        spread = np.full(len(shifted), self.smoothing / len(shifted), shifted.dtype)
        of_all = product(spread, shifted, self.scratch("of_all", at_target.shape))
        np.multiply(at_target, 1 - self.smoothing, out=at_target)
        return np.add(at_target, of_all, out=at_target)


class WeightedCrossEntropy(CrossEntropy):
    """The cross-entropy to smoothed labels, each class and each row with its share of the total weight.

        u    = shares ((1 - smoothing) t + smoothing / classes)
        loss = Σ over rows of  (Σ u) log Σ exp(x̃) - Σ u x̃
        dx   = dloss ((Σ u) p - u)

    Args:
        scratch: as for ``CrossEntropy``.
        t: as for ``CrossEntropy``.
        shares: shape (classes,) or (rows, classes).
        smoothing: share of each label that is spread evenly over all classes.
    """

    def __init__(self, scratch: Callable[..., Array], t: Array, shares: Array, smoothing: float) -> None:
        super().__init__(scratch, t, None)
        self.shares = shares
        self.smoothing = smoothing

    def forward(self, x: Array) -> float:
        """Return the loss."""
        self.u = self._adjusted(x.shape)
        shifted = shift_transposed(x, self.scratch("p", x.shape[::-1]))
        at_target = np.einsum("ji,ij->i", shifted, self.u)
        losses = self.softmax(shifted)
        np.log(losses, out=losses)
        np.multiply(losses, self.u.sum(axis=1), out=losses)
        np.subtract(losses, at_target, out=losses)
        return float(np.add.reduce(losses, dtype=np.float64))

    def backward(self, dloss: float) -> Array:
        """Return dx = dloss ((Σ u) p - u)."""
        dx = self.scratch("dx", self.u.shape)
        np.multiply(self.p.T, self.u.sum(axis=1, keepdims=True), out=dx)
        np.subtract(dx, self.u, out=dx)
        return np.multiply(dx, dloss, out=dx)

    def _adjusted(self, shape: tuple[int, ...]) -> Array:
        """Return u, shape (rows, classes)."""
        u = self.scratch("u", shape)
        if self.t.ndim == 1:
            u[...] = 0
            u[np.arange(len(u)), self.t] = 1
        else:
            np.copyto(u, self.t)
        np.multiply(u, 1 - self.smoothing, out=u)
        np.add(u, self.smoothing / shape[1], out=u)
        return np.multiply(u, self.shares, out=u)
