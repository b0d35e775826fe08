"""The cross-entropies of ``SoftmaxWithLoss``: plain, to smoothed labels, and with class weights.

Each is made for one minibatch. In formulas, x̃ = x - max x are the logits of a row less the largest of them, and p is
their softmax; in memory, both have a column for each row of x, which is faster.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlpkit import Array
from mlpkit_plugins.kernels import (
    cross_entropy_gradient,
    exp,
    normalize_columns,
    pick_labels,
    product,
    shift_transposed,
)
from mlpkit_plugins.losses.mean_over_rows import mean_of, share_of_each


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
        np.add(at_target, of_all, out=at_target)
        return at_target


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
        np.multiply(dx, dloss, out=dx)
        return dx

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
        np.multiply(u, self.shares, out=u)
        return u
