"""Holding a training between two steps, and letting it go on."""

from __future__ import annotations

import threading

import numpy as np

from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.live.server import PausableStopRequest


class Pausing(Observer):
    """Pauses after an evaluation, and has another thread do something then."""

    def __init__(self, stop, then):
        self.stop, self.timer, self.paused_at = stop, threading.Timer(0.2, then), None

    def evaluated(self, record, seconds):
        if self.paused_at is None:
            self.paused_at = record["iteration"]
            self.stop.paused = True
            self.timer.start()


def test_a_training_that_was_paused_gives_the_same_bits(make_trainer):
    whole = make_trainer(iterations=20, evaluate_every=5)
    whole.train()
    stop = PausableStopRequest()
    held = []

    def go_on():
        held.append(trainer.progress.step)
        stop.paused = False

    observer = Pausing(stop, go_on)
    trainer = make_trainer(iterations=20, evaluate_every=5, observer=observer, stop=stop)
    assert trainer.train() == whole.history
    assert np.array_equal(trainer.network.values, whole.network.values)
    assert held[0] in (5, 6)  # the request is looked at after the next step
    assert trainer.stopped == ""


def test_a_training_that_is_paused_can_be_stopped(make_trainer):
    stop = PausableStopRequest()
    observer = Pausing(stop, lambda: stop.stop("SIGINT"))
    trainer = make_trainer(iterations=20, evaluate_every=5, observer=observer, stop=stop)
    trainer.train()
    assert (trainer.stopped, trainer.progress.step <= 6) == ("SIGINT", True)


def test_without_a_pause_it_is_a_request_like_any_other():
    for request in (StopRequest(), PausableStopRequest()):
        assert request.reason == ""
        request.stop("SIGTERM")
        assert request.reason == "SIGTERM"
