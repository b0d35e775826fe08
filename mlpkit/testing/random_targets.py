"""Targets drawn at random, as a data set with such a target would give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.target import Classes, Labels

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from mlpkit.components.target import Target


def random_targets(target: Target, rows: int, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Return targets for so many rows.

    Args:
        target: what is to be predicted.
        rows: number of rows.
        rng: random numbers.
        dtype: the network's dtype, which all targets but class numbers have.
    """
    if isinstance(target, Classes):
        labels = rng.integers(0, target.count, rows)
        return np.eye(target.count, dtype=dtype)[labels] if target.one_hot else labels
    if isinstance(target, Labels):
        return rng.integers(0, 2, (rows, target.count)).astype(dtype)
    return rng.normal(size=(rows, *target.shape)).astype(dtype)
