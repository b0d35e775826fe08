"""Kernels of activations: right to a few units in the last place, and of the same bits wherever an element lies."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_layouts import arrays, bits, outputs, twin
from requirements import require_module, requires

from mlpkit.network.subnormals import flushed_subnormals
from mlpkit_plugins import kernels
from mlpkit_plugins.kernels import with_numpy

compiled = require_module("kernels", "mlpkit_plugins.kernels.compiled", "there was no compiler")

ACTIVATIONS = {
    "sigmoid": (),
    "tanh": (),
    "softplus": (),
    "gelu": (),
    "silu": (),
    "mish": (),
    "selu": (),
    "elu": (1.5,),
    "leaky_relu": (0.1,),
}
"""Their names and parameters."""

PER_FEATURE = {
    "prelu": (1, 1, 1),
    "prelu_gradient": (2, 1, 2),
    "lerp": (2, 1, 1),
    "lerp_gradient": (4, 1, 2),
    "normalize": (1, 4, 2),
    "normalize_gradient": (2, 3, 1),
    "scale_features": (1, 1, 1),
    "scale_and_shift_features": (1, 2, 1),
}
"""Names, and how many inputs, arrays with a number for each feature, and outputs they take."""

with_vectors = requires("kernels", bool(compiled.INSTRUCTIONS), "NumPy computes")


def numbers():
    """All kinds of finite numbers: each exponent, both signs, and many of usual size."""
    of_any_size = np.arange(0, 2**32, 65_543, dtype=np.uint32).view(np.float32)
    usual = np.random.default_rng(0).normal(0, 4, 100_000).astype(np.float32)
    return np.concatenate([of_any_size[np.isfinite(of_any_size)], usual])


@with_vectors
@pytest.mark.parametrize(("name", "parameters"), ACTIVATIONS.items())
def test_errors_are_those_that_are_stated(name, parameters):
    x = numbers()
    with np.errstate(all="ignore"):
        y = getattr(compiled, name)(x, *parameters, np.empty_like(x))
        exact = getattr(with_numpy, name)(x.astype(float), *parameters, np.empty(x.shape))
        wide = y if name in ("sigmoid", "tanh") else x
        slope = getattr(compiled, f"{name}_gradient")(1.0, wide, *parameters, np.empty_like(x))
        exact_slope = getattr(with_numpy, f"{name}_gradient")(1.0, wide.astype(float), *parameters, np.empty(x.shape))
        rounded = exact.astype(np.float32)
    usual = np.isfinite(rounded) & (np.abs(exact) >= 2.0**-118)
    error = np.abs(y.astype(float) - exact)
    if name == "gelu":
        assert (error <= 2.0**-23 * np.abs(x) + 2.0**-148).all()
    else:
        assert (error[usual] <= 5 * np.spacing(np.abs(rounded[usual]))).all()
    assert (error[np.abs(exact) < 2.0**-118] <= 2.0**-118).all()
    assert (np.abs(slope - exact_slope) <= 2.0**-22).all()


@pytest.mark.parametrize(("name", "parameters"), ACTIVATIONS.items())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_is_the_slope_of_central_differences(name, parameters, dtype):
    x = np.array([-30, -3, -1.7, -0.4, 0.1, 0.9, 2.5, 19.9, 25.1, 60])
    distance = 1e-6
    function = getattr(with_numpy, name)
    above, below = (function(x + step, *parameters, np.empty_like(x)) for step in (distance, -distance))
    wide = x.astype(dtype)
    if name in ("sigmoid", "tanh"):
        wide = getattr(kernels, name)(wide, np.empty_like(wide))
    slope = getattr(kernels, f"{name}_gradient")(1.0, wide, *parameters, np.empty_like(wide))
    np.testing.assert_allclose(slope, (above - below) / (2 * distance), atol=1e-6)


@pytest.mark.parametrize(("name", "parameters"), ACTIVATIONS.items())
@settings(max_examples=40, deadline=None)
@given(data=st.data(), rows=st.integers(1, 70), columns=st.integers(1, 70))
def test_an_element_has_the_same_bits_in_arrays_of_any_layout(name, parameters, data, rows, columns):
    shape = (rows, columns)
    x, dy = data.draw(arrays(shape, np.float32)), data.draw(arrays(shape, np.float32))
    out = data.draw(st.sampled_from([dy, None]))
    out = data.draw(outputs(shape, np.float32)) if out is None else out
    plain_x, plain_dy = (np.array(array, np.float32, order="C") for array in (x, dy))
    function, gradient = getattr(compiled, name), getattr(compiled, f"{name}_gradient")
    with np.errstate(all="ignore"), data.draw(st.sampled_from([flushed_subnormals, nullcontext]))():
        expected = gradient(plain_dy, plain_x, *parameters, np.empty(shape, np.float32))
        assert gradient(dy, x, *parameters, out) is out
        np.testing.assert_array_equal(bits(out), bits(expected))
        expected = function(plain_x, *parameters, np.empty(shape, np.float32))
        out = data.draw(outputs(shape, np.float32))
        assert function(x, *parameters, out) is out
        np.testing.assert_array_equal(bits(out), bits(expected))
        last = np.array(x[-1, -1:], np.float32)
        np.testing.assert_array_equal(bits(function(last, *parameters, np.empty_like(last))), bits(expected[-1, -1:]))


@pytest.mark.parametrize(("name", "parameters"), ACTIVATIONS.items())
def test_float64_is_numpys(name, parameters):
    x, dy = np.random.default_rng(0).normal(size=(2, 50, 31))
    for kernel, arguments in [(name, (x,)), (f"{name}_gradient", (dy, x)), (f"{name}_gradient", (1.0, x))]:
        ours, numpys = (
            getattr(library, kernel)(*arguments, *parameters, np.empty_like(x)) for library in (compiled, with_numpy)
        )
        np.testing.assert_array_equal(ours, numpys)


FEATURE_SUMS = {
    "feature_sums": lambda x, y, mean, scratch: (x,),
    "feature_sums_of_products": lambda x, y, mean, scratch: (x, y, scratch),
    "feature_sums_of_squares": lambda x, y, mean, scratch: (x, mean, scratch),
}
"""Names, and which arrays they take before out."""


@pytest.mark.parametrize("name", FEATURE_SUMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=40, deadline=None)
@given(data=st.data(), rows=st.integers(1, 70), columns=st.integers(1, 70))
def test_sums_of_features_have_numpys_bits_in_arrays_of_any_layout(name, dtype, data, rows, columns):
    x, y = (data.draw(arrays((rows, columns), dtype)) for _ in range(2))
    arguments = FEATURE_SUMS[name](x, y, data.draw(arrays((columns,), dtype)), np.empty((rows, columns), dtype))
    ours, numpys = np.empty(columns, dtype), np.empty(columns, dtype)
    with np.errstate(all="ignore"):
        assert getattr(compiled, name)(*arguments, ours) is ours
        getattr(with_numpy, name)(*arguments, numpys)
    np.testing.assert_array_equal(ours, numpys)


@pytest.mark.parametrize("name", ["feature_sums_of_products", "feature_sums_of_squares"])
def test_sums_of_matrices_need_no_array_for_what_is_added_up(name):
    x, scratch = np.ones((40, 3), np.float32), np.full((40, 3), 7, np.float32)
    getattr(compiled, name)(*FEATURE_SUMS[name](x, x, x[0], scratch), np.empty(3, np.float32))
    assert (scratch == 7).all()


def test_sums_of_channels_are_taken_along_all_axes_of_an_image():
    x = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    np.testing.assert_allclose(kernels.feature_sums(x, np.empty(2)), x.sum(axis=(0, 2, 3)))
    mean = x.mean(axis=(0, 2, 3))
    squares = kernels.feature_sums_of_squares(x, mean, np.empty_like(x), np.empty(2))
    np.testing.assert_allclose(squares, x.var(axis=(0, 2, 3)) * 60)


@pytest.mark.parametrize("name", FEATURE_SUMS)
def test_no_rows_have_sums_of_zero(name):
    arguments = FEATURE_SUMS[name](np.empty((0, 3)), np.empty((0, 3)), np.zeros(3), np.empty((0, 3)))
    np.testing.assert_array_equal(getattr(kernels, name)(*arguments, np.ones(3)), np.zeros(3))


@with_vectors
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("choice", ["", "avx2"])
def test_bits_depend_neither_on_threads_nor_on_the_instruction_set(choice, threads):
    program = """
