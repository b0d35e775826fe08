"""The error of a metric on targets that it is not for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit import Classes, Labels, ShapeError

if TYPE_CHECKING:
    from mlpkit import Metric, Target


def wrong_target(metric: Metric, target: Target, takes: str) -> ShapeError:
    """Return the error that says what a metric is for, and which ones are for the target.

    Args:
        metric: the metric.
        target: what is to be predicted.
        takes: the targets that the metric is for, in words.
    """
    return ShapeError(
        f"{metric.registered_name} is for {takes}, but the data gives {target}",
        expected=f"data whose target is {takes}",
        remedy=f"take {_fitting(target)} in its place",
    )


def _fitting(target: Target) -> str:
    if isinstance(target, Classes):
        return "accuracy, f1 or roc_auc"
    if isinstance(target, Labels):
        return "roc_auc, or f1 with a threshold,"
    return "mean_absolute_error, mean_squared_error or r2"
