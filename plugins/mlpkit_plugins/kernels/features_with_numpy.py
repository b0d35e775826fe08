"""The kernels that treat each feature, or each row, in its own way, in NumPy.

Arrays have the shape of ``x`` or ``dy``, (rows, features, ...), and factors and addends one that broadcasts to a row.
Each kernel sets its last arguments, and returns ``out``, which may be dy itself in gradients, and x itself in
``scale_features`` and ``scale_and_shift_features``.
"""

from __future__ import annotations

import numpy as np

from mlpkit import Array


def prelu(x: Array, slope: Array, out: Array) -> Array:
    """Set out to slope x where x < 0, else to x."""
    np.multiply(x, slope, out=out)
    np.copyto(out, x, where=~(x < 0))
    return out


def prelu_gradient(dy: Array, x: Array, slope: Array, products: Array, out: Array) -> Array:
    """Set products to dy min(x, 0), summands of the gradient of slope, and out to dy where x > 0, else to dy slope."""
    np.multiply(dy, np.minimum(x, 0), out=products)
    return np.multiply(dy, np.where(x > 0, x.dtype.type(1), slope), out=out)


def lerp(x: Array, end: Array, weight: Array, out: Array) -> Array:
    """Set out to x + weight (end - x), the linear interpolation from x to end."""
    np.subtract(end, x, out=out)
    np.multiply(out, weight, out=out)
    return np.add(x, out, out=out)


def lerp_gradient(dy: Array, x: Array, end: Array, slope: Array, weight: Array, products: Array, out: Array) -> Array:
    """Set products to dy (end - x), the summands of the gradient of weight, and out to dy (1 + weight (slope - 1)).

    Here end is a function of x, and slope its derivative, both of the shape of x.
    """
    np.multiply(dy, end - x, out=products)
    np.multiply(dy, (slope - 1) * weight + 1, out=out)
    return out


def scale_features(x: Array, scale: Array, out: Array) -> Array:
    """Set out to scale x."""
    return np.multiply(x, scale, out=out)


def scale_and_shift_features(x: Array, scale: Array, shift: Array, out: Array) -> Array:
    """Set out to scale x + shift."""
    np.multiply(x, scale, out=out)
    return np.add(out, shift, out=out)


def feature_sums(x: Array, out: Array) -> Array:
    """Set out to the sum of each feature, shape (features,)."""
    return np.sum(x, axis=(0, *range(2, x.ndim)), out=out)


def feature_sums_of_products(x: Array, y: Array, products: Array, out: Array) -> Array:
    """Set out to the sum of x y of each feature, shape (features,); products is a buffer."""
    return feature_sums(np.multiply(x, y, out=products), out)


def feature_sums_of_squares(x: Array, mean: Array, squares: Array, out: Array) -> Array:
    """Set out to the sum of (x - mean)² of each feature, shape (features,), like mean; squares is a buffer."""
    np.subtract(x, mean.reshape(-1, *(1,) * (x.ndim - 2)), out=squares)
    return feature_sums(np.square(squares, out=squares), out)


def normalize(x: Array, mean: Array, scale: Array, gamma: Array, beta: Array, normalized: Array, out: Array) -> Array:
    """Set normalized to (x - mean) scale, and out to gamma normalized + beta."""
    np.subtract(x, mean, out=normalized)
    np.multiply(normalized, scale, out=normalized)
    np.multiply(normalized, gamma, out=out)
    return np.add(out, beta, out=out)


def normalize_gradient(dy: Array, normalized: Array, mean: Array, along: Array, factor: Array, out: Array) -> Array:
    """Set out to factor (dy - mean - along normalized), with the means of dy and of dy normalized."""
    product = normalized * along
    np.subtract(dy, mean, out=out)
    np.subtract(out, product, out=out)
    return np.multiply(out, factor, out=out)


def normalize_rows(
    x: Array, gamma: Array, beta: Array, epsilon: float, normalized: Array, scale: Array, out: Array
) -> Array:
    """Set normalized to (x - mean) scale, with mean and variance of each row, and out to gamma normalized + beta.

    scale = 1 / √(variance + epsilon),  an output of shape (rows, 1, ...)
    """
    axes = tuple(range(1, x.ndim))
    np.subtract(x, np.mean(x, axis=axes, keepdims=True), out=normalized)
    variance = np.mean(np.square(normalized, out=out), axis=axes, keepdims=True)
    np.divide(1, np.sqrt(variance + epsilon), out=scale)
    np.multiply(normalized, scale, out=normalized)
    np.multiply(normalized, gamma, out=out)
    return np.add(out, beta, out=out)


def normalize_rows_gradient(
    dy: Array, normalized: Array, scale: Array, gamma: Array, products: Array, out: Array
) -> Array:
    """Set products to dy normalized, the summands of the gradient of gamma, and out to the gradient of x.

    dx = scale (g - mean(g) - normalized mean(g normalized)),  g = gamma dy,  with means of each row
    """
    axes = tuple(range(1, dy.ndim))
    np.multiply(dy, normalized, out=products)
    along = np.mean(products * gamma, axis=axes, keepdims=True)
    np.multiply(dy, gamma, out=out)
    np.subtract(out, np.mean(out, axis=axes, keepdims=True), out=out)
    np.subtract(out, normalized * along, out=out)
    return np.multiply(out, scale, out=out)
