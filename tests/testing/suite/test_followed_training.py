"""The training that callbacks follow in the suite: calls in the order of a training, with its history so far."""

from __future__ import annotations

from mlpkit import Callback
from mlpkit.components.callback import TrainingView
from mlpkit.components.schedule import Progress
from mlpkit.testing.suite.checks.callback import STEPS, CallbackExample


class Noting(Callback):
    """Notes when it is called."""

    def __init__(self):
        self.calls = []

    def on_start(self, training):
        self.calls.append(("start", training.progress.step, len(training.history)))

    def on_step(self, training, loss):
        self.calls.append(("step", training.progress.step, len(training.history)))

    def on_evaluation(self, training, record):
        assert training.history[-1] is record
        self.calls.append(("evaluation", record["iteration"], record["epoch"]))

    def on_end(self, training):
        self.calls.append(("end", training.progress.step, len(training.history)))


def test_each_third_step_is_followed_by_an_evaluation():
    noting = Noting()
    CallbackExample.follow(None, noting, TrainingView(Progress(0, 0.0, STEPS), {}, None))
    expected = [("start", 0, 0)]
    for epoch in (1, 2, 3, 4):
        expected += [("step", step, epoch - 1) for step in (3 * epoch - 2, 3 * epoch - 1, 3 * epoch)]
        expected.append(("evaluation", 3 * epoch, epoch))
    assert noting.calls == [*expected, ("end", 12, 4)]
