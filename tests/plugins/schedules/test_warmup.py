"""The way up to another schedule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpkit
from mlpkit import ParameterError, Progress
from mlpkit_plugins.schedules.constant import Constant
from mlpkit_plugins.schedules.cosine import Cosine
from mlpkit_plugins.schedules.one_cycle import OneCycle
from mlpkit_plugins.schedules.step import Step
from mlpkit_plugins.schedules.warmup import Warmup


def test_rises_in_a_straight_line_to_the_schedule_and_follows_it():
    warm = Warmup(Constant(8.0), steps=4)
    assert [warm(Progress(step, 0.0, 7)) for step in range(7)] == [2, 4, 6, 8, 8, 8, 8]


@settings(deadline=None)
@given(
    schedule=st.sampled_from([Constant(0.3), Cosine(0.3), OneCycle(0.3), Step(0.3, 2), Warmup(Cosine(0.3), 7)]),
    steps=st.integers(1, 150),
)
def test_is_the_schedule_times_a_share(schedule, steps):
    warm = Warmup(schedule, steps)
    for step in range(100):
        progress = Progress(step, step / 10, 100)
        assert warm(progress) == pytest.approx(schedule(progress) * min(1, (step + 1) / steps), rel=1e-15)


SPEC = """\
mlpkit: 1
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: {sgd: {learning_rate: {warmup: {schedule: {cosine: {first: 0.5}}, steps: 10}}}}
  batch_size: 100
  iterations: 5
"""


def test_a_spec_can_ask_for_it(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC, encoding="utf-8")
    run = mlpkit.run(mlpkit.load_spec(path), directory=None)
    expected = Warmup(Cosine(0.5), 10)(Progress(4, 0.0, 5))
    assert run.history[-1]["learning_rate"] == pytest.approx(expected)


def test_there_is_at_least_one_step():
    with pytest.raises(ParameterError, match="steps: 0 is out of range; expected an integer, at least 1"):
        Warmup(Constant(1.0), 0)
