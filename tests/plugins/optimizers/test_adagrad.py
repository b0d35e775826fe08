"""Adagrad."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit_plugins.optimizers.adagrad import Adagrad

RATES = st.lists(st.floats(0, 1), min_size=100, max_size=100)


def published(steps, rates, epsilon, weight_decay):
    """Return the value after all steps, in float64: Duchi, Hazan and Singer (2011), with weight decay."""
    value = steps.value.astype(np.float64)
    v = np.zeros_like(value)
    for rate, gradient in zip(rates, steps.gradients.astype(np.float64), strict=True):
        g = gradient + weight_decay * value
        v = v + g**2
        value = value - rate * g / (np.sqrt(v) + epsilon)
    return value


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rates=RATES,
    epsilon=st.floats(1e-10, 1),
    weight_decay=st.floats(0, 0.1),
    decay=st.booleans(),
    cuts=st.sets(st.integers(1, 19)),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_is_as_published(make_steps, seed, rates, epsilon, weight_decay, decay, cuts, scale, dtype):
    steps = make_steps(seed, scale=scale, dtype=dtype)
    value, _ = steps.taken_by(Adagrad(epsilon=epsilon, weight_decay=weight_decay), rates=rates, cuts=cuts, decay=decay)
    steps.expect(value, published(steps, rates, epsilon, weight_decay if decay else 0.0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_defaults_are_those_it_says(make_steps, dtype):
    steps = make_steps(0, dtype=dtype)
    value, _ = steps.taken_by(Adagrad(), rates=0.01)
    steps.expect(value, published(steps, [0.01] * 100, 1e-10, 0.0))
    assert not Adagrad().uses_decay


def test_the_first_step_is_as_long_as_the_rate(make_steps):
    steps = make_steps(0, steps=1)
    value, _ = steps.taken_by(Adagrad(), rates=0.5)
    np.testing.assert_allclose(value, steps.value - 0.5 * np.sign(steps.gradients[0]), rtol=1e-7)
