"""Adam with Nesterov's momentum and decoupled weight decay."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit_plugins.optimizers.nadamw import Nadamw


def published(steps, rate, beta1, beta2, momentum_decay, epsilon, weight_decay):
    """Return the value after all steps: Dozat (2016) as PyTorch's NAdam reads it, with decoupled weight decay."""
    value = steps.value.astype(np.float64)
    m, v, product = np.zeros_like(value), np.zeros_like(value), 1.0
    for t, gradient in enumerate(steps.gradients.astype(np.float64), start=1):
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        ahead = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        product *= mu
        value = value * (1 - rate * weight_decay)
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        root = np.sqrt(v / (1 - beta2**t)) + epsilon
        value = value - rate * (1 - mu) / (1 - product) * gradient / root
        value = value - rate * ahead / (1 - product * ahead) * m / root
    return value


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rate=st.floats(1e-4, 0.1),
    beta1=st.floats(0, 0.99),
    beta2=st.floats(0, 0.9999),
    momentum_decay=st.sampled_from([0.0, 0.004, 0.1]),
    epsilon=st.floats(1e-8, 1),
    weight_decay=st.sampled_from([0.0, 0.01, 1.0]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_is_as_published(make_steps, seed, rate, dtype, **parameters):
    steps = make_steps(seed, dtype=dtype)
    value, _ = steps.taken_by(Nadamw(**parameters), rates=rate)
    steps.expect(value, published(steps, rate, **parameters))


def test_its_defaults_are_those_it_says(make_steps):
    steps = make_steps(0)
    value, _ = steps.taken_by(Nadamw(), rates=0.001)
    steps.expect(value, published(steps, 0.001, 0.9, 0.999, 0.004, 1e-8, 0.01))


def test_parameters_that_do_not_decay_take_the_step_alone(make_steps):
    steps = make_steps(0)
    still = steps.taken_by(Nadamw(weight_decay=0.5), decay=0)[0]
    assert still.tobytes() == steps.taken_by(Nadamw(weight_decay=0))[0].tobytes()
