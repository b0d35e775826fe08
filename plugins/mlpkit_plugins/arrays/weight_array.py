"""Weights of examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpkit import DataError


def weight_array(weights: Any, examples: int, source: str) -> NDArray[np.float64]:
    """Return weights as an array with a number for each example.

    Args:
        weights: the weights as the user passed them.
        examples: the number of examples.
        source: the name of the weights in messages.

    Raises:
        DataError: their number is wrong, one is negative or not a number, or all are 0.
    """
    try:
        array = np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(source, f"is not an array of numbers: {error}") from error
    check_weights_shape(array.shape, examples, source)
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(wrong):
        remedy = "expected 0 or more; write such a number, or leave out the example"
        raise DataError(source, f"the weight of example {wrong[0]} is {array[wrong[0]]:g}; {remedy}")
    if not array.any():
        raise DataError(source, "the weight of every example is 0")
    return array


def check_weights_shape(shape: tuple[int, ...], examples: int, source: str) -> None:
    """Check that an array of weights has a number for each example.

    Raises:
        DataError: the shape is wrong.
    """
    if shape != (examples,):
        raise DataError(source, f"has the shape {shape}; expected ({examples},), a number for each example")
