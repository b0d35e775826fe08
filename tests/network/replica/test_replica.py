"""What a pass through the stack doesn't do: needless gradients, new memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from mlpkit import Layer, Sequential
from mlpkit.components.randomness import keyed_generator
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.relu import Relu
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss


class Watched(Layer):
    """y = x, with a record of what was called."""

    def __init__(self):
        self.calls = []

    def forward(self, x):
        self.calls.append("forward")
        return x

    def backward(self, dy):
        self.calls.append(f"backward, dx needed: {self.needs_input_gradient}")
        return dy


@pytest.mark.parametrize("slices", [1, 2])
def test_nothing_unused_is_computed(examples, slices):
    before, after, affine, last = Watched(), Watched(), Affine(5), Affine(3)
    network = Sequential([before, affine, after, last, SoftmaxWithLoss()], (4,), slices=slices)
    returned = []
    backward = affine.backward
    affine.backward = lambda dy: returned.append(backward(dy))
    network.gradient(*examples(6, 4, 3))
    network.gradient(*examples(6, 4, 3))
    assert before.calls == ["forward"] * 2
    assert after.calls == ["forward", "backward, dx needed: True"] * 2
    assert returned == [None, None]
    assert [layer.needs_input_gradient for layer in network.layers] == [False, False, True, True]


def deep(rows=64):
    stack = [Affine(32), Relu(), Affine(16), Sigmoid(), Affine(10), SoftmaxWithLoss()]
    network = Sequential(stack, (20,))
    rng = np.random.default_rng(0)
    return network, rng.normal(size=(rows, 20)).astype(np.float32), rng.integers(0, 10, rows)


def address(array):
    return array.__array_interface__["data"][0]


def test_the_same_memory_serves_step_after_step():
    network, x, t = deep()
    replica = network.replicas[0]
    outputs, gradients = set(), set()
    for step in range(20):
        outputs.add(address(replica.forward(x)))
        network.loss_and_gradient(x, t, step)
        gradients.add(
            (address(network.gradient_values), address(replica.layers[0].W.grad), address(replica.loss.backward()))
        )
    assert len(outputs) == len(gradients) == 1


def test_memory_does_not_grow_with_the_steps():
    network, x, t = deep(rows=1000)
    one_layer = 1000 * 32 * 4
    for step in range(3):
        network.loss_and_gradient(x, t, step)
    tracemalloc.start()
    try:
        network.loss_and_gradient(x, t)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for step in range(50):
            network.loss_and_gradient(x, t, step)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000
    assert peak - before < one_layer  # no layer's output is allocated afresh


def test_batches_of_many_sizes_share_one_piece_of_memory():
    network, x, t = deep(rows=300)
    network.loss_and_gradient(x, t)
    tracemalloc.start()
    try:
        for rows in range(1, 300):
            network.loss_and_gradient(x[:rows], t[:rows])
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert grown < 300_000  # views and vectors, where arrays of their own would take ten million bytes


def test_a_smaller_batch_after_a_larger_one_sees_none_of_it():
    network, x, t = deep()
    network.loss_and_gradient(x, t)
    small = network.loss_and_gradient(x[:7], t[:7])
    kept = network.gradient_values.copy()
    fresh = deep()[0]
    assert fresh.loss_and_gradient(x[:7], t[:7]) == small
    assert fresh.gradient_values.tobytes() == kept.tobytes()


class Noisy(Watched):
    """y = x, with a record of the numbers that each pass draws."""

    def forward(self, x):
        self.calls.append(self.rng.random(3).tolist())
        return x


def test_each_pass_draws_its_random_numbers_anew(examples):
    noisy = Noisy()
    network = Sequential([noisy, Affine(3), SoftmaxWithLoss()], (4,), seed=7)
    x, t = examples(6, 4, 3)
    for _ in range(3):
        network.predict(x)
        network.activations(x)
        network.loss(x, t)
        network.gradient(x, t)
    assert noisy.calls == [keyed_generator(7, "layer", "Noisy1", 0, 0).random(3).tolist()] * 12
