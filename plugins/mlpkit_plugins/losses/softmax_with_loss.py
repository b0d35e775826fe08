"""Softmax and cross-entropy in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit import Classes, Loss, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit import Target


class SoftmaxWithLoss(Loss):
    """Softmax of the logits, and the mean cross-entropy to the classes' labels.

        p    = exp(x - max x) / Σ exp(x - max x)
        loss = mean over rows of  log Σ exp(x - max x) - Σ t (x - max x)
        dx   = dloss (p - t) / rows

    Here t is one-hot; integer labels stand for the same. Subtracting the row's largest logit keeps every
    exponential at most 1, so that logits up to ±1e38 are safe in float32.

    Shapes: x (rows, classes), t (rows,) or (rows, classes).

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
        shifted = self._shifted(x)
        if t.ndim == 1:
            rows = np.arange(len(x))
            at_target = shifted[rows, t]
        else:
            at_target = np.einsum("ij,ij->i", shifted, t)
        total = self._normalize(shifted)
        np.log(total, out=total)
        self.t = t
        return float(np.subtract(total, at_target, dtype=np.float64).mean())

    def backward(self, dloss: float = 1.0) -> NDArray[Any]:
        """Return dx = dloss (p - t) / rows."""
        dx = self.p
        if self.t.ndim == 1:
            dx[np.arange(len(dx)), self.t] -= 1
        else:
            np.subtract(dx, self.t, out=dx)
        dx *= dloss / len(dx)
        return dx

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the probability of each class, shape (rows, classes)."""
        self._normalize(self._shifted(x))
        return self.p

    def _shifted(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return x - max x, row by row."""
        largest = np.max(x, axis=1, keepdims=True, out=self.buffer("largest", (len(x), 1)))
        shifted = self.buffer("p", x.shape)
        np.subtract(x, largest, out=shifted)
        return shifted

    def _normalize(self, shifted: NDArray[Any]) -> NDArray[Any]:
        """Set p to the softmax, in place of the shifted logits, and return Σ exp(x - max x)."""
        self.p = shifted
        np.exp(shifted, out=self.p)
        total = self.buffer("total", (len(shifted), 1))
        np.add.reduce(self.p, axis=1, keepdims=True, out=total)
        np.divide(self.p, total, out=self.p)
        return total[:, 0]

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the loss on five classes."""
        return [({}, (5,))]
