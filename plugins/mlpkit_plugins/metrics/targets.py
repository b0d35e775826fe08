"""Targets of metrics: class numbers, and the error for a target that doesn't suit a metric."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, Labels, Metric, ParameterError, ShapeError, Target, Values


def actual_classes(t: Array) -> NDArray[np.int64]:
    """Return the number of each example's class, shape (rows,), from class numbers or one-hot rows."""
    numbers: Array = t.argmax(axis=1) if t.ndim == 2 and t.shape[1] > 1 else t.reshape(len(t))
    return numbers.astype(np.int64)


def predicted_classes(p: Array, threshold: float | None) -> NDArray[np.int64]:
    """Return the number of each example's predicted class, shape (rows,).

    That is the most probable class, the first if several are equal. With a threshold or a single column, it is class 1
    if its probability is at least the threshold, ½ by default.
    """
    most_probable = threshold is None and p.shape[1] > 1
    predicted: Array = p.argmax(axis=1) if most_probable else p[:, -1] >= (threshold or 0.5)
    return predicted.astype(np.int64)


def require_two_classes(threshold: float | None, classes: int) -> None:
    """Require two classes if there is a threshold."""
    if threshold is not None and classes > 2:
        raise ParameterError(
            "threshold",
            f"a threshold has no effect with {classes} classes, as the most probable one is predicted",
            expected="two classes",
            remedy="leave it out",
        )


def wrong_target(metric: Metric, target: Target, takes: str) -> ShapeError:
    """Return an error that says which targets the metric takes, in words, and names metrics for the data's target."""
    return ShapeError(
        f"{metric.registered_name} is for {takes}, but the data gives {target}",
        expected=f"data whose target is {takes}",
        remedy=f"use {_fitting(target)} instead",
    )


def _fitting(target: Target) -> str:
    if isinstance(target, Classes):
        return "accuracy, f1 or roc_auc"
    if isinstance(target, Labels):
        return "roc_auc, or f1 with a threshold,"
    return "mean_absolute_error, mean_squared_error or r2" if isinstance(target, Values) else f"a metric for {target}"
