"""Checks that targets are classes; NumPy would accept some that aren't."""

from __future__ import annotations

import numpy as np

from mlpkit import Array, ShapeError, UsageError

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