import hashlib, numpy as np
from mlpkit_plugins import kernels
x = np.random.default_rng(0).normal(0, 4, (300, 301)).astype(np.float32)
digest = hashlib.sha256()
with kernels.shared_threads():
    for name, parameters in ACTIVATIONS.items():
        digest.update(getattr(kernels, name)(x, *parameters, np.empty_like(x)).data)
        digest.update(getattr(kernels, f"{name}_gradient")(x[::-1].copy(), x, *parameters, np.empty_like(x)).data)
print(digest.hexdigest())
""".replace("ACTIVATIONS", repr(ACTIVATIONS))
    found = []
    for environment in (
        {"MLPKIT_KERNELS": choice, "OPENBLAS_NUM_THREADS": threads},
        {"MLPKIT_KERNELS": "", "OPENBLAS_NUM_THREADS": "1"},
    ):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
        found.append(done.stdout)
    assert found[0] == found[1]


@pytest.mark.parametrize("name", PER_FEATURE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_kernel_with_numbers_of_features_gives_the_bits_of_numpy(name, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    shape = data.draw(st.integers(1, 300)), data.draw(st.integers(1, 70))
    inputs, of_features, results = PER_FEATURE[name]
    arguments = [data.draw(arrays(shape, dtype)) for _ in range(inputs)]
    arguments += [data.draw(arrays(shape[1:], dtype)) for _ in range(of_features)]
    arguments += [data.draw(outputs(shape, dtype)) for _ in range(results)]
    if (name.endswith("gradient") or name.startswith("scale")) and data.draw(st.booleans()):
        arguments[-1] = arguments[0]
    twins = {id(argument): twin(argument) for argument in arguments}
    others = [twins[id(argument)] for argument in arguments]
    with np.errstate(all="ignore"), data.draw(st.sampled_from([flushed_subnormals, nullcontext]))():
        assert getattr(compiled, name)(*arguments) is arguments[-1]
        getattr(with_numpy, name)(*others)
    for ours, numpys in zip(arguments, others, strict=True):
        np.testing.assert_array_equal(ours, numpys)


@pytest.mark.parametrize("name", [*ACTIVATIONS, *(f"{name}_gradient" for name in ACTIVATIONS), *PER_FEATURE])
def test_wrong_arguments_are_an_error_and_no_crash(name):
    for arguments in [(), (None,) * 3, ("x",), (np.zeros((2, 2)), "x", 1.0), (np.zeros(3), np.zeros(4), 1.0)]:
        with pytest.raises((TypeError, ValueError, AttributeError, IndexError)):
            getattr(compiled, name)(*arguments)


@pytest.mark.parametrize("name", ["mish", "mish_gradient"])
def test_read_only_outputs_stay_as_they_are(name):
    x, out = np.ones(4, np.float32), np.zeros(4, np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        getattr(compiled, name)(*[1.0][: name.endswith("gradient")], x, out)
    assert not out.any()
