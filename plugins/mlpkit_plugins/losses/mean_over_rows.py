"""Means of losses over rows, which may have weights, and elements, and advice on an axis of members."""

from __future__ import annotations

import numpy as np

from mlpkit import Array


def mean_of(losses: Array, weights: Array | None) -> float:
    """Return the mean of losses over rows and elements, summed in float64; 0 if all weights of rows are 0."""
    if weights is None:
        return float(np.add.reduce(losses, axis=None, dtype=np.float64)) / losses.size
    of_rows = losses.reshape(len(weights), -1).sum(axis=1, dtype=np.float64)
    return float(weights @ of_rows) / (_total(weights) * losses.size / len(weights))


def share_of_each(dloss: float, dx: Array, weights: Array | None) -> float | Array:
    """Return the derivative of the total loss by the loss of one element, for the elements of each row.

        dloss / count, or with weights  dloss w / (Σ w · elements of a row)

    It has the dtype of dx, and a shape that broadcasts to it.
    """
    if weights is None:
        return dloss / dx.size
    factor = dloss * len(weights) / (_total(weights) * dx.size)
    return (weights * factor).astype(dx.dtype).reshape(-1, *(1 for _ in dx.shape[1:]))


def _total(weights: Array) -> float:
    return float(weights.sum()) or 1.0


def remedy_for_axes(input_shape: tuple[int, ...], axes: int, otherwise: str) -> str:
    """Return what to do about inputs of a wrong shape, which may have an axis of ensemble members too many."""
    if len(input_shape) != axes + 1:
        return otherwise
    return f"{otherwise}; for members of an ensemble, put the loss into EnsembleLoss"
