"""Ending a training that is good enough."""

from __future__ import annotations

import math

import pytest

from mlpkit import Progress, TrainingView
from mlpkit.training.callbacks import Goal


@pytest.mark.parametrize(
    ("higher", "values", "ends_after"),
    [(True, [0.5, 0.59, 0.6], 2), (False, [0.7, math.nan, 0.3], 2), (True, [0.5, 0.4], None)],
)
def test_a_training_ends_when_the_goal_is_reached(higher, values, ends_after):
    view, goal = TrainingView(Progress(0, 0.0, 100), {}), Goal("accuracy", 0.6, higher_is_better=higher)
    stopped = []
    for step, value in enumerate(values):
        goal.on_evaluation(view, {"iteration": step, "train_accuracy": value})
        stopped.append(view.stop_reason)
    reached = [reason for reason in stopped if reason]
    assert (stopped.index(reached[0]) if reached else None) == ends_after
    assert set(reached) <= {"accuracy has reached 0.6"}
