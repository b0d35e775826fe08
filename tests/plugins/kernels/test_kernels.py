"""Compiled kernels give the bits that NumPy gives, whatever the arrays look like; of products see test_product.py."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit_plugins.kernels import with_numpy

compiled = pytest.importorskip("mlpkit_plugins.kernels.compiled", reason="there was no compiler", exc_type=ImportError)

NAMES = [
    "product",
    "product_plus_row",
    "rectify",
    "keep_where_positive",
    "shift_transposed",
    "pick_labels",
    "normalize_columns",
    "cross_entropy_gradient",
    "descend",
    "descend_adaptively",
    "flush_subnormal",
    "take_scaled",
]
LAYOUTS = ["contiguous", "padded", "reversed", "fortran"]


def laid_out(array, layout):
    """Return a copy of an array whose elements lie in memory in some way."""
    if layout == "contiguous" or array.ndim != 2:
        return array.copy()
    rows, columns = array.shape
    room = {
        "padded": np.empty((rows, columns + 3), array.dtype)[:, :columns],
        "reversed": np.empty((rows, columns), array.dtype)[::-1],
        "fortran": np.empty((columns, rows), array.dtype).T,
    }[layout]
    room[...] = array
    return room


def twin(array):
    """Return a copy of an array that lies in memory in the same way: BLAS adds in an order that depends on it."""
    memory = array if array.base is None else array.base
    offset = array.ctypes.data - memory.ctypes.data
    return np.ndarray(array.shape, array.dtype, memory.copy(order="K"), offset, array.strides)


@st.composite
def calls(draw, name):
    """Draw the arguments of a kernel."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    rows, columns = draw(st.integers(1, 300)), draw(st.integers(1, 70))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    special = draw(st.lists(st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -3.0]), max_size=4))

    def floats(*shape):
        array = generator.standard_normal(shape).astype(dtype)
        array.flat[generator.integers(array.size, size=len(special))] = special
        return laid_out(array, draw(st.sampled_from(LAYOUTS)))

    def empty(*shape):
        return laid_out(np.zeros(shape, dtype), draw(st.sampled_from(LAYOUTS)))

    labels = generator.integers(columns, size=rows).astype(draw(st.sampled_from([np.int64, np.int32, np.uint8])))
    x = floats(rows, columns)
    match name:
        case "product" | "product_plus_row":
            dtype = np.float64
            inner = draw(st.integers(1, 70))
            row = (floats(columns),) if name == "product_plus_row" else ()
            if draw(st.booleans()):
                return floats(inner), floats(inner, columns), *row, empty(columns)
            return floats(rows, inner), floats(inner, columns), *row, empty(rows, columns)
        case "rectify":
            return x, x if draw(st.booleans()) else empty(rows, columns)
        case "keep_where_positive":
            return x, floats(rows, columns), x if draw(st.booleans()) else empty(rows, columns)
        case "shift_transposed":
            return x, empty(columns, rows)
        case "pick_labels":
            return floats(columns, rows), labels, empty(rows)
        case "normalize_columns":
            return np.abs(floats(columns, rows)), empty(rows)
        case "cross_entropy_gradient":
            return floats(columns, rows), labels, draw(st.floats(0, 2)), empty(rows, columns)
        case "descend":
            return floats(rows), floats(rows), draw(st.floats(0, 2))
        case "descend_adaptively":
            return floats(rows), floats(rows), floats(rows), np.abs(floats(rows)), 0.9, 0.999, 0.1, 0.001, 1e-8, 0.01
        case "flush_subnormal":
            return (x * dtype(draw(st.sampled_from([1, np.finfo(dtype).smallest_normal]))),)
        case "take_scaled":
            examples = generator.integers(256, size=(columns, 7, 3)).astype(np.uint8)
            return examples, labels, draw(st.sampled_from([1.0, 1 / 255])), np.empty((rows, 7, 3), dtype)
    raise AssertionError(name)


SCRATCH = {"descend": {1}, "descend_adaptively": {1}, "cross_entropy_gradient": {0}}
"""Arguments of undefined content after the call."""


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_compiled_kernel_gives_the_bits_of_numpy(name, data):
    arguments = data.draw(calls(name))
    twins = {id(argument): twin(argument) for argument in arguments if isinstance(argument, np.ndarray)}
    others = [twins.get(id(argument), argument) for argument in arguments]
    with np.errstate(all="ignore"):
        result = getattr(compiled, name)(*arguments)
        expected = getattr(with_numpy, name)(*others)
    if expected is not None:
        assert any(result is argument for argument in arguments)
    for i, (ours, theirs) in enumerate(zip(arguments, others, strict=True)):
        if isinstance(ours, np.ndarray) and i not in SCRATCH.get(name, ()):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_an_error(library, label):
    with pytest.raises(IndexError):
        library.pick_labels(np.zeros((3, 2)), np.array([0, label]), np.zeros(2))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_a_position_outside_is_an_error(library):
    with pytest.raises(IndexError):
        library.take_scaled(np.zeros((3, 2), np.uint8), np.array([0, 3]), 1.0, np.zeros((2, 2)))


@settings(max_examples=60, deadline=None)
@given(shift=st.integers(-20, 20), length=st.integers(1, 80))
def test_an_output_that_overlaps_an_input_gets_what_numpy_gives(shift, length):
    memory = np.arange(120.0)
    x, out = memory[20 : 20 + length], memory[20 + shift : 20 + shift + length]
    expected = np.maximum(x - 40, 0)
    memory -= 40
    compiled.rectify(x, out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_arguments_are_an_error_and_no_crash(name):
    for arguments in [(), (None,) * 3, ("x",), (np.zeros((2, 2)), "x", 1.0), (np.zeros(3), np.zeros(4), 1.0)]:
        with pytest.raises((TypeError, ValueError, AttributeError, IndexError)):
            getattr(compiled, name)(*arguments)


def test_read_only_outputs_stay_as_they_are():
    out = np.zeros(4)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        compiled.rectify(np.ones(4), out)
    assert not out.any()


@pytest.mark.parametrize(("value", "expected"), [("numpy", "False"), ("", "True")])
def test_an_environment_variable_leaves_compiled_kernels_out(value, expected):
    program = "import mlpkit_plugins.kernels as kernels; print(kernels.COMPILED)"
    environment = {**os.environ, "MLPKIT_KERNELS": value}
    output = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == expected
