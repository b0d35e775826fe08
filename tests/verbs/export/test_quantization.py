"""Weights rounded to integers of eight bits, and what the files in C that hold them compute."""

import re
from dataclasses import replace

import numpy as np
import pytest
from c_models import MACHINES, bits, logits_of, machine, model_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from random_networks import random_inputs, random_networks
from requirements import requires

from mlpkit import Classes, Layer, NotExportableError, Sequential
from mlpkit.graph.model_graph import network_graph
from mlpkit.graph.quantization import exact_int8_weights, int8_weights, with_int8_weights
from mlpkit.layers import Affine, BatchNorm, Conv2d, Flatten, LayerNorm, Relu, Residual, SoftmaxWithLoss
from mlpkit_plugins.exporters.c_file import CFile, compute_c
from mlpkit_plugins.kernels import COMPILED
from mlpkit_plugins.layers.batch_ensemble_affine import BatchEnsembleAffine
from mlpkit_plugins.layers.ensemble_affine import EnsembleAffine
from mlpkit_plugins.layers.ensemble_view import EnsembleView
from mlpkit_plugins.losses.ensemble_loss import EnsembleLoss

needs_kernels = requires("kernels", COMPILED, "without compiled kernels, predict computes in another order")

NUMBERS = st.floats(-(2.0**99), 2.0**99, width=32).filter(lambda number: number == 0 or abs(number) > 1e-30)
WEIGHTS = arrays(np.float32, array_shapes(min_dims=2, max_dims=4, max_side=5), elements=NUMBERS)


def largest_of_units(weights, axis):
    """Return the largest magnitude of each output unit, for each weight."""
    units = np.moveaxis(np.abs(weights.astype(np.float64)), axis, 0)
    largest = units.reshape(len(units), -1).max(axis=1)
    return np.moveaxis(np.broadcast_to(largest[:, *[None] * (weights.ndim - 1)], units.shape), 0, axis)


@given(WEIGHTS, st.integers(0, 1))
def test_weights_are_off_by_half_a_step_at_most(weights, axis):
    found = int8_weights(weights, axis)

    step = largest_of_units(weights, axis) / 127
    error = np.abs(found.values.astype(np.float64) - weights)
    assert np.all(error <= step * (0.5 + 2.0**-8))
    assert found.numbers.dtype == np.int8
    assert found.scales.size == weights.shape[axis]


@given(WEIGHTS, st.integers(0, 1))
def test_an_integer_times_its_scale_is_exact(weights, axis):
    found = int8_weights(weights, axis)

    assert found.values.dtype == np.float32
    exact = found.numbers.astype(np.float64) * found.scales.astype(np.float64)
    np.testing.assert_array_equal(found.values.astype(np.float64), exact)


@given(WEIGHTS, st.integers(0, 1))
def test_rounded_weights_are_rounded_to_themselves(weights, axis):
    found = int8_weights(weights, axis)

    again = exact_int8_weights(found.values, axis)

    assert again is not None
    np.testing.assert_array_equal(again.numbers, found.numbers)
    np.testing.assert_array_equal(again.scales, found.scales)


def test_weights_that_rounding_would_change_are_not_exact():
    assert exact_int8_weights(np.float32([[1.0, 1.0], [0.3, 0.5]]), axis=1) is None


def test_units_have_a_scale_each():
    weights = np.float32([[127.0, 0.25], [-64.0, 31.75], [0.0, 0.0]])

    by_column, by_row = int8_weights(weights, axis=1), int8_weights(weights, axis=0)

    assert by_column.numbers.tolist() == [[127, 1], [-64, 127], [0, 0]]
    assert by_column.scales.tolist() == [[1.0, 0.25]]
    assert by_row.numbers[1].tolist() == [-127, 63]
    assert by_row.scales[2].tolist() == [0.0]


def network_of(*layers, shape=(4,), classes=3):
    stack = [*layers, Affine(classes), SoftmaxWithLoss()]
    return Sequential(stack, input_shape=shape, target=Classes(classes))


def test_only_weights_of_products_are_rounded():
    stack = [Conv2d(3, 2), BatchNorm(), Relu(), Flatten(), LayerNorm(), Residual([Affine(12), Relu()])]
    network = network_of(*stack, shape=(1, 3, 3))
    before = {name: array.copy() for name, array in network.parameters.items()}

    rounded, names = with_int8_weights(network)

    assert names == ("Conv2d1.W", "Residual1.Affine1.W", "Affine1.W")
    for name, array in rounded.parameters.items():
        assert (name in names) == bool(np.any(array != before[name]))
        np.testing.assert_array_equal(network.parameters[name], before[name])
    assert rounded.states.keys() == network.states.keys()
    for filter_before, filter_after in zip(before["Conv2d1.W"], rounded.parameters["Conv2d1.W"], strict=True):
        scale = np.abs(filter_after).max() / 127
        np.testing.assert_allclose(filter_after, filter_before, atol=0.51 * scale)
        np.testing.assert_array_equal(filter_after / scale, np.rint(filter_after / scale))


class Doubled(Layer):
    """A product with a matrix whose rows are units."""

    def build(self, input_shape):
        self.W = self.parameter("W", (2, *input_shape), "he_normal")
        return (2,)

    def forward(self, x):
        return x @ self.W.value.T

    def backward(self, dy):
        return dy

    def onnx(self, graph):
        return graph.op("Gemm", graph.input, self.W, transB=1)


class Turned(Doubled):
    """The same, described with the matrix turned."""

    def onnx(self, graph):
        W = graph.constant(self.W.path, np.ascontiguousarray(self.W.value.T))
        return graph.op("MatMul", graph.input, W)


