"""Counting examples, each once or by its weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array


def counted(rows: NDArray[np.bool_], weights: Array | None) -> int | float:
    """Return how many rows are true, or the sum of their weights."""
    return int(np.count_nonzero(rows)) if weights is None else float(weights @ rows)


def counted_all(t: Array, weights: Array | None) -> int | float:
    """Return how many rows of targets there are, or the sum of their weights."""
    return len(t) if weights is None else float(weights.sum())


def counts_of_classes(numbers: NDArray[np.int64], weights: Array | None, classes: int) -> Array:
    """Return how many rows are of each class, or the sum of their weights.

    Args:
        numbers: the number of each row's class.
        weights: the weight of each row; None if all are equal.
        classes: how many classes there are.
    """
    return np.bincount(numbers, weights, minlength=classes)
