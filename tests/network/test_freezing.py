"""Frozen layers: what goes backward, what is added up, and in which mode they compute."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit import Fans, Layer, Parameter, Sequential
from mlpkit.network.flat_layout import BLOCK, FlatLayout, blocks
from mlpkit.testing import numerical_gradient
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.dropout import Dropout
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.residual import Residual
from mlpkit_plugins.layers.sequence import Sequence
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Counting(Layer):
    """y = x, and counts how often it goes backward."""

    def __init__(self):
        self.backwards = 0
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        return x

    def backward(self, dy):
        self.backwards += 1
        return dy


def examples(rows=8, features=4, classes=3, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, features)), generator.integers(classes, size=rows)


def network(*layers, slices=1):
    return Sequential([*layers, SoftmaxWithLoss()], (4,), seed=1, dtype="float64", slices=slices)


def gradients(net, x, t):
    net.set_training(True)
    net.loss_and_gradient(x, t)
    return {path: net.layout.view(net.gradient_values, path).copy() for path in net.parameters}


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_the_stretches_of_a_layout_are_all_that_is_trained_in_order(arrays):
    layout = FlatLayout.of_parameters(
        Parameter("W", str(i), (size,), "zeros", Fans(1, 1), float(decay)) for i, (size, decay, _) in enumerate(arrays)
    )
    frozen = {str(i) for i, (_, _, is_frozen) in enumerate(arrays) if is_frozen}
    layout = layout._replace(frozen=frozenset(frozen))
    covered = [element for begin, end in layout.trained() for element in range(begin, end)]
    assert covered == sorted(set(covered))
    for path in layout.shapes:
        begin, end = layout.extent(path)
        assert set(range(begin, end)).isdisjoint(covered) if path in frozen else set(range(begin, end)) <= set(covered)
    parts = layout.trained_with(layout.factors)
    assert [element for begin, end, _ in parts for element in range(begin, end)] == covered
    for begin, end, factors in parts:
        assert {layout.factors[path] for path, first in layout.offsets.items() if begin <= first < end} == {factors}
    if not frozen:
        assert layout.trained() == [(0, layout.size)]


def test_without_frozen_layers_the_blocks_are_those_of_the_whole():
    layout = FlatLayout({"a": 0, "b": BLOCK + 16}, {"a": (BLOCK + 16,), "b": (BLOCK,)}, 2 * BLOCK + 16, {})
    assert layout.trained_blocks() == blocks(0, layout.size)


@pytest.mark.parametrize("slices", [1, 3])
def test_nothing_goes_back_further_than_to_the_first_trained_layer(slices):
    first, second, third = Counting(), Counting(), Counting()
    net = network(first, Affine(5), second, Affine(4), third, Affine(3), slices=slices)
    net.freeze(["Affine1"])
    gradients(net, *examples())
    counts = [sum(replica.layers[i].backwards for replica in net.replicas) for i in (0, 2, 4)]
    assert counts == [0, 0, slices]
    assert net.layers[3].needs_input_gradient is False
    net.freeze([])
    gradients(net, *examples())
    assert sum(replica.layers[2].backwards for replica in net.replicas) == slices
    assert net.layers[3].needs_input_gradient is True


def test_a_frozen_layer_between_trained_ones_computes_no_gradient_of_its_parameters():
    net = network(Affine(5), Affine(4), Affine(3))
    net.freeze(["Affine2"])
    assert [layer.needs_parameter_gradients for layer in net.layers] == [True, False, True]
    net.gradient_values[...] = np.pi
    found = gradients(net, *examples())
    untouched = {path for path, gradient in found.items() if np.all(gradient == np.pi)}
    assert untouched == {"Affine2.W", "Affine2.b"}
    net.freeze([])
    assert not np.any(gradients(net, *examples())["Affine2.W"] == np.pi)


@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize("frozen", [["Affine1"], ["Affine2"], ["Affine1", "Affine2"], ["Affine3"], ["Residual1"]])
def test_what_is_trained_has_the_gradient_that_it_has_without(frozen, slices):
    layers = lambda: (Affine(4), Sigmoid(), Residual([Affine(4), Sigmoid()]), Affine(5), Relu(), Affine(3))  # noqa: E731
    x, t = examples()
    expected = gradients(network(*layers(), slices=slices), x, t)
    net = network(*layers(), slices=slices)
    net.freeze(frozen)
    found = gradients(net, x, t)
    trained = [path for path in found if not any(path.startswith(f"{name}.") for name in frozen)]
    assert 0 < len(trained) < len(found)
    for path in trained:
        assert found[path].tobytes() == expected[path].tobytes()


def test_a_frozen_layer_inside_another_ends_the_way_back_there_and_is_trained_again_afterwards():
    def residual():
        return Residual([Affine(4), Sigmoid(), Affine(4)])

    x, t = examples()
    expected = gradients(network(residual(), Affine(3)), x, t)
    net = network(residual(), Affine(3))
    gradients(net, x, t)
    net.freeze(["Residual1.Affine1"])
    net.gradient_values[:] = 7
    found = gradients(net, x, t)
    assert (found["Residual1.Affine1.W"] == 7).all()
    assert found["Residual1.Affine2.W"].tobytes() == expected["Residual1.Affine2.W"].tobytes()
    net.freeze([])
    found = gradients(net, x, t)
    assert all(found[path].tobytes() == expected[path].tobytes() for path in expected)


def test_the_way_back_inside_a_layer_ends_where_nothing_before_it_is_trained():
    between = Counting()
    net = network(Residual([Affine(4), between, Affine(4)]), Affine(3))
    for frozen, backwards in (([], 1), (["Residual1.Affine1"], 1), ([], 2)):
        net.freeze(frozen)
        gradients(net, *examples())
        assert between.backwards == backwards


def test_frozen_layers_compute_as_in_evaluation_with_those_inside_them():
    class Holding(Layer):
        def build(self, input_shape):
            self.held = Counting()
            return self.child(self.held, input_shape)

        def forward(self, x):
            return self.held.forward(x)

        def backward(self, dy):
            return self.held.backward(dy)

    holding, free = Holding(), Counting()
    net = network(holding, free, Affine(3))
    net.freeze(["Holding1"])
    gradients(net, *examples())
    assert (holding.held.modes, free.modes) == ([False], [True])


def test_frozen_batch_norm_uses_its_running_statistics_keeps_them_and_lets_the_right_gradient_through():
    net = network(Affine(4), BatchNorm(), Sigmoid(), Affine(3))
    norm = net.layers[1]
    norm.running_mean.value[:] = [0.5, -1, 0, 2]
    norm.running_variance.value[:] = [0.25, 1, 4, 2]
    net.freeze(["BatchNorm1"])
    kept = {path: array.copy() for path, array in net.states.items()}
    x, t = examples()
    found = gradients(net, x, t)
    assert all(array.tobytes() == kept[path].tobytes() for path, array in net.states.items())
    for path in ("Affine1.W", "Affine1.b"):

        def evaluated(values, array=net.parameters[path]):
            before, array[...] = array.copy(), values
            loss = net.loss(x, t)
            array[...] = before
            return loss

        expected = numerical_gradient(evaluated, net.parameters[path])
        np.testing.assert_allclose(found[path], expected, rtol=1e-6, atol=1e-9)


def test_frozen_dropout_drops_nothing():
    x, t = examples()
    expected = gradients(network(Affine(4), Affine(3)), x, t)
    net = network(Affine(4), Dropout(0.9), Affine(3))
    net.freeze(["Dropout1"])
    found = gradients(net, x, t)
    assert all(found[path].tobytes() == expected[path].tobytes() for path in expected)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_has_the_same_layers_frozen(copied):
    net = network(Residual([Affine(4)]), Affine(5), Affine(3))
    net.freeze(["Residual1", "Affine1"])
    other = copied(net)
    other.gradient_values[:] = 7
    found = gradients(other, *examples())
    assert [path for path in found if (found[path] == 7).all()] == [
        "Residual1.Affine1.W",
        "Residual1.Affine1.b",
        "Affine1.W",
        "Affine1.b",
    ]
    other.freeze([])
    found = gradients(other, *examples())
    assert not any((array == 7).any() for array in found.values())


def test_nothing_goes_back_further_inside_a_layer_either():
    frozen, trained = Counting(), Counting()
    net = network(Sequence([Affine(5), frozen, Affine(4), trained, Affine(3)]))
    net.freeze(["Sequence1.Affine1"])
    gradients(net, *examples())
    assert (frozen.backwards, trained.backwards) == (0, 1)
    net.freeze([])
    gradients(net, *examples())
    assert (frozen.backwards, trained.backwards) == (1, 2)


class Keeping(Counting):
    """Keeps what it saw, beside what its ``build`` set."""

    def build(self, input_shape):
        self.last, self.kept = None, 3
        return input_shape

    def forward(self, x):
        self.last = self.seen = x
        return x


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_has_what_build_set_and_nothing_that_came_after(copied):
    net = network(Residual([Keeping()]), Affine(3))
    size = len(pickle.dumps(net))
    net.predict(np.ones((1000, 4)))
    again = copied(net).layers[0].layers[0]
    assert (vars(again)["last"], again.kept, hasattr(again, "seen")) == (None, 3, False)
    assert len(pickle.dumps(net)) < size + 1000
