"""Gradient clipping: by the length of the whole gradient, and element by element."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlpkit import Sequential
from mlpkit.network import flat_layout
from mlpkit.training.divergence import without_warnings
from mlpkit.training.events import Watch
from mlpkit.training.gradient import clip_by_norm, clip_by_value, watched
from mlpkit.training.workers import Workers
from mlpkit_plugins.layers.affine import Affine
from mlpkit_plugins.losses.softmax_with_loss import SoftmaxWithLoss
from mlpkit_plugins.optimizers.sgd import Sgd

ELEMENTS = 48  # of the flat gradient below, the gaps at the end of each array among them


def network(dtype="float64"):
    return Sequential([Affine(5), SoftmaxWithLoss()], (5,), seed=0, dtype=dtype)


def clipped(clipper, limit, gradient, dtype="float64"):
    net = network(dtype)
    net.gradient_values[: len(gradient)] = gradient
    with without_warnings():  # as in training
        clipper(net, limit)()
    return net.gradient_values[: len(gradient)].copy()


gradients = arrays(np.float64, ELEMENTS, elements=st.floats(-1e6, 1e6))
limits = st.floats(1e-3, 1e4)


@given(gradients, limits)
def test_by_norm_as_written_out(gradient, limit):
    norm = math.sqrt(sum(value * value for value in gradient.tolist()))
    found = clipped(clip_by_norm, limit, gradient)
    if norm <= limit * (1 - 1e-12):
        np.testing.assert_array_equal(found, gradient)
    else:
        np.testing.assert_allclose(found, gradient * min(1, limit / norm), rtol=1e-12)


@given(gradients, limits)
def test_by_value_as_written_out(gradient, limit):
    expected = [min(max(value, -limit), limit) for value in gradient.tolist()]
    assert clipped(clip_by_value, limit, gradient).tolist() == expected


def test_the_norm_of_float32_is_found_where_its_squares_overflow():
    gradient = np.full(4, 1e30)
    np.testing.assert_allclose(clipped(clip_by_norm, 2.0, gradient, "float32"), 1.0, rtol=1e-6)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_left_to_be_noticed(poison):
    gradient = np.array([1e9, poison, -1e9])
    np.testing.assert_array_equal(clipped(clip_by_norm, 1.0, gradient), gradient)


@pytest.mark.parametrize("clipper", [clip_by_norm, clip_by_value])
def test_one_two_and_four_workers_one_result(clipper, monkeypatch):
    monkeypatch.setattr(flat_layout, "BLOCK", 1000)

    def bits(count):
        net = Sequential([Affine(90), Affine(70), SoftmaxWithLoss()], (80,), seed=0)
        net.gradient_values[:] = np.random.default_rng(0).normal(size=net.gradient_values.size)
        with Workers(count) as workers:
            net.map = workers.map
            clipper(net, 0.5)()
        return net.gradient_values.tobytes()

    assert len({bits(count) for count in (1, 2, 4)}) == 1


def steps_by_hand(trainer, clip, steps, learning_rate):
    """Take the steps of a trainer with the gradient clipped array by array, in plain NumPy."""
    net, minibatch = trainer.network, trainer._gradient._read
    for step in range(steps):
        gradient = net.gradient(*minibatch(step))
        for name, value in clip(gradient).items():
            net.parameters[name][...] -= learning_rate * value
    return net.values


def by_norm(gradient):
    norm = np.sqrt(sum(np.sum(array**2) for array in gradient.values()))
    assert norm > 0.3  # or the test would show nothing
    return {name: array * (0.3 / norm) for name, array in gradient.items()}


def by_value(gradient):
    assert max(np.abs(array).max() for array in gradient.values()) > 0.05
    return {name: np.clip(array, -0.05, 0.05) for name, array in gradient.items()}


@pytest.mark.parametrize(("clip", "by_hand"), [(("norm", 0.3), by_norm), (("value", 0.05), by_value)])
@pytest.mark.parametrize("slices", [1, 3])
def test_training_clips_the_gradient_of_the_whole_minibatch(clip, by_hand, slices, make_trainer):
    trainer = make_trainer(clip=clip, slices=slices, iterations=8, optimizer=Sgd(0.1))
    trainer.train()
    expected = steps_by_hand(make_trainer(iterations=8), by_hand, 8, 0.1)
    np.testing.assert_allclose(trainer.network.values, expected, rtol=0, atol=1e-12)


def test_a_limit_that_is_never_reached_changes_no_bit(make_trainer):
    trainers = [make_trainer(clip=clip) for clip in (None, ("norm", 1e9), ("value", 1e9))]
    assert len({(str(trainer.train()), trainer.network.values.tobytes()) for trainer in trainers}) == 1


def test_a_watch_sees_the_gradient_before_and_after():
    net = network()
    net.gradient_values[:2] = [3.0, -4.0]
    seen = []

    class Both(Watch):
        def gradient(self):
            seen.append(net.gradient_values[:2].tolist())

        clipped = gradient

    watched(clip_by_value(net, 3.5), [Both()])()
    watched(None, [Both()])()
    assert seen == [[3.0, -4.0], [3.0, -3.5], [3.0, -3.5], [3.0, -3.5]]
