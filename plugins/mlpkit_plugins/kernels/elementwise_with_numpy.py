"""The kernels that compute each element by itself, in NumPy.

All arrays of a call have the same shape, and each kernel sets ``out`` and returns it. In gradients, ``dy`` may also be
a number. ``out`` may be the first argument in gradients, ``rectify``, ``keep_where_positive``, ``exp``, ``cos``,
``sin``, ``tanh``, ``drop`` and ``scale_elements``.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array

NUMERATOR: Final = (
    0.50000000000000794,
    0.74424084079454634,
    0.54417413841154248,
    0.24991779649510952,
    0.078178021825310739,
    0.017025655103716514,
    0.0025300308539815575,
    0.00023688713027576967,
    0.000010933904976653685,
)
DENOMINATOR: Final = (
    1.0,
    2.2863662423944408,
    2.4126046019078799,
    1.5475939558589149,
    0.66794050501748623,
    0.20225027031576818,
    0.043270776488481741,
    0.006369254109374914,
    0.00059378797864630242,
    0.000027407235366608295,
)
"""Coefficients of the quotient of polynomials in z, lowest power first, that approximates Φ(-z) exp(z²/2) for z >= 0.

Its relative error is at most 2e-14 for any z; all coefficients are positive, so that nothing cancels.
"""

NOTHING_BEYOND: Final = 40.0
"""A z from which Φ(-z) is 0 in float64; its powers in the polynomials are still finite in float32."""


def standard_normal(x: Array) -> tuple[Array, Array]:
    """Return Φ(x) and φ(x), element by element.

        φ(x)  = exp(-x²/2) / √(2π)
        Φ(-z) = exp(-z²/2) P(z) / Q(z),  Φ(z) = 1 - Φ(-z)  for z = |x|

    Φ keeps its digits for large negative x, where 1 + erf(x / √2) would lose them.

    Source: Hart et al., Computer Approximations (1968), section 6.7, for the form; the coefficients are a fit in 60
        digits.
    """
    z = np.abs(x)
    np.minimum(z, NOTHING_BEYOND, out=z)
    distribution = _polynomial(NUMERATOR, z)
    density = _polynomial(DENOMINATOR, z)
    np.divide(distribution, density, out=distribution)
    np.square(z, out=density)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    np.multiply(distribution, density, out=distribution)
    np.subtract(1, distribution, out=distribution, where=x > 0)
    np.multiply(density, 1 / sqrt(2 * pi), out=density)
    return distribution, density


def _polynomial(coefficients: tuple[float, ...], z: Array) -> Array:
    """Return Σ coefficients[k] zᵏ, by Horner's rule."""
    total = z * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        np.add(total, coefficient, out=total)
        np.multiply(total, z, out=total)
    return np.add(total, coefficients[0], out=total)


CHANCES = 65536
"""The number of 16-bit random integers."""

SELU_ALPHA = 1.6732632423543772848
SELU_SCALE = 1.0507009873554804934
"""With these constants, SELU keeps mean 0 and variance 1 from layer to layer."""

MISH_IS_X = 25.0
"""The x from which mish(x) = x in all digits; the powers of exp(x) are still finite in float32."""


def rectify(x: Array, out: Array) -> Array:
    """Set out to max(x, 0)."""
    return np.maximum(x, 0, out=out)


def keep_where_positive(dy: Array, y: Array, out: Array) -> Array:
    """Set out to dy where y is positive, else to 0."""
    return np.multiply(dy, y > 0, out=out)


exp, cos, sin, tanh = np.exp, np.cos, np.sin, np.tanh


def sigmoid(x: Array, out: Array) -> Array:
    """Set out to σ(x).

        σ(x) = 1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|))

    The second form never overflows, and is exact to rounding for large negative x too.
    """
    denominator = np.abs(x)
    np.negative(denominator, out=denominator)
    np.exp(denominator, out=denominator)
    np.add(denominator, 1, out=denominator)
    np.minimum(x, 0, out=out)
    np.exp(out, out=out)
    return np.divide(out, denominator, out=out)


