"""Counting examples, each once or as often as its weight says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def counted(rows: NDArray[np.bool_], weights: NDArray[Any] | None) -> int | float:
    """Return how many rows are true, or the sum of their weights."""
    return int(np.count_nonzero(rows)) if weights is None else float(weights @ rows)


def counted_all(t: NDArray[Any], weights: NDArray[Any] | None) -> int | float:
    """Return how many rows of targets there are, or the sum of their weights."""
    return len(t) if weights is None else float(weights.sum())


def counts_of_classes(numbers: NDArray[np.int64], weights: NDArray[Any] | None, classes: int) -> NDArray[Any]:
    """Return how many rows are of each class, or the sum of their weights.

    Args:
        numbers: the number of each row's class.
        weights: the weight of each row; None for all alike.
        classes: how many classes there are.
    """
    return np.bincount(numbers, weights, minlength=classes)
