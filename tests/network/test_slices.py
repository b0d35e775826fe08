"""A minibatch cut into slices gives the same gradient for any assignment of slices to workers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Centred

from mlpkit import Layer, Loss, Sequential, UsageError
from mlpkit.components.randomness import keyed_generator
from mlpkit.network.slices import slice_bounds
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.batch_norm import BatchNorm
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Dropout(Layer):
    """Sets each element to zero with probability one half, and doubles the others."""

    def forward(self, x):
        if not self.training:
            return x
        self.mask = 2.0 * (self.rng.random(x.shape) < 0.5)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class Masked(Loss):
    """Mean of x t over the rows whose target is not zero."""

    def build(self, input_shape, target):
        pass

    def forward(self, x, t):
        self.shares = t / max(1, np.count_nonzero(t))
        return float((x[:, 0] * self.shares).sum())

    def backward(self, dloss=1.0):
        return dloss * self.shares[:, np.newaxis]

    def weight(self, t):
        return np.count_nonzero(t)


def network(slices, *, seed=0, dtype="float64"):
    stack = [Affine(5), Relu(), Affine(3), SoftmaxWithLoss()]
    return Sequential(stack, (4,), seed=seed, dtype=dtype, slices=slices)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 12), slices=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_slices_change_the_gradient_by_no_more_than_rounding(rows, slices, seed):
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=(rows, 4)), rng.integers(0, 3, rows)
    whole, cut = network(1), network(slices)
    assert cut.values.tobytes() == whole.values.tobytes()
    assert cut.loss_and_gradient(x, t) == pytest.approx(whole.loss_and_gradient(x, t), rel=1e-12)
    difference = np.abs(cut.gradient_values - whole.gradient_values).max()
    assert difference <= 1e-12 * np.abs(whole.gradient_values).max()


SUMS = {
    2: lambda a, b: a + b,
    3: lambda a, b, c: (a + b) + c,
    4: lambda a, b, c, d: (a + b) + (c + d),
    5: lambda a, b, c, d, e: ((a + b) + (c + d)) + e,
}


@pytest.mark.parametrize("slices", SUMS)
def test_the_slices_are_weighted_by_their_rows_and_added_along_the_tree(slices, examples):
    x, t = examples(13, 4, 3, dtype=np.float32)
    cut, single = network(slices, dtype="float32"), network(1, dtype="float32")
    loss = cut.loss_and_gradient(x, t)
    gradients, losses = [], []
    for begin, end in slice_bounds(13, slices):
        loss_of_slice = single.replicas[0].loss_and_gradient(x[begin:end], t[begin:end], (end - begin) / 13)
        losses.append((end - begin) * loss_of_slice)
        gradients.append(single.gradient_values.copy())
    assert cut.gradient_values.tobytes() == SUMS[slices](*gradients).tobytes()
    assert loss == sum(losses) / 13


def test_the_order_in_which_slices_are_computed_changes_no_bit(examples):
    x, t = examples(13, 4, 3, dtype=np.float32)
    ordered, shuffled = network(4, dtype="float32"), network(4, dtype="float32")
    ordered.loss_and_gradient(x, t)
    for i in (2, 0, 3, 1):
        begin, end = slice_bounds(13, 4)[i]
        shuffled.replicas[i].loss_and_gradient(x[begin:end], t[begin:end], (end - begin) / 13)
    parts = [replica.gradient for replica in shuffled.replicas]
    assert SUMS[4](*parts).tobytes() == ordered.gradient_values.tobytes()


def test_replicas_share_parameters_and_nothing_else(examples):
    cut = network(3)
    x, t = examples(9, 4, 3)
    cut.loss_and_gradient(x, t)
    first, second, third = cut.replicas
    for replica in cut.replicas:
        for layer in (replica.layers[0], replica.layers[2]):
            assert np.shares_memory(layer.W.value, cut.values)
            assert np.shares_memory(layer.W.grad, replica.gradient)
    assert not np.shares_memory(first.gradient, second.gradient)
    buffers = [replica.layers[0].buffer("y", (3, 5)) for replica in cut.replicas]
    assert not np.shares_memory(buffers[0], buffers[1])
    assert not np.shares_memory(buffers[1], buffers[2])
    assert third.layers[0] is not first.layers[0]


def test_parameters_set_later_reach_every_slice(examples):
    x, t = examples(9, 4, 3)
    whole, cut = network(1), network(3)
    for each in (whole, cut):
        each.values[...] = np.linspace(-1, 1, each.values.size)
    np.testing.assert_allclose(cut.gradient(x, t)["Affine1.W"], whole.gradient(x, t)["Affine1.W"], rtol=1e-12)


def dropout(slices):
    return Sequential(
        [Affine(6), Dropout(), Affine(3), SoftmaxWithLoss()], (4,), seed=3, dtype="float64", slices=slices
    )


def test_random_numbers_are_keyed_by_seed_layer_step_and_slice(examples):
    x, t = examples(7, 4, 3)
    cut = dropout(2)
    cut.set_training(True)
    cut.loss_and_gradient(x, t, step=5)
    for i, (begin, end) in enumerate(slice_bounds(7, 2)):
        expected = 2.0 * (keyed_generator(3, "layer", "Dropout1", 5, i).random((end - begin, 6)) < 0.5)
        np.testing.assert_array_equal(cut.replicas[i].layers[1].mask, expected)


@pytest.mark.parametrize("slices", [1, 2])
def test_a_step_can_be_computed_again_with_the_same_random_numbers(examples, slices):
    x, t = examples(7, 4, 3)
    first, other = dropout(slices), dropout(slices)
    first.set_training(True)
    other.set_training(True)
    losses = [first.loss_and_gradient(x, t, step) for step in range(4)]
    assert len(set(losses)) == 4
    for step in (2, 0, 3, 1):
        other.predict(x)
        other.set_training(True)
        assert other.loss_and_gradient(x, t, step) == losses[step]


def test_there_is_no_dropout_in_evaluation(examples):
    x, t = examples(7, 4, 3)
    net = dropout(1)
    net.gradient(x, t)
    probabilities = net.predict(x)
    assert net.replicas[0].layers[1].training is False
    net.gradient(x, t)
    assert net.loss(x, t) == pytest.approx(-np.log(probabilities[np.arange(7), t]).mean(), rel=1e-12)
    net.gradient(x, t)
    np.testing.assert_array_equal(net.predict(x), probabilities)


def centred(slices):
    return Sequential([Centred(), Affine(3), SoftmaxWithLoss()], (4,), dtype="float64", slices=slices)


def test_state_is_that_of_the_first_slice_and_every_slice_begins_with_it(examples):
    x, t = examples(10, 4, 3)
    cut, mean = centred(3), np.full(4, 0.5)
    assert list(cut.states) == ["Centred1.mean"]
    np.testing.assert_array_equal(cut.states["Centred1.mean"], mean)
    weights = cut.parameters["Affine1.W"].copy()
    for step in range(3):
        cut.set_training(True)
        loss = cut.loss_and_gradient(x, t, step)
        logits = (x - mean) @ weights
        expected = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(10), t]
        assert loss == pytest.approx(expected.mean(), rel=1e-12)
        mean += 0.25 * (x[:3].mean(axis=0) - mean)
        np.testing.assert_allclose(cut.states["Centred1.mean"], mean, rtol=1e-14)


def test_state_can_be_set_from_outside(examples):
    x, _ = examples(10, 4, 3)
    net = centred(2)
    net.states["Centred1.mean"][...] = x.mean(axis=0)
    np.testing.assert_allclose(net.predict(x), centred_by_hand(net, x), rtol=1e-12)


def centred_by_hand(net, x):
    logits = (x - x.mean(axis=0)) @ net.parameters["Affine1.W"]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_evaluation_leaves_state_as_it_is(examples):
    x, t = examples(10, 4, 3)
    net = centred(2)
    net.evaluate(x, t)
    net.predict(x)
    np.testing.assert_array_equal(net.states["Centred1.mean"], np.full(4, 0.5))


@pytest.mark.parametrize("t", [[1, 0, 2, 3, 1, 0, 2], [0, 0, 0, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0]])
def test_a_loss_says_what_its_slices_count(t, examples):
    x, _ = examples(7, 4, 3)
    whole, cut = (Sequential([Affine(1), Masked()], (4,), dtype="float64", slices=slices) for slices in (1, 3))
    targets = np.array(t, np.float64)
    assert cut.loss_and_gradient(x, targets) == pytest.approx(whole.loss_and_gradient(x, targets), rel=1e-12)
    np.testing.assert_allclose(cut.gradient_values, whole.gradient_values, rtol=1e-12, atol=1e-15)
    mean = np.nan if not any(t) else whole.loss_and_gradient(x, targets)
    assert whole.loss(x, targets) == pytest.approx(mean, rel=1e-12, nan_ok=True)


def test_a_layer_that_couples_examples_warns_of_slices():
    stack = [Affine(3), BatchNorm(), Affine(2), BatchNorm(), SoftmaxWithLoss()]
    expected = (
        "BatchNorm1, BatchNorm2 compute over the examples of each of the 2 slices alone, "
        "which gives different results from one slice"
    )
    with pytest.warns(UserWarning, match=expected) as caught:
        Sequential(stack, (4,), slices=2)
    assert caught[0].filename == __file__


def test_one_slice_is_nothing_to_warn_of():
    Sequential([Affine(3), BatchNorm(), SoftmaxWithLoss()], (4,), slices=1)
    Sequential([Affine(3), Relu(), SoftmaxWithLoss()], (4,), slices=2)


def test_a_network_with_some_of_the_slices_does_not_take_their_gradient_for_that_of_all():
    network = Sequential([Affine(3), SoftmaxWithLoss()], (2,), slices=4, own_slices=range(1))
    with pytest.raises(UsageError, match="computes 1 of 4 slices of a minibatch; expected all of them, or an exchange"):
        network.gradient(np.ones((8, 2)), np.zeros(8, int))
    assert network.gradient(np.ones((1, 2)), [0]).keys() == {"Affine1.W", "Affine1.b"}  # a row is a slice
