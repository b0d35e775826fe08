"""The inverse of the standard normal distribution."""

from __future__ import annotations

from typing import Final

import numpy as np

from mlpkit import Array

CENTER: Final = 0.425
"""The distance from 1/2 up to which the first quotient is used, beyond it the second."""

FIRST: Final = (
    (
        3.3871328727963666080,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
"""Coefficients of the quotient of two polynomials in 0.425² - (p - 1/2)², lowest power first."""

SECOND: Final = (
    (
        1.42343711074968357734,
        4.63033784615654529590,
        5.76949722146069140550,
        3.64784832476320460504,
        1.27045825245236838258,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187,
        1.67638483018380384940,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
"""Coefficients of the quotient of two polynomials in √(-log min(p, 1 - p)) - 1.6, lowest power first."""

SECOND_BEGINS: Final = 1.6


def normal_quantile(p: Array) -> Array:
    """Return z with Φ(z) = p, element by element, in float64.

    Args:
        p: shares from 1e-10 to 1 - 1e-10, of any shape.

    Source: Wichura, Algorithm AS 241: The Percentage Points of the Normal Distribution (1988), PPND16.
    """
    q = p - 0.5
    r = CENTER * CENTER - q * q
    tail = np.sqrt(-np.log(np.minimum(p, 1 - p))) - SECOND_BEGINS
    central = q * _quotient(FIRST, np.maximum(r, 0))
    z: Array = np.where(np.abs(q) <= CENTER, central, np.sign(q) * _quotient(SECOND, tail))
    return z


def _quotient(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    numerator, denominator = (np.polynomial.polynomial.polyval(x, each) for each in coefficients)
    quotient: Array = numerator / denominator
    return quotient
