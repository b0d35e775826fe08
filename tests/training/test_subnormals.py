"""Training without subnormal numbers: the same bits on any thread, and an unchanged process afterwards."""

from __future__ import annotations

import numpy as np
from requirements import require
from training_section import section_of

from mlpkit import Sequential
from mlpkit.network import subnormals
from mlpkit.training.loop import Trainer
from mlpkit.training.workers import Workers
from mlpkit_plugins.initializers.normal import Normal
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.layers.sigmoid import Sigmoid
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.sgd import Sgd

require("flush", subnormals._float_mode() is not None, "subnormal numbers can't be flushed on this system")

LEAST = np.finfo(np.float64).smallest_normal


def halves_to_zero(*_):
    return bool(np.float64(LEAST) / 2 == 0)


def saturated_network(slices):
    """Return a network whose units are so far out that the slope of their activation is subnormal."""
    wide = Normal(std=18)
    layers = [Affine(60, weights=wide), Sigmoid(), Affine(60, weights=wide), Sigmoid(), Affine(4), SoftmaxWithLoss()]
    return Sequential(layers, (3,), seed=1, slices=slices)


def trained(toy, workers, slices=4):
    """Return the parameters and the last gradient of a saturated network after a few steps."""
    dataset = toy.Toy(train=64)
    network = saturated_network(slices)
    section = section_of(Sgd(1e-3), batch_size=32, iterations=6)
    Trainer(network, dataset.open(0), dataset.describe(), section, workers=workers).train()
    return network.values.copy(), network.gradient_values.copy()


def subnormal_share(gradient):
    nonzero = np.abs(gradient[gradient != 0])
    return np.mean(nonzero < np.finfo(gradient.dtype).smallest_normal)


def test_a_saturated_network_is_the_same_bits_on_any_number_of_workers(toy):
    one = trained(toy, workers=1)
    assert np.count_nonzero(one[1]) > 0
    for workers in (2, 4):
        for ours, alone in zip(trained(toy, workers), one, strict=True):
            assert ours.tobytes() == alone.tobytes()


def test_a_saturated_network_has_no_subnormal_gradients(toy):
    _, gradient = trained(toy, workers=1)
    assert subnormal_share(gradient) == 0


def test_a_run_leaves_the_process_as_it_was(toy):
    trained(toy, workers=2)
    assert not halves_to_zero()


def test_every_worker_flushes_and_its_caller_as_it_likes():
    with Workers(3) as workers:
        assert workers.map(halves_to_zero, range(3)) == [False, True, True]
        with subnormals.flushed_subnormals():
            assert workers.map(halves_to_zero, range(3)) == [True, True, True]
    assert not halves_to_zero()
