"""Ending a training when its time is over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from networks import Kept

from mlpkit import Progress, TrainingView
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.training import callbacks as time_budget
from mlpkit.training.callbacks import TimeBudget


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that goes on by a second whenever somebody looks at it."""

    class Clock:
        now = 100.0

        def __call__(self):
            self.now += 1
            return self.now

    clock = Clock()
    monkeypatch.setattr(time_budget, "time", SimpleNamespace(monotonic=clock))
    return clock


def test_training_ends_with_an_evaluation_after_the_step_in_which_the_time_is_over(make_trainer, clock):
    trainer = make_trainer(iterations=None, evaluate_every=5, seconds=7.0)
    assert [record["iteration"] for record in trainer.train()] == [5, 7]
    assert trainer.stopped == "the time of 7 s is over"


def test_time_before_a_resume_counts_and_the_break_does_not(make_trainer, clock):
    def make(store):
        return make_trainer(iterations=None, seconds=20.0, store=store, checkpoint=checkpoint)

    checkpoint, kept = CheckpointSection(every=1), Kept()
    make(kept).train()
    snapshot = kept.saved[3]
    assert snapshot.metadata["callbacks"] == [{"seconds": 8.0}]  # a look in each step, and one in each saving
    clock.now += 1000
    again = make(None)
    again.restore(snapshot)
    again.train()
    assert again.progress.step == 4 + 12


def test_the_number_of_steps_is_not_known(make_trainer, toy, clock):
    seen = []

    class Curious(toy.RecordingCallback):
        def on_step(self, training, loss):
            seen.append(getattr(training.progress, "total_steps", "unknown"))

    trainer = make_trainer(callbacks=[Curious()], iterations=None, seconds=2.0)
    trainer.train()
    assert seen == ["unknown"] * 2
    assert "step=2" in repr(trainer.progress)


def test_it_asks_to_stop_at_any_later_step_too(clock):
    view, budget = TrainingView(Progress(1, 0.1, 10), {}), TimeBudget(3.0)
    budget.on_start(view)
    clock.now += 50
    budget.on_step(view, 0.5)
    assert view.stop_reason
