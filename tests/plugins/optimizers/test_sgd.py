"""Stochastic gradient descent, plain, with momentum, and with Nesterov's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlpkit import Step
from mlpkit_plugins.optimizers.sgd import Sgd

finite = arrays.arrays(np.float64, 20, elements=st.floats(-1e6, 1e6))
rates = st.lists(st.floats(0, 1), min_size=100, max_size=100)


@given(value=finite, gradient=finite, rate=st.floats(0, 10), dtype=st.sampled_from(["float32", "float64"]))
def test_without_momentum_it_takes_a_step_down_the_gradient(value, gradient, rate, dtype):
    value, gradient = value.astype(dtype), gradient.astype(dtype)
    expected = value - gradient * np.array(rate, dtype)
    Sgd().update(value, gradient, {}, Step(rate, 1))
    assert value.tobytes() == expected.tobytes()


def published(steps, rates, momentum, nesterov, weight_decay=0.0):
    """Return the value after all steps, in float64: Sutskever and others (2013), the rate outside the velocity."""
    value = steps.value.astype(np.float64)
    velocity = np.zeros_like(value)
    for rate, gradient in zip(rates, steps.gradients.astype(np.float64), strict=True):
        g = gradient + weight_decay * value
        velocity = momentum * velocity + g
        value = value - rate * (g + momentum * velocity if nesterov else velocity)
    return value


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rates=rates,
    momentum=st.floats(0, 0.999, exclude_min=True),
    nesterov=st.booleans(),
    cuts=st.sets(st.integers(1, 19)),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_momentum_is_as_published(make_steps, seed, rates, momentum, nesterov, cuts, scale, dtype):
    steps = make_steps(seed, scale=scale, dtype=dtype)
    value, _ = steps.taken_by(Sgd(momentum=momentum, nesterov=nesterov), rates=rates, cuts=cuts)
    steps.expect(value, published(steps, rates, momentum, nesterov))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rates=rates,
    momentum=st.floats(0, 0.9),
    nesterov=st.booleans(),
    weight_decay=st.floats(0, 0.1),
    cuts=st.sets(st.integers(1, 19)),
)
def test_weight_decay_is_added_to_the_gradient(make_steps, seed, rates, momentum, nesterov, weight_decay, cuts):
    steps, nesterov = make_steps(seed), nesterov and momentum > 0
    optimizer = Sgd(momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
    value, _ = steps.taken_by(optimizer, rates=rates, cuts=cuts)
    steps.expect(value, published(steps, rates, momentum, nesterov, weight_decay))


def test_what_does_not_decay_takes_the_step_without(make_steps):
    steps = make_steps(0, dtype="float32")
    plain = steps.taken_by(Sgd(momentum=0.9))[0].tobytes()
    assert steps.taken_by(Sgd(momentum=0.9, weight_decay=0.1), decay=False)[0].tobytes() == plain
    assert steps.taken_by(Sgd(momentum=0.9, weight_decay=0.1), decay=True)[0].tobytes() != plain
    assert not Sgd(weight_decay=0).uses_decay


def test_two_steps_of_momentum_by_hand():
    value, slots = np.array([10.0]), {"velocity": np.zeros(1)}
    for step, expected in ((1, 9.5), (2, 8.75)):
        Sgd(momentum=0.5).update(value, np.ones(1), slots, Step(0.5, step))
        assert value == [expected]
    value, slots = np.array([10.0]), {"velocity": np.zeros(1)}
    for step, expected in ((1, 9.25), (2, 8.375)):
        optimizer = Sgd(momentum=0.5, nesterov=True)
        optimizer.update(value, np.ones(1), slots, Step(0.5, step))
        assert value == [expected]


def test_only_momentum_needs_a_slot():
    assert Sgd().slots == Sgd(momentum=0).slots == Sgd.slots == ()
    assert Sgd(momentum=1e-3).slots == Sgd(momentum=0.9, nesterov=True).slots == ("velocity",)
