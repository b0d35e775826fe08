"""Softmax and cross-entropy in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Classes, Loss, ShapeError, UsageError
from mlpkit_plugins.kernels import cross_entropy_gradient, normalize_columns, pick_labels, shift_transposed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Target

SUM_TOLERANCE = 1e-3
"""How far the sum of a one-hot row may be from 1; rows of probabilities in float32 are to pass."""


class SoftmaxWithLoss(Loss):
    """Softmax of the logits, and the mean cross-entropy to the classes' labels.

        p    = exp(x - max x) / Σ exp(x - max x)
        loss = mean over rows of  log Σ exp(x - max x) - Σ t (x - max x)
        dx   = dloss (p - t) / rows

    Here t is one-hot; integer labels stand for the same. Subtracting the row's largest logit keeps every
    exponential at most 1, so that logits up to ±1e38 are safe in float32.

    Shapes: x (rows, classes), t (rows,) or (rows, classes).

    Raises:
        ShapeError: the targets are neither class numbers nor one-hot rows for that many classes.
        UsageError: a class number is out of range, or a row's sum is not 1.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 4.3.4.
    """

    def build(self, input_shape: tuple[int, ...], target: Target | None) -> None:
        """Make sure that there is one logit a class."""
        (logits,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        if target is None:
            return
        if not isinstance(target, Classes):
            raise ShapeError(
                f"{self.path} compares logits with classes, but the data gives {target}",
                expected="data whose target is one of several classes",
            )
        if target.count != logits:
            raise ShapeError(
                f"{self.path} gets {logits} logits for {target}",
                expected=f"inputs of shape ({target.count},), one logit a class",
                remedy=f"give the last layer before it {target.count} units",
            )

    def forward(self, x: NDArray[Any], t: NDArray[Any]) -> float:
        """Return the mean cross-entropy."""
        self._expect_targets(t, x.shape)
        shifted = shift_transposed(x, self.buffer("p", x.shape[::-1]))
        self.t = t
        at_target = self._at_labels(shifted, t) if t.ndim == 1 else np.einsum("ji,ij->i", shifted, t)
        losses = self._normalize(shifted)
        np.log(losses, out=losses)
        np.subtract(losses, at_target, out=losses)
        return float(np.add.reduce(losses, dtype=np.float64)) / len(t)

    def backward(self, dloss: float = 1.0) -> NDArray[Any]:
        """Return dx = dloss (p - t) / rows."""
        p, t, scale = self.p, self.t, dloss / len(self.t)
        dx = self.buffer("dx", p.shape[::-1])
        if t.ndim == 1:
            return cross_entropy_gradient(p, t, scale, dx)
        np.subtract(p.T, t, out=dx)
        np.multiply(dx, scale, out=dx)
        return dx

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the probability of each class, shape (rows, classes)."""
        self._normalize(shift_transposed(x, self.buffer("p", x.shape[::-1])))
        prediction = self.buffer("prediction", x.shape)
        np.copyto(prediction, self.p.T)
        return prediction

    def _expect_targets(self, t: NDArray[Any], shape: tuple[int, ...]) -> None:
        """Make sure that the targets are class numbers or one-hot rows; NumPy would take some others for them."""
        if t.shape == shape[:1] and t.dtype.kind in "iu":
            return  # and their range is seen when they are looked up
        if t.shape != shape:
            raise ShapeError(
                f"{self.path} can't take targets of {t.dtype} of shape {t.shape}",
                expected=f"class numbers, integers of shape {shape[:1]}, or one-hot rows of shape {shape}",
            )
        if not (np.abs(t.sum(axis=1) - 1) < SUM_TOLERANCE).all():
            raise UsageError(f"{self.path} got a target row whose sum is not 1; expected one-hot rows")

    def _at_labels(self, shifted: NDArray[Any], t: NDArray[Any]) -> NDArray[Any]:
        """Return the shifted logit of each row's label."""
        try:
            return pick_labels(shifted, t, self.buffer("at_label", t.shape))
        except IndexError:
            classes = len(shifted)
            wrong = t[(t < 0) | (t >= classes)][0]
            message = f"{self.path} got the label {wrong}; expected class numbers from 0 to {classes - 1}"
            raise UsageError(message) from None

    def _normalize(self, shifted: NDArray[Any]) -> NDArray[Any]:
        """Set p to the softmax, in place of the shifted logits, and return Σ exp(x - max x)."""
        self.p = np.exp(shifted, out=shifted)
        return normalize_columns(self.p, self.buffer("total", self.p.shape[1:]))

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss on five classes."""
        return [({}, (5,))]
