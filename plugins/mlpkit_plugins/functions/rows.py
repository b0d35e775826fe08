"""Operations on the rows of a minibatch, and sums over its rows, for examples of any shape."""

from __future__ import annotations

from math import prod

import numpy as np

from mlpkit import Array
from mlpkit_plugins.kernels import (
    feature_sums,
    feature_sums_of_products,
    scale_and_shift_features,
    scale_features,
)


def sum_rows(x: Array, out: Array) -> None:
    """Set out to the sum of the rows of x.

    Args:
        x: shape (rows, ...).
        out: shape of a row.
    """
    sums = out.reshape(-1)
    feature_sums(_matrix(x), sums)
    _keep(sums, out)


def sum_row_products(x: Array, y: Array, products: Array, out: Array) -> None:
    """Set out to the sum of the rows of x ∘ y.

    Args:
        x: shape (rows, ...).
        y: of the same shape.
        products: of the same shape, contiguous; a buffer for the products.
        out: shape of a row.
    """
    sums = out.reshape(-1)
    feature_sums_of_products(_matrix(x), _matrix(y), _matrix(products), sums)
    _keep(sums, out)


def scale_rows(x: Array, scale: Array, out: Array) -> Array:
    """Set out to x ∘ scale, and return it.

    Args:
        x: shape (rows, ...).
        scale: shape of a row.
        out: of the same shape as x, contiguous; may be x itself.
    """
    scale_features(_matrix(x), scale.reshape(-1), _matrix(out))
    return out


def scale_and_shift_rows(x: Array, scale: Array, shift: Array, out: Array) -> Array:
    """Set out to x ∘ scale + shift, and return it.

    Args:
        x: shape (rows, ...).
        scale: shape of a row.
        shift: of a shape that broadcasts to the shape of a row.
        out: of the same shape as x, contiguous; may be x itself.
    """
    shift = np.broadcast_to(shift, scale.shape)
    scale_and_shift_features(_matrix(x), scale.reshape(-1), shift.reshape(-1), _matrix(out))
    return out


def _matrix(x: Array) -> Array:
    return x if x.ndim == 2 else x.reshape(len(x), prod(x.shape[1:]))


def _keep(sums: Array, out: Array) -> None:
    """Write the sums to out if it isn't contiguous, so that ``sums`` is a copy."""
    if not out.flags.c_contiguous:
        out[...] = sums.reshape(out.shape)
