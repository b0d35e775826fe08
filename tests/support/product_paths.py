"""Products that take every path through the kernels, in arrays with no memory behind them."""

from __future__ import annotations

from itertools import product

import numpy as np
from guarded_memory import between_rows, guarded
from matrix_products import kernel_threads, summed_by_blocks, twelve_bits

from mlpkit_plugins import kernels

LANES = 16


def factors(generator, rest):
    """Yield factors whose rows and columns leave that rest when they're cut into tiles and vectors."""

    def pair(rows, inner, columns):
        return twelve_bits(generator, rows, inner), twelve_bits(generator, inner, columns)

    yield pair(rest, 33, rest)
    yield pair(14 + rest, 260, 32 + rest)  # two blocks
    yield pair(64 + rest, 40, 64 + rest)  # many tiles, several panels
    yield pair(20 + rest, 200, 64 + rest)  # more of B than fits into the cache
    for rows, inner, columns in [
        (40 + rest, 150, 80 + rest),
        (64 + rest, 300, 64 + rest),
        (100 + rest, 250, 20 + rest),
    ]:
        a, b = pair(rows, inner, columns)
        yield np.where(generator.random(a.shape) < 0.8, np.float32(0), a), b  # low tiles skip steps
    a, b = pair(80 + rest, 256, 30 + rest)
    a[LANES:-LANES] = 0  # the first and the last tiles skip none
    yield a, b


def check(a, b, row, gap):
    """Compare products with sums in the documented order, for factors by rows and by columns."""
    expected = summed_by_blocks(a, b)
    of_a, of_b = ([guarded(x, gap), guarded(x.T, gap).T] for x in (a, b))
    for left, right in product(of_a, of_b):
        y = guarded(np.full_like(expected, np.nan), gap)
        np.testing.assert_array_equal(kernels.product(left, right, y), expected)
        np.testing.assert_array_equal(kernels.product_plus_row(left, right, row, y), expected + row)
        assert np.isnan(between_rows(y, gap)).all()


def check_all():
    """Check products of every path."""
    generator = np.random.default_rng(0)
    with kernel_threads(1):
        for rest in range(1, LANES + 1):
            for a, b in factors(generator, rest):
                check(a, b, guarded(twelve_bits(generator, b.shape[1])), gap=rest % 3)