class Scaled(Doubled):
    """The same, described with an array that is no parameter."""

    def onnx(self, graph):
        return graph.op("MatMul", graph.input, np.ascontiguousarray(self.W.value.T))


def test_units_may_be_rows_of_a_matrix():
    rounded, names = with_int8_weights(network_of(Doubled()))

    assert names == ("Doubled1.W", "Affine1.W")
    for row in rounded.parameters["Doubled1.W"]:
        scale = np.abs(row).max() / 127
        np.testing.assert_array_equal(row / scale, np.rint(row / scale))


def test_a_matrix_that_is_no_parameter_stays(tmp_path):
    network = network_of(Scaled())

    rounded, names = with_int8_weights(network)

    assert names == ("Affine1.W",)
    np.testing.assert_array_equal(rounded.parameters["Scaled1.W"], network.parameters["Scaled1.W"])
    expect_the_bits_of(rounded, tmp_path, kernels=False)


def test_matrices_of_an_ensemble_stay():
    stack = [EnsembleView(3), BatchEnsembleAffine(4), EnsembleAffine(2), EnsembleLoss(SoftmaxWithLoss())]
    network = Sequential(stack, input_shape=(4,), target=Classes(2))
    rounded, names = with_int8_weights(network)

    assert names == ("BatchEnsembleAffine1.W",)
    np.testing.assert_array_equal(rounded.parameters["EnsembleAffine1.W"], network.parameters["EnsembleAffine1.W"])


def test_a_parameter_described_in_another_order_is_refused():
    with pytest.raises(NotExportableError) as caught:
        with_int8_weights(network_of(Turned()))

    assert caught.value.made_by == "Turned1"
    assert str(caught.value).startswith("Turned1 gives MatMul other numbers for Turned1.W than those of the parameter")


def test_a_network_without_weights_is_refused():
    network = Sequential([Relu(), SoftmaxWithLoss()], input_shape=(4,), target=Classes(4))

    with pytest.raises(
        NotExportableError, match=r"^the network has no weights to round, of Gemm, MatMul, Conv; leave out quantize$"
    ):
        with_int8_weights(network)


def written(network, file):
    model = replace(model_of(network), quantized=True)
    CFile().write(model, file)
    return model


def expect_the_bits_of(network, folder, *, x=None, machine=None, kernels=True):
    """Expect that a file in C has a network's bits, and holds its weights as integers."""
    x = random_inputs(network) if x is None else x
    file = folder / "model.c"
    model = written(network, file)

    found = compute_c(file, model, {"x": x}, ["logits"], machine)["logits"]

    assert "_int8[" in file.read_text("ascii")
    if kernels:
        assert bits(found) == bits(logits_of(network, x))
    else:
        np.testing.assert_allclose(found, logits_of(network, x), rtol=1e-5, atol=1e-6)


def expect_the_bits_of_rounded(network, folder):
    assume({"Gemm", "Conv"} & {node.operator for node in network_graph(network).nodes})
    rounded, _ = with_int8_weights(network)
    expect_the_bits_of(rounded, folder, machine=MACHINES["gcc"])


@needs_kernels
@settings(max_examples=5, deadline=None)
@given(random_networks(dtypes=("float32",)))
def test_logits_have_the_bits_of_the_rounded_network(tmp_path_factory, network):
    expect_the_bits_of_rounded(network, tmp_path_factory.mktemp("model"))


@needs_kernels
@pytest.mark.long
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_networks(dtypes=("float32",)))
def test_logits_of_many_have_the_bits_of_the_rounded_network(tmp_path_factory, network):
    expect_the_bits_of_rounded(network, tmp_path_factory.mktemp("model"))


def large():
    """Return a network with sums of several blocks, and more units than are computed at once."""
    stack = [Conv2d(8, 9), Relu(), Conv2d(5, 3, stride=2, padding=1), Flatten(), Affine(300), Relu(), Affine(70)]
    return with_int8_weights(network_of(*stack, shape=(4, 16, 18)))[0]


@needs_kernels
def test_long_sums_are_added_up_in_the_same_order(tmp_path):
    expect_the_bits_of(large(), tmp_path, machine=MACHINES["gcc"])


@needs_kernels
@pytest.mark.long
@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_gives_the_bits_of_the_rounded_network(name, tmp_path):
    expect_the_bits_of(large(), tmp_path, machine=machine(name, tmp_path))


def test_a_weight_takes_a_byte_and_a_unit_four(tmp_path):
    network = network_of(Conv2d(6, 3), Flatten(), Affine(20), Relu(), shape=(1, 6, 6))
    rounded, names = with_int8_weights(network)
    CFile().write(model_of(network), tmp_path / "exact.c")
    written(rounded, tmp_path / "rounded.c")
    exact, small = (_flash(tmp_path / f"{name}.c") for name in ("exact", "rounded"))

    weights = sum(network.parameters[name].size for name in names)

    assert exact - small == 3 * weights - 4 * (6 + 20 + 3)
    assert "Weights are rounded to integers of eight bits" in (tmp_path / "rounded.c").read_text("ascii")
    assert _stack(tmp_path / "rounded.c") - _stack(tmp_path / "exact.c") == 4 * 9


def _flash(file):
    return _number(file, r"Flash, without code: ([\d,]+) bytes")


def _stack(file):
    return _number(file, r"outputs, ([\d,]+) of stack")


def _number(file, pattern):
    return int(re.search(pattern, file.read_text("ascii"))[1].replace(",", ""))
