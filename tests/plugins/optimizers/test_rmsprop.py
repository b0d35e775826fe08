"""RMSprop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit_plugins.optimizers.rmsprop import Rmsprop

RATES = st.lists(st.floats(0, 1), min_size=100, max_size=100)


def published(steps, rates, rho, momentum, epsilon, weight_decay):
    """Return the value after all steps, in float64: Tieleman and Hinton (2012), with momentum and weight decay."""
    value = steps.value.astype(np.float64)
    v, velocity = np.zeros_like(value), np.zeros_like(value)
    for rate, gradient in zip(rates, steps.gradients.astype(np.float64), strict=True):
        g = gradient + weight_decay * value
        v = rho * v + (1 - rho) * g**2
        velocity = momentum * velocity + g / (np.sqrt(v) + epsilon)
        value = value - rate * velocity
    return value


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rates=RATES,
    rho=st.floats(0, 0.999),
    momentum=st.floats(0, 0.99),
    epsilon=st.floats(1e-8, 1),
    weight_decay=st.sampled_from([0.0, 1e-3]),
    decay=st.booleans(),
    cuts=st.sets(st.integers(1, 19)),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_is_as_published(make_steps, seed, rates, rho, momentum, epsilon, weight_decay, decay, cuts, scale):
    steps = make_steps(seed, scale=scale)
    optimizer = Rmsprop(rho=rho, momentum=momentum, epsilon=epsilon, weight_decay=weight_decay)
    value, _ = steps.taken_by(optimizer, rates=rates, cuts=cuts, decay=decay)
    expected = published(steps, rates, rho, momentum, epsilon, weight_decay if decay else 0.0)
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_defaults_are_those_it_says(make_steps, dtype):
    steps = make_steps(0, dtype=dtype)
    value, slots = steps.taken_by(Rmsprop(), rates=0.001)
    steps.expect(value, published(steps, [0.001] * 100, 0.9, 0.0, 1e-8, 0.0))
    assert list(slots) == ["v"]


def test_only_momentum_needs_a_second_slot():
    assert Rmsprop(momentum=0.5).slots == ("v", "velocity")
    assert Rmsprop(weight_decay=0.1).uses_decay
    assert not Rmsprop().uses_decay
