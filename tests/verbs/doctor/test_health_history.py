"""What a training is said to have been so far."""

from __future__ import annotations

import pytest

from mlpkit.verbs.doctor.health_history import HealthHistory, TrainingFacts


@pytest.mark.parametrize(
    ("iteration", "learning_rate", "rise"), [(0, 0.1, 20), (0, 0.2, None), (0, None, None), (10, 0.1, None)]
)
def test_the_rate_rises_from_that_before_the_first_step(iteration, learning_rate, rise):
    """A run that is resumed, without what was found before, has its first probe later."""
    healths = [{"iteration": iteration, "learning_rate": learning_rate}]
    history = [{"iteration": 20, "learning_rate": 0.2}, {"iteration": 40, "learning_rate": 0.2}]
    assert HealthHistory(TrainingFacts(10), history, healths).last_rise == rise


@pytest.mark.parametrize(("more", "rise"), [(0.9e-5, None), (1.1e-5, 20)])
def test_a_rise_is_more_than_the_rounding_of_rates(more, rise):
    history = [{"iteration": step, "learning_rate": rate} for step, rate in ((10, 1.0), (20, 1.0 + more))]
    assert HealthHistory(TrainingFacts(10), history, []).last_rise == rise
