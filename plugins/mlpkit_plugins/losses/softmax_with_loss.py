"""Softmax and cross-entropy in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Classes, Loss, ShapeError, UsageError

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

    def __init__(self) -> None:
        self.columns: NDArray[np.intp] = np.arange(0)

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
        shifted = self._shifted(x)
        self.t = t
        at_target = self._at_labels(shifted, t) if t.ndim == 1 else np.einsum("ji,ij->i", shifted, t)
        losses = self._normalize(shifted)
        np.log(losses, out=losses)
        np.subtract(losses, at_target, out=losses)
        return float(np.add.reduce(losses, dtype=np.float64)) / len(t)

    def backward(self, dloss: float = 1.0) -> NDArray[Any]:
        """Return dx = dloss (p - t) / rows."""
        p = self.p
        if self.t.ndim == 1:
            p.reshape(-1)[self.at_label] -= 1
        else:
            np.subtract(p, self.t.T, out=p)
        np.multiply(p, dloss / len(self.t), out=p)
        return self._by_rows("dx")

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the probability of each class, shape (rows, classes)."""
        self._normalize(self._shifted(x))
        return self._by_rows("prediction")

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
        """Return the entry at each row's label, and keep where it stands in the transposed logits."""
        classes, rows = shifted.shape
        if len(self.columns) != rows:
            self.columns = np.arange(rows)
        self.at_label = np.multiply(t, rows, dtype=np.intp)
        self.at_label += self.columns
        try:
            if t.item(t.argmin()) >= 0:  # NumPy would count a negative label from the end
                at_labels: NDArray[Any] = shifted.reshape(-1).take(self.at_label)
                return at_labels
        except IndexError:
            pass  # a label too large leads beyond the last entry
        wrong = t[(t < 0) | (t >= classes)][0]
        raise UsageError(f"{self.path} got the label {wrong}; expected class numbers from 0 to {classes - 1}")

    def _shifted(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return x - max x, transposed to (classes, rows): NumPy is faster at reducing the first axis."""
        shifted = self.buffer("p", x.shape[::-1])
        np.copyto(shifted, x.T)
        np.subtract(shifted, np.maximum.reduce(shifted, axis=0), out=shifted)
        return shifted

    def _normalize(self, shifted: NDArray[Any]) -> NDArray[Any]:
        """Set p to the softmax, in place of the shifted logits, and return Σ exp(x - max x)."""
        self.p = np.exp(shifted, out=shifted)
        total: NDArray[Any] = np.add.reduce(self.p, axis=0)
        np.divide(self.p, total, out=self.p)
        return total

    def _by_rows(self, name: str) -> NDArray[Any]:
        """Return what p holds, shape (rows, classes)."""
        array = self.buffer(name, self.p.shape[::-1])
        np.copyto(array, self.p.T)
        return array

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss on five classes."""
        return [({}, (5,))]
