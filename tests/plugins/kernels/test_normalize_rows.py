"""Kernels of layer normalization: NumPy's bits in float64; in float32 close to them, and alike wherever a row lies."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_layouts import arrays, outputs, twin
from requirements import require_module

from mlpkit.network.subnormals import flushed_subnormals
from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")

NAMES = ["normalize_rows", "normalize_rows_gradient"]
EPSILON = 1e-5


@st.composite
def calls(draw, name, dtype, special=()):
    """Draw the arguments of a kernel, and which of them are outputs."""
    shape = draw(st.integers(1, 60)), *draw(st.sampled_from([(2,), (33,), (300,), (2, 3, 7)]))
    x = draw(arrays(shape, dtype, special=special))
    of_rows = shape[0], *(1,) * (len(shape) - 1)
    if name == "normalize_rows":
        gamma, beta = (draw(arrays(shape[1:], dtype, special=special)) for _ in range(2))
        made = [draw(outputs(each, dtype)) for each in (shape, of_rows, shape)]
        return [x, gamma, beta, EPSILON, *made], [4, 5, 6]
    normalized, gamma = draw(arrays(shape, dtype, special=special)), draw(arrays(shape[1:], dtype, special=special))
    scale = draw(arrays(of_rows, dtype, special=special))
    out = x if draw(st.booleans()) else draw(outputs(shape, dtype))
    return [x, normalized, scale, gamma, draw(outputs(shape, dtype)), out], [4, 5]


def twins(arguments):
    made = {id(each): twin(each) for each in arguments if isinstance(each, np.ndarray)}
    return [made.get(id(each), each) for each in arguments]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_float64_is_numpys(name, data):
    arguments, written = data.draw(calls(name, np.float64, special=[0.0, np.inf, np.nan]))
    others = twins(arguments)
    with np.errstate(all="ignore"):
        assert getattr(compiled, name)(*arguments) is arguments[-1]
        getattr(with_numpy, name)(*others)
    for i in written:
        np.testing.assert_array_equal(arguments[i], others[i])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_float32_is_close_to_numpy_in_float64_and_a_row_has_its_bits_anywhere(name, data):
    arguments, written = data.draw(calls(name, np.float32))
    wide = [np.array(each, np.float64) if isinstance(each, np.ndarray) else each for each in arguments]
    alone = [np.array(each, np.float32) if isinstance(each, np.ndarray) else each for each in arguments]
    rows = len(alone[0])
    alone = [
        each[-1:] if isinstance(each, np.ndarray) and len(each) == rows and each.ndim == alone[0].ndim else each
        for each in alone
    ]
    with data.draw(st.sampled_from([flushed_subnormals, nullcontext]))():
        assert getattr(compiled, name)(*arguments) is arguments[-1]
        getattr(compiled, name)(*alone)
    getattr(with_numpy, name)(*wide)
    for i in written:
        np.testing.assert_allclose(arguments[i], wide[i], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(arguments[i][-1:], alone[i])


def test_many_rows_have_the_same_bits_as_few():
    x = np.random.default_rng(0).normal(size=(700, 64)).astype(np.float32)
    gamma, beta = x[:2]

    def normalized(some):
        made = [np.empty(shape, np.float32) for shape in (some.shape, (len(some), 1), some.shape)]
        return compiled.normalize_rows(some, gamma, beta, EPSILON, *made)

    np.testing.assert_array_equal(normalized(x), np.concatenate([normalized(row[np.newaxis]) for row in x]))


@pytest.mark.parametrize("name", NAMES)
def test_a_row_that_is_no_number_is_its_own_trouble(name):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    x[1, 2] = np.nan
    gamma, beta, scale = np.ones(4, np.float32), np.zeros(4, np.float32), np.ones((3, 1), np.float32)
    normalized, out = np.ones_like(x), np.empty_like(x)
    arguments = {
        "normalize_rows": (x, gamma, beta, EPSILON, normalized, scale, out),
        "normalize_rows_gradient": (x, normalized, scale, gamma, np.empty_like(x), out),
    }[name]
    getattr(compiled, name)(*arguments)
    assert np.isnan(out).all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_wrong_arguments_are_an_error_and_no_crash(name, library):
    flat, square = np.zeros(4, np.float32), np.zeros((4, 4), np.float32)
    fixed = square.copy()
    fixed.flags.writeable = False
    for arguments in [
        (),
        (None,) * 7,
        ("x",) * 6,
        (square, flat[:3], flat, EPSILON, square, flat, square),
        (square, square, flat, square[:3], square, square),
        (square, flat, flat, EPSILON, square.copy(), np.zeros((4, 1), np.float32), fixed),
        (square, square.copy(), np.zeros((4, 1), np.float32), flat, square.copy(), fixed),
    ]:
        if len(arguments) != {"normalize_rows": 7, "normalize_rows_gradient": 6}[name] and library is with_numpy:
            continue
        with pytest.raises((TypeError, ValueError, AttributeError, IndexError)):
            getattr(library, name)(*arguments)


def test_outputs_that_overlap_inputs_get_what_numpy_gives():
    memory = np.random.default_rng(0).normal(size=60).astype(np.float32)
    found = []
    for library in (compiled, with_numpy):
        room = memory.copy()
        x, out = room[:20].reshape(5, 4), room[10:30].reshape(5, 4)
        gamma, beta = room[40:44], room[44:48]
        library.normalize_rows(x, gamma, beta, EPSILON, np.empty_like(x), np.empty((5, 1), np.float32), out)
        found.append(room)
    np.testing.assert_array_equal(*found)
