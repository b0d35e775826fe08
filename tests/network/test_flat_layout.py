"""Where parameters lie in the flat array."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from mlpkit import Fans, Parameter
from mlpkit.network.flat_layout import ALIGNMENT, BLOCK, FlatLayout, blocks

declarations = st.lists(st.tuples(array_shapes(min_dims=0, max_dims=3, max_side=7), st.booleans()), max_size=8)


def parameters(declared):
    return [
        Parameter("W", f"Layer{i}.W", shape, "zeros", Fans(1, 1), decay) for i, (shape, decay) in enumerate(declared)
    ]


@given(declarations, st.sampled_from(["float32", "float64"]))
def test_arrays_lie_apart_aligned_those_that_decay_first(declared, dtype):
    layout = FlatLayout.of_parameters(parameters(declared))
    flat = layout.zeros(np.dtype(dtype))
    assert flat.shape == (layout.size,)
    assert flat.dtype == dtype
    assert not flat.any()
    for i, (shape, _) in enumerate(declared):
        path = f"Layer{i}.W"
        view = layout.view(flat, path)
        assert view.shape == shape
        assert np.shares_memory(view, flat)
        assert view.ctypes.data % (ALIGNMENT * flat.itemsize) == 0
        view += i + 1
    for i, (shape, _) in enumerate(declared):  # no array has been written to by another
        np.testing.assert_array_equal(layout.view(flat, f"Layer{i}.W"), np.full(shape, i + 1))
    assert layout.size % ALIGNMENT == 0
    decays = [layout.factors[path].decay for path in sorted(layout.offsets, key=layout.offsets.get)]
    assert decays == sorted(decays, reverse=True) == sorted((decay for _, decay in declared), reverse=True)


@pytest.mark.parametrize(
    ("shape", "gap"), [((3, 512), 16), ((2, 3, 1024), 16), ((512,), 0), ((512, 3), 0), ((0, 512), 16)]
)
def test_rows_that_would_compete_for_the_cache_lie_apart(shape, gap):
    layout = FlatLayout.of_parameters(parameters([(shape, True), ((2,), True)]))
    flat = layout.zeros(np.dtype(np.float32))
    view = layout.view(flat, "Layer0.W")
    assert view.shape == shape
    assert view.strides[-1] == 4
    if len(shape) > 1:
        assert view.strides[-2] == 4 * (shape[-1] + gap)
    view += 1
    layout.view(flat, "Layer1.W")[...] = 2
    assert flat.sum() == prod(shape) + 4  # the gaps are 0
    begin, end = layout.extent("Layer0.W")
    assert flat[begin:end].sum() == prod(shape)


def test_a_parameter_decays_and_learns_as_any_other_unless_it_says_so():
    assert Parameter("W", "Layer1.W", (2,), "zeros", Fans(1, 1)).factors == (1.0, 1.0)


def test_the_order_within_each_part_is_that_of_declaration():
    layout = FlatLayout.of_parameters(parameters([((2,), False), ((3,), True), ((4,), False), ((5,), True)]))
    assert sorted(layout.offsets, key=layout.offsets.get) == ["Layer1.W", "Layer3.W", "Layer0.W", "Layer2.W"]
    assert layout.size == 4 * ALIGNMENT


def test_parameters_of_one_rate_and_decay_lie_together():
    factors = [(1, 1), (1, 6), (0, 1), (1, 1), (0.5, 1), (0, 0.1), (1, 6)]
    declared = [Parameter("W", str(i), (3,), "zeros", Fans(1, 1), *both) for i, both in enumerate(factors)]
    layout = FlatLayout.of_parameters(declared)
    assert "".join(sorted(layout.offsets, key=layout.offsets.get)) == "0316425"
    assert [(*one,) for *_, one in layout.trained_with(layout.factors)] == [(1, 1), (1, 6), (0.5, 1), (0, 1), (0, 0.1)]
    assert layout.trained() == [(0, layout.size)]


def test_states_lie_in_their_order():
    layout = FlatLayout.of_shapes({"Norm1.mean": (20,), "Norm1.count": ()})
    assert (layout.offsets, layout.size) == ({"Norm1.mean": 0, "Norm1.count": 32}, 48)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float32_and_float64_begin_at_64_bytes(dtype):
    for _ in range(20):
        assert FlatLayout.of_parameters(parameters([((3,), True)])).zeros(np.dtype(dtype)).ctypes.data % 64 == 0


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_follow_each_other_and_only_the_last_is_smaller(size):
    found = blocks(48, 48 + size)
    assert [place for block in found for place in block][1:-1:2] == [begin for begin, _ in found[1:]]
    assert [end - begin for begin, end in found] == [BLOCK] * (size // BLOCK) + [size % BLOCK] * (size % BLOCK > 0)
    assert found == [] or (found[0][0], found[-1][1]) == (48, 48 + size)


def test_what_is_frozen_is_left_out_and_cuts_what_is_trained():
    sizes = (20, 3, BLOCK, 5, 16, 7)
    layout = FlatLayout.of_shapes({str(i): (size,) for i, size in enumerate(sizes)})
    assert list(layout.offsets.values()) == [0, 32, 48, 48 + BLOCK, 64 + BLOCK, 80 + BLOCK]
    layout = layout._replace(frozen=frozenset("13"))
    end = BLOCK + 48
    assert layout.trained() == [(0, 32), (48, end), (end + 16, end + 48)]
    assert layout.trained_blocks() == layout.trained()
    values = dict.fromkeys("012345", "one") | {"5": "other"}
    assert layout.trained_with(values) == [
        (0, 32, "one"),
        (48, end, "one"),
        (end + 16, end + 32, "one"),
        (end + 32, end + 48, "other"),
    ]
    assert layout._replace(frozen=frozenset("012345")).trained() == []
