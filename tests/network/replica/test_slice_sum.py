"""Cutting a minibatch into slices, and adding what they give in one order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.network.replica import add_along_tree
from mlpkit.network.slices import slice_bounds


@given(st.integers(1, 500), st.integers(1, 40))
def test_slices_are_contiguous_cover_everything_and_differ_by_one_at_most(rows, slices):
    bounds = slice_bounds(rows, slices)
    assert len(bounds) == min(rows, slices)
    assert [i for begin, end in bounds for i in range(begin, end)] == list(range(rows))
    sizes = {end - begin for begin, end in bounds}
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1


def test_slices_never_change():
    assert slice_bounds(10, 4) == [(0, 2), (2, 5), (5, 7), (7, 10)]
    assert slice_bounds(3, 5) == [(0, 1), (1, 2), (2, 3)]


TREES = {
    1: lambda a: a,
    2: lambda a, b: a + b,
    3: lambda a, b, c: (a + b) + c,
    4: lambda a, b, c, d: (a + b) + (c + d),
    5: lambda a, b, c, d, e: ((a + b) + (c + d)) + e,
    6: lambda a, b, c, d, e, f: ((a + b) + (c + d)) + (e + f),
    7: lambda a, b, c, d, e, f, g: ((a + b) + (c + d)) + ((e + f) + g),
    8: lambda a, b, c, d, e, f, g, h: ((a + b) + (c + d)) + ((e + f) + (g + h)),
}


@pytest.mark.parametrize("count", TREES)
def test_arrays_are_added_along_the_tree_into_the_first(count):
    rng = np.random.default_rng(count)
    arrays = [rng.normal(size=2000).astype(np.float32) * 10.0 ** rng.integers(-3, 4) for _ in range(count)]
    expected = TREES[count](*arrays)
    in_a_row = arrays[0].copy()
    for array in arrays[1:]:
        in_a_row = in_a_row + array
    first = arrays[0]
    add_along_tree(arrays)
    assert first.tobytes() == expected.tobytes()
    if count > 3:
        assert first.tobytes() != in_a_row.tobytes()  # so that the order is seen at all
