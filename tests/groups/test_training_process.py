"""Events that cross from one process to another."""

from __future__ import annotations

import json

import pytest

from mlpkit.components.schedule import Progress
from mlpkit.errors import Diagnostic
from mlpkit.groups.local_workers import event_from, plain_event
from mlpkit.training.events import Event
from mlpkit.training.health import Symptom


def after_the_crossing(event):
    return event_from(5, *json.loads(json.dumps(plain_event(event))))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("resumed", (4,)),
        ("started", (None,)),
        ("evaluated", ({"iteration": 2, "train_loss": 0.1}, 0.25)),
        ("diagnosed", (Symptom("dead_units", "Relu1", "9 of 10 units", ("less", "more"), 100),)),
        ("noticed", ("other versions",)),
    ],
)
def test_an_event_is_the_same_afterwards(kind, data):
    assert after_the_crossing(Event(0, kind, data)) == Event(5, kind, data)


def test_steps_done_and_the_text_of_a_warning_are_known_afterwards():
    _, kind, (progress, loss) = after_the_crossing(Event(0, "stepped", (Progress(7, 0.5, 10), 0.125)))
    assert (kind, progress.step, progress.epoch, loss) == ("stepped", 7, 0.5, 0.125)
    warning = Diagnostic("a.yaml", 3, 1, "a column tells the target")
    assert after_the_crossing(Event(0, "warned", (warning,))) == Event(5, "noticed", (str(warning),))