def softplus(x: Array, out: Array) -> Array:
    """Set out to log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).

    The second form never overflows, and keeps its digits for large negative x.
    """
    np.abs(x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    return np.add(np.maximum(x, 0), out, out=out)


def gelu(x: Array, out: Array) -> Array:
    """Set out to x Φ(x), with the standard normal distribution function Φ."""
    return np.multiply(x, standard_normal(x)[0], out=out)


def silu(x: Array, out: Array) -> Array:
    """Set out to x σ(x)."""
    return np.multiply(x, sigmoid(x, out), out=out)


def mish(x: Array, out: Array) -> Array:
    """Set out to x tanh(log(1 + exp(x))).

        tanh(log(1 + e)) = n / (n + 2),  n = e (e + 2)

    For x of 25 or more, the quotient is 1 in all digits.
    """
    e = np.exp(np.minimum(x, MISH_IS_X))
    n = e * (e + 2)
    np.multiply(x, n / (n + 2), out=out)
    return out


def elu(x: Array, alpha: float, out: Array) -> Array:
    """Set out to max(x, 0) + alpha (exp(min(x, 0)) - 1)."""
    np.minimum(x, 0, out=out)
    np.expm1(out, out=out)  # exp(x) - 1 would lose digits for small x
    np.multiply(out, alpha, out=out)
    return np.add(np.maximum(x, 0), out, out=out)


def selu(x: Array, out: Array) -> Array:
    """Set out to SELU_SCALE elu(x) with alpha = SELU_ALPHA."""
    return np.multiply(elu(x, SELU_ALPHA, out), SELU_SCALE, out=out)


def leaky_relu(x: Array, slope: float, out: Array) -> Array:
    """Set out to max(x, slope x), for a slope of at most 1."""
    np.multiply(x, slope, out=out)
    return np.maximum(x, out, out=out)


def sigmoid_gradient(dy: Array | float, y: Array, out: Array) -> Array:
    """Set out to dy y (1 - y), where y is the output of sigmoid."""
    slope = 1 - y
    np.multiply(slope, y, out=slope)
    np.multiply(dy, slope, out=out)
    return out


def tanh_gradient(dy: Array | float, y: Array, out: Array) -> Array:
    """Set out to dy (1 - y²), where y is the output of tanh."""
    slope = np.square(y)
    np.subtract(1, slope, out=slope)
    return np.multiply(dy, slope, out=out)


def softplus_gradient(dy: Array | float, x: Array, out: Array) -> Array:
    """Set out to dy σ(x)."""
    return np.multiply(dy, sigmoid(x, np.empty_like(x)), out=out)


def gelu_gradient(dy: Array | float, x: Array, out: Array) -> Array:
    """Set out to dy (Φ(x) + x φ(x))."""
    distribution, density = standard_normal(x)
    np.multiply(x, density, out=density)
    return np.multiply(dy, np.add(density, distribution, out=density), out=out)


def silu_gradient(dy: Array | float, x: Array, out: Array) -> Array:
    """Set out to dy σ(x) (1 + x (1 - σ(x)))."""
    s = sigmoid(x, np.empty_like(x))
    np.multiply(dy, ((1 - s) * x + 1) * s, out=out)
    return out


def mish_gradient(dy: Array | float, x: Array, out: Array) -> Array:
    """Set out to dy (n + 4 x e (1 + e) r) r.

    e = exp(x),  n = e (e + 2),  r = 1 / (n + 2)
    """
    bounded = np.minimum(x, MISH_IS_X)
    e = np.exp(bounded)
    n = e * (e + 2)
    r = 1 / (n + 2)
    np.multiply(dy, (4 * e * (e + 1) * r * bounded + n) * r, out=out)
    return out


def elu_gradient(dy: Array | float, x: Array, alpha: float, out: Array) -> Array:
    """Set out to dy where x > 0, else to dy alpha exp(x)."""
    slope = np.minimum(x, 0)
    np.multiply(np.exp(slope, out=slope), alpha, out=slope)
    np.copyto(slope, 1, where=x > 0)
    return np.multiply(dy, slope, out=out)


def selu_gradient(dy: Array | float, x: Array, out: Array) -> Array:
    """Set out to SELU_SCALE times the gradient of elu with alpha = SELU_ALPHA."""
    slope = elu_gradient(1.0, x, SELU_ALPHA, np.empty_like(x))
    return np.multiply(dy, np.multiply(slope, SELU_SCALE, out=slope), out=out)


def leaky_relu_gradient(dy: Array | float, x: Array, slope: float, out: Array) -> Array:
    """Set out to dy where x > 0, else to dy slope."""
    np.multiply(dy, np.where(x > 0, x.dtype.type(1), x.dtype.type(slope)), out=out)
    return out


def drop(x: Array, chance: NDArray[np.uint16], rate: float, out: Array) -> Array:
    """Set out to x / (1 - rate) where chance, 16 random bits, >= 65,536 rate, rounded; else to 0."""
    np.multiply(x, (chance >= round(CHANCES * rate)) * x.dtype.type(1 / (1 - rate)), out=out)
    return out


def scale_elements(x: Array, factor: float, out: Array) -> Array:
    """Set out to factor x."""
    return np.multiply(x, factor, out=out)
