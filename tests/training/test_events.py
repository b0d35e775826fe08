"""Events of a training: who receives them, and which become Python's warnings."""

from __future__ import annotations

import warnings

import pytest

from mlpkit.errors import Diagnostic
from mlpkit.training.events import Event, Observer, ObserverGroup, TrainingEnd, python_warnings

OLD = Diagnostic("spec.yaml", 6, 5, "layer old.Old is deprecated")


class Recorder(Observer):
    """Remembers what it received."""

    def __init__(self):
        self.received = []

    def noticed(self, message):
        self.received.append(message)


def test_a_group_hands_each_event_with_its_run_to_all_in_order():
    events, recorder = [], Recorder()
    group = ObserverGroup([events.append, recorder, lambda event: events.append(event.kind)])
    group.noticed("slow")
    group(Event(8, "noticed", ("slower",)))
    assert events == [Event(0, "noticed", ("slow",)), "noticed", Event(8, "noticed", ("slower",)), "noticed"]
    assert recorder.received == ["slow", "slower"]


def test_an_observer_leaves_out_events_that_it_has_no_method_for():
    recorder = Recorder()
    recorder(Event(0, "began", ({}, 1)))
    recorder(Event(0, "ended", ()))
    assert recorder.received == []


@pytest.mark.parametrize(
    ("kind", "data", "what", "category", "message"),
    [
        ("warned", OLD, "", FutureWarning, str(OLD)),
        ("warned", OLD, "seed", UserWarning, str(OLD)),
        ("noticed", "few rows", "", UserWarning, "few rows"),
        ("noticed", "few rows", "seed", UserWarning, "seed 8: few rows"),
        ("over", TrainingEnd(failure="training diverged"), "", UserWarning, "training diverged"),
        ("over", TrainingEnd(failure="training diverged"), "seed", UserWarning, "seed 8: training diverged"),
    ],
)
def test_warnings_and_failures_become_warnings_of_python(kind, data, what, category, message):
    with pytest.warns() as caught:
        python_warnings(what)(Event(8, kind, (data,)))
    assert [(each.category, str(each.message)) for each in caught] == [(category, message)]


def test_a_training_that_ends_well_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        python_warnings("seed")(Event(8, "over", (TrainingEnd(steps=3),)))
        python_warnings().ended()


def test_a_warning_names_the_line_that_the_event_comes_from():
    with pytest.warns(UserWarning, match="few rows") as caught:
        python_warnings().noticed("few rows")
    assert caught[0].filename == __file__
