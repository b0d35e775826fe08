"""What watches are called with, and when; and that they change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mlpkit import DivergenceError
from mlpkit.training.events import Watch
from mlpkit_plugins.optimizers.sgd import Sgd


class Diary(Watch):
    """Writes down each call, and how many steps were done."""

    def __init__(self):
        self.calls = []
        self.gradients = []

    def began(self, view, learning_rate):
        self.view = view
        self.calls.append(("began", view.progress.step, learning_rate))

    def before_evaluated_step(self):
        self.calls.append(("before", self.view.progress.step))

    def gradient(self):
        self.gradients.append(("gradient", self.view.progress.step, self.network.gradient_values.copy()))

    def clipped(self):
        self.gradients.append(("clipped", self.view.progress.step, self.network.gradient_values.copy()))

    def evaluated(self, learning_rate, *, last):
        self.calls.append(("evaluated", self.view.progress.step, learning_rate, len(self.view.history), last))

    def diverged(self, learning_rate):
        self.calls.append(("diverged", self.view.progress.step, learning_rate))


class EachStep(Diary):
    each_step = True


def test_a_watch_is_called_around_evaluations(make_trainer):
    diary = Diary()
    make_trainer(watches=[diary], iterations=5, evaluate_every=2).train()
    assert diary.calls == [
        ("began", 0, 0.1),
        ("before", 1),
        ("evaluated", 2, 0.1, 1, False),
        ("before", 3),
        ("evaluated", 4, 0.1, 2, False),
        ("before", 4),
        ("evaluated", 5, 0.1, 3, True),
    ]
    assert diary.gradients == []


def test_a_watch_of_each_step_sees_the_gradient_before_and_after_it_is_clipped(make_trainer):
    diary = EachStep()
    trainer = make_trainer(watches=[diary], iterations=3, clip=("value", 0.01))
    diary.network = trainer.network
    trainer.train()
    assert [call[:2] for call in diary.gradients] == [(what, i) for i in range(3) for what in ("gradient", "clipped")]
    for (_, _, gradient), (_, _, clipped) in zip(diary.gradients[::2], diary.gradients[1::2], strict=True):
        np.testing.assert_array_equal(clipped, np.clip(gradient, -0.01, 0.01))


def test_watched_trainings_have_the_same_bits(make_trainer):
    watched, alone = EachStep(), make_trainer()
    trainer = make_trainer(watches=[Diary(), watched])
    watched.network = trainer.network
    assert str(trainer.train()) == str(alone.train())
    assert trainer.network.values.tobytes() == alone.network.values.tobytes()


def test_after_a_resume_a_watch_begins_where_training_does(make_trainer):
    half = make_trainer(iterations=8, evaluate_every=3)
    half.progress.step = 3
    snapshot, diary = half.snapshot(), Diary()
    trainer = make_trainer(watches=[diary], iterations=8, evaluate_every=3)
    trainer.restore(snapshot)
    trainer.train()
    assert diary.calls[0] == ("began", 3, 0.1)


def test_a_training_that_diverges_tells_its_watches(make_trainer):
    diary = Diary()
    with pytest.raises(DivergenceError):
        make_trainer(watches=[diary], optimizer=Sgd(1e308), iterations=8, evaluate_every=8).train()
    assert [call[0] for call in diary.calls] == ["began", "diverged"]
