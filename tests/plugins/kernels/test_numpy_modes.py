"""Where NumPy's products round to bfloat16: between the two calls, in that thread, and not in row order."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest

from mlpkit_plugins.kernels import with_numpy as kernels

THIRD, ROUNDED = np.float32(1 / 3), np.float32(0.333984375)
"""A number, and the nearest of those with eight significant bits."""


def found(dtype=np.float32):
    """Return the product of a third and 1, without and with a row of zeros."""
    a, b, out = np.full((1, 1), THIRD, dtype), np.ones((1, 1), dtype), np.empty((1, 1), dtype)
    alone = kernels.product(a, b, out).item()
    assert kernels.product_plus_row(a, b, np.zeros(1, dtype), out).item() == alone
    return alone


@pytest.fixture(autouse=True)
def as_before():
    """Make sure that a test leaves no mode behind."""
    before = vars(kernels._MODE).copy()
    yield
    vars(kernels._MODE).update({"bfloat16": 0, "row_order": 0, **before})


def test_calls_are_counted_and_row_order_wins():
    steps = [
        (None, THIRD),
        (kernels.begin_bfloat16, ROUNDED),
        (kernels.begin_bfloat16, ROUNDED),
        (kernels.end_bfloat16, ROUNDED),
        (kernels.begin_row_order, THIRD),
        (kernels.begin_row_order, THIRD),
        (kernels.end_row_order, THIRD),
        (kernels.end_row_order, ROUNDED),
        (kernels.end_bfloat16, THIRD),
        (kernels.begin_row_order, THIRD),
        (kernels.begin_bfloat16, THIRD),
        (kernels.end_row_order, ROUNDED),
        (kernels.end_bfloat16, THIRD),
    ]
    for change, expected in steps:
        if change is not None:
            change()
        assert found() == expected


def test_float64_vectors_and_other_threads_are_not_rounded():
    kernels.begin_bfloat16()
    assert found() == ROUNDED
    assert found(np.float64) == THIRD
    assert kernels.product(np.full(1, THIRD), np.ones((1, 1), np.float32), np.empty(1, np.float32))[0] == THIRD
    elsewhere = []
    thread = Thread(target=lambda: elsewhere.append(found()))
    thread.start()
    thread.join()
    assert elsewhere == [THIRD]


def test_both_factors_are_rounded():
    kernels.begin_bfloat16()
    one, third = np.ones((1, 1), np.float32), np.full((1, 1), THIRD)
    for factors in ((one, third), (third, one)):
        assert kernels.product(*factors, np.empty((1, 1), np.float32)).item() == ROUNDED
    assert kernels.product(third, third, np.empty((1, 1), np.float32)).item() == ROUNDED * ROUNDED
