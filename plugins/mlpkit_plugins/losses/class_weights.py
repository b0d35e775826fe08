"""Checks of class weights."""

from __future__ import annotations

from collections.abc import Sequence

from mlpkit import ParameterError, ShapeError


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
