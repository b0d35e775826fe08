"""Weights of examples: how much each counts in the loss and in metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.errors import ShapeError, UsageError, WrongUseError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.loss import Loss
    from mlpkit.components.metric import Metric


def expect_takes_weights(*components: Loss | Metric) -> None:
    """Make sure that a loss, or metrics, take weights of examples.

    Raises:
        WrongUseError: one doesn't.
    """
    for component in components:
        if not component.takes_weights:
            message, remedy = takes_no_weights(component.registered_name, type(component))
            raise WrongUseError(message, remedy=remedy)


def takes_no_weights(name: str, component: type[Loss | Metric]) -> tuple[str, str]:
    """Return what is wrong if examples have weights and a loss or a metric doesn't take any, and what to do.

    Args:
        name: its name in specs.
        component: its class.
    """
    return f"{name} doesn't take weights of examples", f"use another {component.kind}, or leave out the weights"


def weights_of_examples(weights: NDArray[Any], rows: int) -> NDArray[np.float64]:
    """Return weights as losses and metrics take them.

    Args:
        weights: a number for each example.
        rows: how many there must be.

    Raises:
        ShapeError: there are more or fewer.
        UsageError: one is negative or not finite, or all are 0.
    """
    if weights.shape != (rows,):
        raise ShapeError(f"weights of shape {weights.shape} don't fit {rows} rows", expected=f"({rows},)")
    found = np.asarray(weights, np.float64)
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(wrong):
        row = int(wrong[0])
        raise UsageError(f"the weight of row {row}, counted from 0, is {weights[row]}; expected a number from 0 up")
    if not found.any():
        raise UsageError("all weights of the examples are 0; expected a greater one for at least one row")
    return found
