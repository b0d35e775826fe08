"""Comparing predictions of a row whose bits mlpkit promises where its kernels compute products."""

from __future__ import annotations

import numpy as np

from mlpkit_plugins import kernels


def assert_same_row(predicted, expected):
    """Check that predictions have the same bits; where NumPy computes products, that they are the same to rounding."""
    if kernels.PRODUCTS_BY == "NumPy":  # its BLAS adds up a row and a matrix in different orders
        np.testing.assert_allclose(predicted, expected, rtol=1e-5, atol=1e-7)
    else:
        np.testing.assert_array_equal(predicted, expected)
