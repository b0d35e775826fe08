"""Operations on the rows of a minibatch, and sums over its rows, for examples of any shape.

Minibatches have the shape (rows, ...); scales, shifts and sums have the shape of a row. ``products`` is a buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array
from mlpkit_plugins.kernels import feature_sums, feature_sums_of_products, scale_and_shift_features, scale_features


def sum_rows(x: Array, out: Array) -> None:
    """Set out to the sum of the rows of x."""
    sums = out.reshape(-1)
    feature_sums(_matrix(x), sums)
    _keep(sums, out)


def sum_row_products(x: Array, y: Array, products: Array, out: Array) -> None:
    """Set out to the sum of the rows of x ∘ y; products must be contiguous."""
    sums = out.reshape(-1)
    feature_sums_of_products(_matrix(x), _matrix(y), _matrix(products), sums)
    _keep(sums, out)


def scale_rows(x: Array, scale: Array, out: Array) -> Array:
    """Set out, which is contiguous and may be x itself, to x ∘ scale, and return it."""
    scale_features(_matrix(x), scale.reshape(-1), _matrix(out))
    return out


def scale_and_shift_rows(x: Array, scale: Array, shift: Array, out: Array) -> Array:
    """Set out, as in ``scale_rows``, to x ∘ scale + shift, where shift is broadcast to a row, and return it."""
    shift = np.broadcast_to(shift, scale.shape)
    scale_and_shift_features(_matrix(x), scale.reshape(-1), shift.reshape(-1), _matrix(out))
    return out


def _matrix(x: Array) -> Array:
    return x if x.ndim == 2 else x.reshape(len(x), prod(x.shape[1:]))


def _keep(sums: Array, out: Array) -> None:
    """Write the sums to out if it isn't contiguous, so that ``sums`` is a copy."""
    if not out.flags.c_contiguous:
        out[...] = sums.reshape(out.shape)


def means_and_deviations(
    parts: Callable[[], Iterable[Array]], columns: int, of_constant: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column, without missing numbers.

    Args:
        parts: returns blocks of rows, shape (rows, columns), NaN for missing numbers.
        columns: number of columns.
        of_constant: the standard deviation to return for a constant column.
    """
    counts, sums, squares = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    for values in parts():
        present = ~np.isnan(values)
        counts += present.sum(axis=0)
        sums += np.where(present, values, 0).sum(axis=0)
    counts = np.maximum(counts, 1)
    means = sums / counts
    for values in parts():
        deviations = values - means
        squares += np.where(np.isnan(deviations), 0, deviations * deviations).sum(axis=0)
    stds = np.sqrt(squares / counts)
    tiny = stds <= 1e-12 * np.abs(means)  # constant, up to rounding of the mean
    return means, np.where(tiny, of_constant, stds)
