"""Adam."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Step
from mlpkit_plugins.optimizers.adam import Adam

RATES = st.lists(st.floats(0, 1), min_size=100, max_size=100)


def published(steps, rates, beta1, beta2, epsilon):
    """Return value, m and v after all steps, in float64: Kingma and Ba (2015), algorithm 1."""
    value = steps.value.astype(np.float64)
    m, v = np.zeros_like(value), np.zeros_like(value)
    for t, (rate, gradient) in enumerate(zip(rates, steps.gradients.astype(np.float64), strict=True), start=1):
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        value = value - rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return value, m, v


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rates=RATES,
    beta1=st.floats(0, 0.99),
    beta2=st.floats(0, 0.9999),
    epsilon=st.floats(1e-8, 1),
    cuts=st.sets(st.integers(1, 19)),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_is_as_published(make_steps, seed, rates, beta1, beta2, epsilon, cuts, scale, dtype):
    steps = make_steps(seed, scale=scale, dtype=dtype)
    optimizer = Adam(beta1=beta1, beta2=beta2, epsilon=epsilon)
    value, slots = steps.taken_by(optimizer, rates=rates, cuts=cuts)
    expected = published(steps, rates, beta1, beta2, epsilon)
    for found, right in zip((value, slots["m"], slots["v"]), expected, strict=True):
        steps.expect(found, right)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_defaults_are_the_published_ones(make_steps, dtype):
    steps = make_steps(0, dtype=dtype)
    value, _ = steps.taken_by(Adam(), rates=0.001)
    steps.expect(value, published(steps, [0.001] * 100, 0.9, 0.999, 1e-8)[0])


def test_without_memory_each_step_is_as_long_as_the_rate(make_steps):
    steps = make_steps(0, steps=1)
    value, _ = steps.taken_by(Adam(beta1=0, beta2=0, epsilon=1e-300), rates=0.5)
    np.testing.assert_allclose(value, steps.value - 0.5 * np.sign(steps.gradients[0]), rtol=1e-14)


def test_goes_on_after_very_many_steps():
    value, slots = np.zeros(1), {"m": np.ones(1), "v": np.ones(1)}
    Adam().update(value, np.ones(1), slots, Step(0.5, 10**9))
    np.testing.assert_allclose(value, -0.5, rtol=1e-6)
