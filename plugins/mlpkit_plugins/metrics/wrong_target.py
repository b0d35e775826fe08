"""The error for a metric that doesn't suit the target."""

from __future__ import annotations

from mlpkit import Classes, Labels, Metric, ShapeError, Target, Values


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
