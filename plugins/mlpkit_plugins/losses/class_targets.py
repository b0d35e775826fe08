"""Targets that are classes: checks, as NumPy would accept others, their weights, and logarithms of their shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, ParameterError, ShapeError, UsageError

SUM_TOLERANCE = 1e-3
"""How far the sum of a one-hot row may be from 1; rows of float32 probabilities must pass."""


def require_class_targets(who: str, t: Array, shape: tuple[int, ...]) -> None:
    """Require integers or one-hot rows as targets; the range of integers is not checked.

    Args:
        who: the loss, for the error.
        t: the targets.
        shape: (rows, classes).

    Raises:
        ShapeError: the targets are neither.
        UsageError: the sum of a row is not 1.
    """
    if t.shape == shape[:1] and t.dtype.kind in "iu":
        return
    if t.shape != shape:
        raise ShapeError(
            f"{who} can't take targets of {t.dtype} of shape {t.shape}",
            expected=f"class numbers, integers of shape {shape[:1]}, or one-hot rows of shape {shape}",
        )
    require_sums_of_one(who, t)


def require_sums_of_one(who: str, t: Array) -> None:
    """Require rows that are one-hot, or at least sum to 1.

    Raises:
        UsageError: a row doesn't.
    """
    if not (np.abs(t.sum(axis=1) - 1) < SUM_TOLERANCE).all():
        raise UsageError(f"{who} got a target row whose sum is not 1; expected one-hot rows")


def require_class_numbers(who: str, t: Array, classes: int) -> None:
    """Require integers that are class numbers.

    Raises:
        UsageError: one is out of range.
    """
    wrong = t[(t < 0) | (t >= classes)]
    if len(wrong):
        raise UsageError(f"{who} got the label {wrong[0]}; expected class numbers from 0 to {classes - 1}")


def require_some_weight(class_weights: Sequence[float] | None) -> None:
    """Require a weight above 0 for some class.

    Raises:
        ParameterError: all weights are 0.
    """
    if class_weights is not None and not any(class_weights):
        raise ParameterError("class_weights", "all weights are 0", expected="a number greater than 0 among them")


def require_weight_per_class(who: str, class_weights: Sequence[float] | None, count: int, what: str) -> None:
    """Require one class weight per class.

    Args:
        who: the loss, for the error.
        class_weights: the weights; None for none.
        count: how many there must be.
        what: what they weigh, such as ``classes``.

    Raises:
        ShapeError: there are more or fewer weights.
    """
    if class_weights is not None and len(class_weights) != count:
        raise ShapeError(
            f"{who} has {len(class_weights)} class weights for {count} {what}",
            expected=f"{count} numbers in class_weights, one per class",
        )


SMALLEST: Final = 1e-6
"""Stands for a share of zero, whose logarithm isn't finite."""


def log_shares(counts: Array) -> NDArray[np.float64]:
    """Return log(count / Σ counts), with 1e-6 in place of smaller shares.

    Args:
        counts: numbers from 0 up, not all 0.
    """
    counts = np.asarray(counts, np.float64)
    shares: NDArray[np.float64] = np.log(np.maximum(counts / (counts.sum() or 1.0), SMALLEST))
    return shares
