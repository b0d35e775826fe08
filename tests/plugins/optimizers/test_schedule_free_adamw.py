"""Schedule-free AdamW, against a transcription of its publication, and in a training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpkit
from mlpkit import SpecError
from mlpkit_plugins.optimizers.schedule_free_adamw import ScheduleFreeAdamw


def published(steps, rate, beta1, beta2, epsilon, weight_decay, warmup):
    """Return y and x after all steps: algorithm 1 of Defazio and others (2024), as the package schedulefree has it."""
    x = z = y = steps.value.astype(np.float64)
    v, squares = np.zeros_like(z), 0.0
    for t, gradient in enumerate(steps.gradients.astype(np.float64), start=1):
        v = beta2 * v + (1 - beta2) * gradient**2
        gamma = rate * min(1, t / warmup) if warmup else rate
        z = z - gamma * gradient / (np.sqrt(v / (1 - beta2**t)) + epsilon) - gamma * weight_decay * y
        squares += gamma**2
        c = gamma**2 / squares
        x = (1 - c) * x + c * z
        y = (1 - beta1) * z + beta1 * x
    return y, x


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rate=st.floats(1e-4, 0.1),
    beta1=st.floats(0, 0.99),
    beta2=st.floats(0, 0.9999),
    epsilon=st.floats(1e-8, 1),
    weight_decay=st.sampled_from([0.0, 0.01, 1.0]),
    warmup=st.sampled_from([0, 1, 30, 1000]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_is_as_published(make_steps, seed, rate, dtype, **parameters):
    steps = make_steps(seed, dtype=dtype)
    value, slots = steps.taken_by(ScheduleFreeAdamw(**parameters), rates=rate)
    y, x = published(steps, rate, **parameters)
    steps.expect(value, y)
    steps.expect(slots["x"], x)


def test_its_defaults_are_the_published_ones(make_steps):
    steps = make_steps(0)
    value, slots = steps.taken_by(ScheduleFreeAdamw(), rates=0.0025)
    y, x = published(steps, 0.0025, 0.9, 0.999, 1e-8, 0.0, 0)
    steps.expect(value, y)
    steps.expect(slots["x"], x)


def test_parameters_that_do_not_decay_take_the_step_alone(make_steps):
    steps = make_steps(0)
    still = steps.taken_by(ScheduleFreeAdamw(weight_decay=0.5), decay=0)[0]
    assert still.tobytes() == steps.taken_by(ScheduleFreeAdamw())[0].tobytes()


SPEC = """\
mlpkit: 1
data: {mnist: {validation: 5000}}
layers:
  - Affine: {units: 10}
  - SoftmaxWithLoss
training:
  optimizer: schedule_free_adamw
  batch_size: 100
  seconds: 1
  evaluate_every: 50
"""


@pytest.fixture
def spec(tmp_path):
    """Return the path of a spec that trains for a second."""
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_it_suits_a_training_that_a_clock_ends(spec):
    run = mlpkit.run(mlpkit.load_spec(spec), directory=None)
    assert run.history[-1]["validation_loss"] < 0.6


def test_a_schedule_is_refused_at_its_line(spec):
    rate = {"cosine": {"peak": 0.1}}
    with pytest.raises(SpecError, match=r"a mapping is not a number\n.*\n.*\n  expected: a number, greater than 0"):
        mlpkit.load_spec(spec, overrides={"training.optimizer.schedule_free_adamw.learning_rate": rate})
