"""When a run is saved, and which evaluation is its best."""

from __future__ import annotations

import math

import pytest

from mlpkit.specfile.sections import CheckpointSection
from mlpkit.training import checkpointing
from mlpkit.training.checkpointing import Best, BestTracker, CheckpointSchedule


def due(triggers, steps=40, steps_per_epoch=7):
    schedule, found = CheckpointSchedule(triggers, steps_per_epoch), [0]
    while schedule.next_step(found[-1]) < steps:
        found.append(schedule.next_step(found[-1]))
    return found[1:]


def test_steps_epochs_and_both():
    assert due(CheckpointSection(every=10)) == [10, 20, 30]
    assert due(CheckpointSection(every_epochs=2)) == [14, 28]
    assert due(CheckpointSection(every=10, every_epochs=2)) == [10, 14, 20, 28, 30]
    assert due(CheckpointSection(every_seconds=0.001)) == due(CheckpointSection()) == []


def test_a_resumed_run_keeps_to_the_steps_of_the_whole():
    schedule = CheckpointSchedule(CheckpointSection(every=10), 7)
    assert [schedule.next_step(step) for step in (0, 9, 10, 25)] == [10, 10, 20, 30]


def test_seconds(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(checkpointing.time, "perf_counter", lambda: now[0])
    schedule = CheckpointSchedule(CheckpointSection(every=3, every_seconds=5), 7)
    assert schedule.deadline == 105
    now[0] = 106.5
    schedule.restart_clock()
    assert schedule.deadline == 111.5
    assert CheckpointSchedule(CheckpointSection(every=3), 7).deadline == math.inf


def ranked(values, **settings):
    order = BestTracker("loss", **settings)
    records = [{"iteration": i, "train_loss": 0.0, "validation_loss": value} for i, value in enumerate(values)]
    return [int(record["iteration"]) for record in records if order.improved(record)], order.best


def test_the_best_is_the_lowest_or_the_highest_and_never_one_that_is_not_finite():
    values = [math.nan, 3.0, -math.inf, 3.0, 2.0, math.inf, 2.5]
    assert ranked(values) == ([1, 4], Best(4, 2.0))
    assert ranked(values, higher_is_better=True) == ([1], Best(1, 3.0))
    assert ranked([math.nan, math.inf]) == ([], None)


def test_a_change_that_is_too_small_does_not_count():
    values = [3.0, 2.9, 2.5, 2.4, 2.0]
    assert ranked(values, minimum_change=0.25) == ([0, 2, 4], Best(4, 2.0))
    assert ranked([-value for value in values], higher_is_better=True, minimum_change=0.5)[0] == [0, 3]


def test_without_validation_data_the_training_data_counts():
    order = BestTracker("accuracy", higher_is_better=True)
    assert order.improved({"iteration": 5, "train_loss": 1.0, "train_accuracy": 0.5})
    assert order.best == Best(5, 0.5)


def test_a_figure_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        BestTracker("accuracy").improved({"iteration": 5, "train_loss": 1.0})


@pytest.mark.parametrize(("last", "best"), [(False, 2), (True, 4)])
@pytest.mark.parametrize("higher", [False, True])
def test_the_first_or_the_last_of_equals_is_the_best(last, best, higher):
    tracker = BestTracker("loss", higher_is_better=higher, last_of_equals=last)
    values = [2.0, 1.0, 1.5, 1.0, 1.25]
    for i, value in enumerate(values, start=1):
        tracker.improved({"iteration": i, "validation_loss": -value if higher else value})
    assert tracker.best.step == best
