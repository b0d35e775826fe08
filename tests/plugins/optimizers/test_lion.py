"""Lion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit import Step
from mlpkit_plugins.optimizers.lion import Lion

RATES = st.lists(st.floats(0, 1), min_size=100, max_size=100)


def published(steps, rates, beta1, beta2, weight_decay):
    """Return the value after all steps, in float64: Chen and others (2023), algorithm 2."""
    value = steps.value.astype(np.float64)
    m = np.zeros_like(value)
    for rate, gradient in zip(rates, steps.gradients.astype(np.float64), strict=True):
        c = beta1 * m + (1 - beta1) * gradient
        value = value - rate * (np.sign(c) + weight_decay * value)
        m = beta2 * m + (1 - beta2) * gradient
    return value


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rates=RATES,
    beta1=st.floats(0, 0.999),
    beta2=st.floats(0, 0.999),
    weight_decay=st.floats(0, 1),
    decay=st.booleans(),
    cuts=st.sets(st.integers(1, 19)),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_is_as_published(make_steps, seed, rates, beta1, beta2, weight_decay, decay, cuts, scale):
    steps = make_steps(seed, scale=scale)
    optimizer = Lion(beta1=beta1, beta2=beta2, weight_decay=weight_decay)
    value, _ = steps.taken_by(optimizer, rates=rates, cuts=cuts, decay=decay)
    steps.expect(value, published(steps, rates, beta1, beta2, weight_decay if decay else 0.0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_defaults_are_the_published_ones(make_steps, dtype):
    steps = make_steps(0, dtype=dtype)
    value, _ = steps.taken_by(Lion(), rates=0.0001)
    steps.expect(value, published(steps, [0.0001] * 100, 0.9, 0.99, 0.0))


def test_every_element_moves_by_the_rate_or_not_at_all():
    value = np.zeros(3)
    Lion().update(value, np.array([1e-30, 0.0, -1e30]), {"m": np.zeros(3)}, Step(0.5, 1))
    assert value.tolist() == [-0.5, 0.0, 0.5]


def test_what_is_not_a_number_is_not_hidden():
    value = np.zeros(1)
    Lion().update(value, np.array([np.nan]), {"m": np.zeros(1)}, Step(0.5, 1))
    assert np.isnan(value).all()


def test_where_the_gradient_is_zero_only_decay_is_left(make_steps):
    steps = make_steps(0, steps=10, scale=0.0)
    value, _ = steps.taken_by(Lion(weight_decay=0.5), rates=0.1)
    np.testing.assert_allclose(value, steps.value * 0.95**10, rtol=1e-14)
