"""Layers inside a layer that follow one another."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import ComponentFailure, InputColumn, InputShape, Layer, Sequential
from mlpkit.network.shape_proof import StackError
from mlpkit.testing import standalone
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Holder(Layer):
    """Layers one after the other."""

    def __init__(self, *, layers: list[Layer]):
        self.layers = layers

    def build(self, input_shape):
        self.inside = self.chain(self.layers, input_shape)
        return self.inside.output_shape

    def forward(self, x):
        return self.inside.forward(x)

    def backward(self, dy):
        return self.inside.backward(dy)


class Odd(Layer):
    """y = x, unless a test changes its methods."""

    in_forward = staticmethod(lambda x: x)
    in_backward = staticmethod(lambda dy: dy)

    def forward(self, x):
        return self.in_forward(x)

    def backward(self, dy):
        return self.in_backward(dy)


def odd(**behaviour):
    layer = Odd()
    for name, function in behaviour.items():
        setattr(layer, name, function)
    return layer


def raising(error):
    def fail(_):
        raise error

    return fail


X, T = np.ones((2, 4)), np.array([0, 1])
ODD = "layer Holder1.Holder1.Odd1 (Odd)"


def network(layer):
    return Sequential([Affine(4), Holder(layers=[Holder(layers=[layer]), Affine(4)]), SoftmaxWithLoss()], (4,))


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ({"in_forward": raising(KeyError("colour"))}, f"{ODD} failed in forward: KeyError: 'colour'"),
        ({"in_backward": raising(ValueError("no way"))}, f"{ODD} failed in backward: ValueError: no way"),
        (
            {"in_forward": lambda x: x[:, :3]},
            f"{ODD} returned float32 of shape (2, 3) for 2 rows, but its build declared float32 of shape (2, 4)",
        ),
        (
            {"in_forward": lambda x: x.astype(np.float64)},
            f"{ODD} returned float64 of shape (2, 4) for 2 rows, but its build declared float32 of shape (2, 4)",
        ),
        (
            {"in_backward": lambda dy: None},
            f"{ODD} returned NoneType from backward; expected a writable array of float32 of shape (2, 4), "
            "as its inputs have",
        ),
    ],
)
def test_a_layer_inside_that_fails_is_named(behaviour, message):
    net = network(odd(**behaviour))
    for _ in range(2):  # a failure doesn't count as the first pass
        with pytest.raises(ComponentFailure) as caught:
            net.gradient(X, T)
        assert str(caught.value) == message


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_a_layer_inside_that_fails_later_is_named_too(method):
    layer = odd()
    net = network(layer)
    net.gradient(X, T)
    setattr(layer, f"in_{method}", raising(ValueError("no way")))
    with pytest.raises(ComponentFailure) as caught:
        net.gradient(X, T)
    assert str(caught.value) == f"{ODD} failed in {method}: ValueError: no way"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (lambda: ["Relu"], "build raised TypeError: Holder1 takes 'Relu' as a child, which is not a layer"),
        (
            lambda: 2 * [Affine(3)],
            "ValueError: Holder1 takes Holder1.Affine1 as a child, which is already part of a network",
        ),
    ],
)
def test_what_can_not_stand_inside(layers, message):
    with pytest.raises(StackError) as caught:
        Sequential([Holder(layers=layers()), SoftmaxWithLoss()], (4,))
    assert message in str(caught.value)


def test_flops_are_those_of_the_layers_inside_as_they_say():
    class Costly(Odd):
        def flops(self, input_shape):
            return 1000 * input_shape[0]

    holder = standalone(Holder(layers=[Affine(5), Costly(), Holder(layers=[Costly()])]), (4,))
    assert holder.flops((4,)) == 6 * (4 * 5 + 5) + 5000 + 5000


def test_an_empty_chain_changes_nothing():
    holder = standalone(Holder(layers=[]), (4,))
    x, dy = np.ones((2, 4)), np.ones((2, 4))
    assert holder.forward(x) is x
    assert holder.backward(dy) is dy


class Seer(Odd):
    """Keeps the columns that it is built for."""

    def build(self, input_shape):
        self.columns = input_shape.columns
        return input_shape


def test_every_layer_may_ask_for_the_columns_of_its_inputs():
    first, second, inside = Seer(), Seer(), Seer()
    shape = InputShape((1,), (InputColumn("age", "numbers"),))
    stack = [first, Affine(2), second, Holder(layers=[inside]), SoftmaxWithLoss()]
    Sequential(stack, input_shape=shape)
    assert first.columns == shape.columns
    assert second.columns == inside.columns == ()
