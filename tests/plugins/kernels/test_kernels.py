"""Compiled kernels give the bits that NumPy gives, whatever the arrays look like; of products see test_product.py."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_layouts import LAYOUTS, arrays, laid_out, outputs, twin
from requirements import require_module

from mlpkit.network.subnormals import flushed_subnormals
from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")

NAMES = [
    "product",
    "product_plus_row",
    "rectify",
    "keep_where_positive",
    "drop",
    "scale_elements",
    "shift_transposed",
    "pick_labels",
    "normalize_columns",
    "softmax",
    "cross_entropy_gradient",
    "descend",
    "descend_adaptively",
    "flush_subnormal",
    "take_scaled",
    "take_rows",
]


@st.composite
def calls(draw, name):
    """Draw the arguments of a kernel."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    rows, columns = draw(st.integers(1, 300)), draw(st.integers(1, 70))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))

    def floats(*shape):
        return draw(arrays(shape, dtype))

    def empty(*shape):
        return draw(outputs(shape, dtype))

    labels = generator.integers(columns, size=rows).astype(draw(st.sampled_from([np.int64, np.int32, np.uint8, ">i8"])))
    match name:
        case "product" | "product_plus_row":
            dtype = np.float64
            inner = draw(st.integers(1, 70))
            row = (floats(columns),) if name == "product_plus_row" else ()
            if draw(st.booleans()):
                return floats(inner), floats(inner, columns), *row, empty(columns)
            return floats(rows, inner), floats(inner, columns), *row, empty(rows, columns)
        case "rectify" | "softmax" | "drop" | "scale_elements":
            x, chances = floats(rows, columns), generator.integers(65536, size=(rows, columns)).astype(np.uint16)
            chances = laid_out(chances, draw(st.sampled_from(LAYOUTS)))
            rate = draw(st.sampled_from([0.0, 1e-6, 0.15, 0.5, 1 - 1e-9]))
            more = {"drop": (chances, rate), "scale_elements": (draw(st.floats(-2, 2)),)}.get(name, ())
            return x, *more, x if draw(st.booleans()) else empty(rows, columns)
        case "keep_where_positive":
            dy = floats(rows, columns)
            return dy, floats(rows, columns), dy if draw(st.booleans()) else empty(rows, columns)
        case "shift_transposed":
            return floats(rows, columns), empty(columns, rows)
        case "pick_labels":
            return floats(columns, rows), labels, empty(rows)
        case "normalize_columns":
            p = floats(columns, rows)
            return np.abs(p, out=p), empty(rows)
        case "cross_entropy_gradient":
            return floats(columns, rows), labels, draw(st.floats(0, 2)), empty(rows, columns)
        case "descend":
            return floats(rows), floats(rows), draw(st.floats(0, 2))
        case "descend_adaptively":
            v, kept, epsilon = floats(rows), draw(st.sampled_from([1.0, 0.99])), draw(st.sampled_from([1e-8, 0.0]))
            np.abs(v, out=v)
            return floats(rows), floats(rows), floats(rows), v, 0.9, 0.999, 0.1, 0.001, epsilon, 0.01, kept
        case "flush_subnormal":
            x = floats(rows, columns)
            return (np.multiply(x, draw(st.sampled_from([1, np.finfo(dtype).smallest_normal])), out=x),)
        case "take_scaled" | "take_rows":
            scale = (draw(st.sampled_from([1.0, 1 / 255])),) if name == "take_scaled" else ()
            examples = generator.integers(256, size=(columns, 7, 3)).astype(np.uint8 if scale else dtype)
            return examples, labels, *scale, empty(rows, 7, 3)
    raise AssertionError(name)


