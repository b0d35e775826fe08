"""The standard normal distribution."""

from __future__ import annotations

from math import pi, sqrt
from typing import Final

import numpy as np

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

    Args:
        x: of any shape.

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
    np.add(total, coefficients[0], out=total)
    return total
