"""What a layer asks for while a network computes is entered once a computation, and left again."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from mlpkit import ComponentFailure, Layer, Sequential
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss

events = []


def noted(entered, left):
    """Return a context that adds to the events when it is entered and left."""

    @contextmanager
    def context():
        events.append(entered)
        try:
            yield
        finally:
            events.append(left)

    return context


class OnUnit(Layer):
    """Computes on a unit that must be switched on."""

    compute_context = noted("on", "off")

    def forward(self, x):
        events.append("forward")
        if np.isnan(x).any():
            raise ValueError
        return x

    def backward(self, dy):
        return dy


class RowByRow(OnUnit):
    """Computes in one order while the network evaluates."""

    evaluation_context = noted("row by row", "as before")


@pytest.fixture
def network():
    events.clear()
    return Sequential([Affine(4), OnUnit(), OnUnit(), Affine(3), SoftmaxWithLoss()], input_shape=(2,))


@pytest.mark.parametrize("method", ["loss", "gradient", "evaluate"])
def test_it_is_entered_once_for_all_layers_that_ask_for_it(network, method):
    getattr(network, method)(np.ones((5, 2)), [0, 1, 2, 0, 1])
    assert events == ["on", "forward", "forward", "off"]


def test_it_is_entered_once_for_all_that_is_done_inside(network):
    with network.computing():
        for _ in range(3):
            network.loss_and_gradient(np.ones((5, 2), np.float32), np.zeros(5, np.int64))
    assert events == ["on", *["forward"] * 6, "off"]


def test_it_is_left_when_a_layer_fails(network):
    network.predict(np.ones((1, 2)))
    events.clear()
    with pytest.raises(Exception, match="OnUnit1"):
        network.predict(np.full((1, 2), np.nan))
    assert events == ["on", "forward", "off"]


@pytest.fixture
def row_by_row_network():
    events.clear()
    inside = Residual([RowByRow()])
    return Sequential([Affine(4), inside, RowByRow(), Affine(3), SoftmaxWithLoss()], input_shape=(2,))


EVALUATED = ["on", "row by row", "forward", "forward", "as before", "off"]


@pytest.mark.parametrize("method", ["predict", "loss", "accuracy", "evaluate"])
def test_what_asks_for_evaluation_is_entered_when_the_network_evaluates(row_by_row_network, method):
    arguments = (np.ones((5, 2)), [0, 1, 2, 0, 1])
    getattr(row_by_row_network, method)(*arguments[: 1 if method == "predict" else 2])
    assert events == EVALUATED


def test_what_asks_for_evaluation_is_left_out_in_training(row_by_row_network):
    x, t = np.ones((5, 2), np.float32), np.zeros(5, np.int64)
    row_by_row_network.gradient(x, t)
    with row_by_row_network.computing():
        row_by_row_network.loss_and_gradient(x, t)
        assert "row by row" not in events
        events.clear()
        row_by_row_network.evaluate_batches([(x, t)], {})
    assert events == [*EVALUATED, "off"]


class Rounding(OnUnit):
    """Can round the factors of its products."""

    bfloat16_context = noted("rounding", "exact")

    def backward(self, dy):
        events.append("backward")
        return dy


@pytest.mark.parametrize("slices", [1, 2])
def test_what_rounds_factors_is_entered_for_each_gradient_if_the_precision_says_so(slices):
    events.clear()
    layers = [Affine(4), Residual([Rounding()]), Rounding(), Affine(3), SoftmaxWithLoss()]
    network = Sequential(layers, input_shape=(2,), slices=slices)
    x, t = np.ones((6, 2), np.float32), np.zeros(6, np.int64)
    usual = ["on", *["forward", "forward", "backward", "backward"] * slices, "off"]
    network.gradient(x, t)
    assert events == usual
    events.clear()
    network.set_precision("bfloat16")
    network.gradient(x, t)
    assert events == ["on", *["rounding", *usual[1:5], "exact"] * slices, "off"]
    events.clear()
    network.evaluate(x, t)
    assert events == ["on", "forward", "forward", "off"]
    events.clear()
    network.set_precision("float32")
    network.gradient(x, t)
    assert events == usual


def test_what_rounds_factors_is_left_again_if_a_layer_fails():
    network = Sequential([Rounding(), Affine(3), SoftmaxWithLoss()], input_shape=(2,))
    network.set_precision("bfloat16")
    for _ in range(2):
        events.clear()
        with pytest.raises(ComponentFailure):
            network.gradient(np.full((2, 2), np.nan), [0, 1])
        assert events == ["on", "rounding", "forward", "exact", "off"]


def test_a_precision_of_another_name_is_refused(network):
    with pytest.raises(ValueError, match=r"rounded to float32 or bfloat16, not to 'float16'"):
        network.set_precision("float16")


def test_factors_are_rounded_to_one_of_two_types():
    network = Sequential([Affine(3), SoftmaxWithLoss()], input_shape=(2,))
    with pytest.raises(ValueError, match=r"^factors are rounded to float32 or bfloat16, not to 'float16'$"):
        network.set_precision("float16")