SCRATCH = {"descend": {1}, "descend_adaptively": {1}}
"""Arguments of undefined content after the call."""


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_compiled_kernel_gives_the_bits_of_numpy(name, data):
    arguments = data.draw(calls(name))
    twins = {id(argument): twin(argument) for argument in arguments if isinstance(argument, np.ndarray)}
    others = [twins.get(id(argument), argument) for argument in arguments]
    with np.errstate(all="ignore"), data.draw(st.sampled_from([flushed_subnormals, nullcontext]))():
        result = getattr(compiled, name)(*arguments)
        expected = getattr(with_numpy, name)(*others)
    if expected is not None:
        assert any(result is argument for argument in arguments)
    for i, (ours, theirs) in enumerate(zip(arguments, others, strict=True)):
        if isinstance(ours, np.ndarray) and i not in SCRATCH.get(name, ()):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_whose_square_vanishes_moves_a_value_by_less_than_the_learning_rate(library, dtype):
    gradient = np.array([0.9, 0.1, 0.0], dtype) * np.sqrt(np.finfo(dtype).smallest_normal / dtype(0.001))
    value, m, v = np.zeros((3, 3), dtype)
    library.descend_adaptively(value, gradient, m, v, 0.9, 0.999, 0.1, 0.001, 0.0, 0.01, 1.0)
    np.testing.assert_allclose(value, [-0.009, -0.001, 0], rtol=1e-4)
    assert not v.any()


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_smallest_normal_numbers_are_kept(library, dtype):
    smallest = np.finfo(dtype).smallest_normal
    below = np.nextafter(smallest, dtype(0))
    x = np.array([smallest, -smallest, below, -below])
    library.flush_subnormal(x)
    np.testing.assert_array_equal(x, [smallest, -smallest, 0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_negative_zero_becomes_positive(dtype):
    x = np.full(40, -0.0, dtype)
    assert not np.signbit(compiled.rectify(x, np.empty_like(x))).any()


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zero_times_an_infinite_slope_is_zero(library, dtype):
    x = np.zeros((2, 9), dtype)
    with np.errstate(invalid="ignore"):
        y = library.prelu(x, np.full(9, np.inf, dtype), np.empty_like(x))
    np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_an_error(library, label):
    with pytest.raises(IndexError):
        library.pick_labels(np.zeros((3, 2)), np.array([0, label]), np.zeros(2))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_logit_that_is_no_number_makes_its_whole_row_so(library, dtype, place):
    x = np.arange(15, dtype=dtype).reshape(5, 3)
    x[1, place] = np.nan
    shifted = library.shift_transposed(x, np.empty((3, 5), dtype))
    assert np.isnan(shifted).tolist() == [[False, True, False, False, False]] * 3


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("position", [-1, 3])
def test_a_position_outside_is_an_error(library, position):
    with pytest.raises(IndexError):
        library.take_scaled(np.zeros((3, 5), np.uint8), np.array([0, 3]), 1.0, np.zeros((2, 5)))
    with pytest.raises(IndexError):
        library.take_rows(np.zeros((3, 5)), np.array([0, position]), np.zeros((2, 5)))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", ">i8", "int64", "float16", "complex64", "U3", "M8[s]"])
@pytest.mark.parametrize("shape", [(9,), (9, 3)])
def test_rows_of_any_dtype_are_taken(library, dtype, shape):
    rows = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    indices = np.array([8, 0, 0, 3])
    out = np.empty((4, *shape[1:]), dtype)
    assert library.take_rows(rows, indices, out) is out
    np.testing.assert_array_equal(out, rows[indices])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_of_a_file_are_read_as_with_numpy(tmp_path_factory, data):
    shape = data.draw(st.sampled_from([(30,), (30, 3), (30, 2, 5)]))
    dtype = data.draw(st.sampled_from([np.uint8, ">i2", np.float32, np.float64]))
    rows = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    (path := tmp_path_factory.getbasetemp() / "rows").write_bytes(b"header" + rows.tobytes())
    indices = np.array(data.draw(st.lists(st.integers(0, 33), min_size=1)))
    found = []
    with path.open("rb") as file:
        for library in (compiled, with_numpy):
            out = np.empty((len(indices), *shape[1:]), dtype)
            found.append((library.read_rows(file.fileno(), 6, indices, out), out))
    (whole, ours), (also_whole, theirs) = found
    assert whole == also_whole == (indices.max() < 30)
    if whole:
        np.testing.assert_array_equal(ours, rows[indices])
        np.testing.assert_array_equal(theirs, rows[indices])


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_rows_of_a_file_are_read_into_outputs_of_any_layout(library, tmp_path):
    rows = np.arange(1, 31, dtype=np.int32).reshape(10, 3)
    (tmp_path / "rows").write_bytes(rows.tobytes())
    outputs = [laid_out(np.zeros((4, 3), np.int32), layout) for layout in ("contiguous", "padded", "reversed")]
    outputs += [np.zeros((8, 3), np.int32)[::2], np.zeros(49, np.uint8)[1:].view(np.int32).reshape(4, 3)]
    with (tmp_path / "rows").open("rb") as file:
        for out in outputs:
            assert library.read_rows(file.fileno(), 0, np.array([9, 0, 4, 4]), out)
            np.testing.assert_array_equal(out, rows[[9, 0, 4, 4]])
        assert library.read_rows(file.fileno(), 0, np.array([9, 0]), np.zeros((2, 0), np.int32))
        with pytest.raises(ValueError, match="reshape"):
            library.read_rows(file.fileno(), 0, np.zeros(0, int), np.zeros((0, 3)))
        for wrong in (np.zeros(()), [[0, 0, 0]]):
            with pytest.raises((TypeError, AttributeError)):
                library.read_rows(file.fileno(), 0, np.zeros(1, int), wrong)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_a_row_farther_than_any_file_is_long_is_an_error(library, tmp_path):
    (path := tmp_path / "rows").write_bytes(bytes(280))
    with path.open("rb") as file, pytest.raises((OSError, OverflowError)):
        library.read_rows(file.fileno(), 0, np.array([0, 2**59 + 1]), np.empty((2, 7), np.float32))


@pytest.mark.parametrize("apart", [1, 7, 400, 5000])
def test_rows_that_lie_apart_in_a_file_are_those_of_the_array(tmp_path, apart):
    """Near ones are read with what lies between them, others one by one; a window ends somewhere between them."""
    rows = np.random.default_rng(0).integers(0, 2**31, (100 * apart, 3)).astype(np.int32)
    (tmp_path / "rows").write_bytes(rows.tobytes())
    indices = np.concatenate([np.arange(0, len(rows), apart), [0, len(rows) - 1]])
    out = np.empty((len(indices), 3), np.int32)
    with (tmp_path / "rows").open("rb") as file:
        assert compiled.read_rows(file.fileno(), 0, indices, out)
        np.testing.assert_array_equal(out, rows[indices])
        assert not compiled.read_rows(file.fileno(), 4, indices, out)


@pytest.mark.skipif(not Path("/proc/self/io").is_file(), reason="counts system calls by what Linux says")
def test_near_rows_of_a_file_take_few_system_calls(tmp_path):
    def calls():
        return int(re.search(r"syscr: (\d+)", Path("/proc/self/io").read_text())[1])

    (tmp_path / "rows").write_bytes(bytes(80 * 10_000))
    out = np.empty((1000, 80), np.uint8)
    with (tmp_path / "rows").open("rb") as file:
        before = calls()
        compiled.read_rows(file.fileno(), 0, np.arange(0, 10_000, 10), out)
        assert calls() - before < 30


@pytest.mark.skipif(not Path("/proc/kallsyms").is_file(), reason="needs a file that Linux gives a page at a time")
def test_what_one_system_call_leaves_of_some_rows_the_next_ones_read():
    path = Path("/proc/kallsyms")
    rows = np.frombuffer(path.read_bytes()[:60_000], np.uint8).reshape(-1, 60)
    out = np.empty_like(rows)
    with path.open("rb") as file:
        assert len(os.pread(file.fileno(), rows.size, 0)) < rows.size
        assert compiled.read_rows(file.fileno(), 0, np.arange(len(rows)), out)
    np.testing.assert_array_equal(out, rows)


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_a_file_whose_rows_can_t_be_read_is_an_error(library, tmp_path):
    with (tmp_path / "x").open("wb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        library.read_rows(file.fileno(), 0, np.array([0]), np.empty((1, 2)))


@pytest.mark.parametrize("library", [compiled, with_numpy], ids=["compiled", "with_numpy"])
def test_as_many_positions_as_rows_are_expected(library, tmp_path):
    (tmp_path / "x").write_bytes(bytes(100))
    with (tmp_path / "x").open("rb") as file, pytest.raises(ValueError, match="argument"):
        library.read_rows(file.fileno(), 0, np.array([0, 1]), np.empty((1, 2)))


@settings(max_examples=60, deadline=None)
@given(shift=st.integers(-20, 20), length=st.integers(1, 80))
def test_an_output_that_overlaps_an_input_gets_what_numpy_gives(shift, length):
    memory = np.arange(120.0)
    x, out = memory[20 : 20 + length], memory[20 + shift : 20 + shift + length]
    expected = np.maximum(x - 40, 0)
    memory -= 40
    compiled.rectify(x, out)
    np.testing.assert_array_equal(out, expected)


MATRIX, TRANSPOSED, ROW = (12, 5), (5, 12), (12,)
STEP = {"descend": (0.1,), "descend_adaptively": (0.9, 0.99, 0.1, 0.01, 1e-8, 0.01, 0.99)}
OVERLAPS = [
    ("keep_where_positive", [ROW, ROW, ROW], 0, 2),
    ("keep_where_positive", [ROW, ROW, ROW], 1, 2),
    ("shift_transposed", [MATRIX, TRANSPOSED], 0, 1),
    ("normalize_columns", [TRANSPOSED, ROW], 0, 1),
    ("cross_entropy_gradient", [TRANSPOSED, np.arange(12) % 5, 0.5, MATRIX], 0, 3),
    ("descend", [MATRIX, MATRIX], 0, 1),
    ("descend_adaptively", [MATRIX, MATRIX, MATRIX, MATRIX], 1, 0),
    ("descend_adaptively", [MATRIX, MATRIX, MATRIX, MATRIX], 1, 2),
    ("descend_adaptively", [MATRIX, MATRIX, MATRIX, MATRIX], 2, 3),
]
"""Kernels, their arrays by shape, and which two of these overlap."""


@pytest.mark.parametrize(("name", "arguments", "first", "second"), OVERLAPS)
@settings(deadline=None)
@given(data=st.data())
def test_two_arrays_that_overlap_get_what_numpy_gives(name, arguments, first, second, data):
    sizes = [int(np.prod(arguments[each])) for each in (first, second)]
    shift = data.draw(st.integers(1 - sizes[1], sizes[0] - 1).filter(bool))
    results = []
    for library in (compiled, with_numpy):
        generator = np.random.default_rng(0)
        ours = [generator.normal(size=each) if isinstance(each, tuple) else each for each in arguments]
        memory = generator.normal(size=300)
        ours[first] = memory[100 : 100 + sizes[0]].reshape(arguments[first])
        ours[second] = memory[100 + shift : 100 + shift + sizes[1]].reshape(arguments[second])
        with np.errstate(all="ignore"):
            getattr(library, name)(*ours, *STEP.get(name, ()))
        results.append(memory)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_arguments_are_an_error_and_no_crash(name):
    for arguments in [(), (None,) * 3, ("x",), (np.zeros((2, 2)), "x", 1.0), (np.zeros(3), np.zeros(4), 1.0)]:
        with pytest.raises((TypeError, ValueError, AttributeError, IndexError)):
            getattr(compiled, name)(*arguments)


@pytest.mark.skipif(platform.machine() not in ("aarch64", "arm64"), reason="other processors may lack vectors")
def test_every_64_bit_arm_has_vectors_for_products():
    assert compiled.INSTRUCTIONS == "NEON"


@pytest.mark.parametrize(("value", "expected"), [("numpy", "False"), ("", "True")])
def test_an_environment_variable_leaves_compiled_kernels_out(value, expected):
    program = "import mlpkit_plugins.kernels as kernels; print(kernels.COMPILED)"
    environment = {**os.environ, "MLPKIT_KERNELS": value}
    output = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == expected
