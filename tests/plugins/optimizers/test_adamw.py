"""Adam with decoupled weight decay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit_plugins.optimizers.adam import Adam
from mlpkit_plugins.optimizers.adamw import Adamw

RATES = st.lists(st.floats(0, 1), min_size=100, max_size=100)


def published(steps, rates, beta1, beta2, epsilon, weight_decay):
    """Return the value after all steps, in float64: Loshchilov and Hutter (2019), algorithm 2, λ = rate decay."""
    value = steps.value.astype(np.float64)
    m, v = np.zeros_like(value), np.zeros_like(value)
    for t, (rate, gradient) in enumerate(zip(rates, steps.gradients.astype(np.float64), strict=True), start=1):
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        value = value - rate * m_hat / (np.sqrt(v_hat) + epsilon) - rate * weight_decay * value
    return value


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rates=RATES,
    beta1=st.floats(0, 0.99),
    beta2=st.floats(0, 0.9999),
    epsilon=st.floats(1e-8, 1),
    weight_decay=st.floats(0, 1),
    decay=st.booleans(),
    cuts=st.sets(st.integers(1, 19)),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_is_as_published(make_steps, seed, rates, beta1, beta2, epsilon, weight_decay, decay, cuts, scale, dtype):
    steps = make_steps(seed, scale=scale, dtype=dtype)
    optimizer = Adamw(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)
    value, _ = steps.taken_by(optimizer, rates=rates, cuts=cuts, decay=decay)
    steps.expect(value, published(steps, rates, beta1, beta2, epsilon, weight_decay if decay else 0.0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_defaults_are_those_of_adam_and_a_hundredth(make_steps, dtype):
    steps = make_steps(0, dtype=dtype)
    value, _ = steps.taken_by(Adamw(), rates=0.001)
    steps.expect(value, published(steps, [0.001] * 100, 0.9, 0.999, 1e-8, 0.01))


def test_without_decay_it_is_adam_to_the_bit(make_steps):
    steps = make_steps(0, dtype="float32")
    adam = steps.taken_by(Adam())[0].tobytes()
    assert steps.taken_by(Adamw(), decay=False)[0].tobytes() == adam
    assert steps.taken_by(Adamw(weight_decay=0), decay=True)[0].tobytes() == adam
    assert steps.taken_by(Adamw(), decay=True)[0].tobytes() != adam


def test_where_the_gradient_is_zero_only_decay_is_left(make_steps):
    steps = make_steps(0, steps=10, scale=0.0)
    value, _ = steps.taken_by(Adamw(weight_decay=0.5), rates=0.1)
    np.testing.assert_allclose(value, steps.value * 0.95**10, rtol=1e-14)


def test_it_uses_decay_only_if_there_is_some():
    assert Adamw().uses_decay
    assert Adamw(weight_decay=1e-9).uses_decay
    assert not Adamw(weight_decay=0).uses_decay
