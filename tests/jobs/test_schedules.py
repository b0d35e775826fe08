"""The schedules of a spec: the values that they take in training, and what scales them."""

from __future__ import annotations

import re

import pytest

import mlpkit
from mlpkit import Description, Values
from mlpkit.jobs.schedules import scale_of_rate, schedule_faults
from mlpkit.specfile.spec import Spec

PLUGIN = """\
from mlpkit import Schedule, component, hookimpl


class Falling(Schedule):
    \"\"\"Falls by one every step, and is out of range after some.

    Args:
        first: the first value.
    \"\"\"

    def __init__(self, first: float) -> None:
        self.first = first

    def __call__(self, progress):
        return self.first - progress.step


class Failing(Falling):
    \"\"\"Fails.\"\"\"

    def __call__(self, progress):
        return 1 / 0


class Shifted(Falling):
    \"\"\"Isn't scaled by any number.\"\"\"

    def __call__(self, progress):
        return self.first + 0.5


@hookimpl
def mlpkit_components():
    return [component("schedule", name, found) for name, found in
            (("falling", Falling), ("failing", Failing), ("shifted", Shifted))]
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """Return a function that loads a spec with a learning rate."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acme.py").write_text(PLUGIN)

    def load(rate, **training) -> Spec:
        length = {} if {"iterations", "seconds"} & training.keys() else {"epochs": 3}
        training = {"optimizer": {"sgd": {"learning_rate": rate}}, "batch_size": 10, **length, **training}
        spec = {"mlpkit": 1, "data": "mnist", "layers": [{"Affine": {"units": 1}}, "MeanSquaredError"]}
        return mlpkit.load_spec(spec | {"training": training}, plugins=["acme.py"])

    return load


def faults(spec, train=25):
    found = schedule_faults(spec, Description((2,), Values(()), {"train": train}))
    return [(".".join(map(str, fault.path[-3:])), fault.message, fault.remedy) for fault in found]


@pytest.mark.parametrize(
    ("first", "training", "step"),
    [
        (8.0, {}, None),  # three epochs of three steps
        (7.0, {}, 9),
        (8.0, {"iterations": 10}, 10),
        (9.0, {"iterations": 10}, None),
        (5.0, {"drop_last": True}, None),
        (4.0, {"drop_last": True}, 6),
        (5.0, {"accumulate": 2}, None),
        (4.0, {"accumulate": 2}, 6),
        (1000.0, {"iterations": 1002}, 1002),  # the last step is looked at, too
        (0.0, {"seconds": 9}, None),
        (-1.0, {"seconds": 9}, 1),
    ],
)
def test_a_rate_that_leaves_its_range_is_named_with_the_step(spec, first, training, step):
    message = f"this schedule gives -1 before step {step:,}" if step else ""
    expected = [("optimizer.sgd.learning_rate", message, "")] if step else []
    assert faults(spec({"acme.falling": {"first": first}}, **training)) == expected


def test_what_fails_itself_fails_in_training_and_a_clock_gives_no_number_of_steps(spec):
    assert faults(spec({"acme.failing": {"first": 1.0}})) == []
    ((place, message, remedy),) = faults(spec({"cosine": {"first": 0.1}}, seconds=9))
    assert place == "optimizer.sgd.learning_rate"
    assert re.fullmatch("this schedule depends on the number of steps, which is unknown if seconds is given", message)
    assert remedy == "give iterations or epochs instead of seconds"


@pytest.mark.parametrize(
    ("rate", "scale"),
    [
        (0.1, None),
        ({"flat_cosine": {"first": 0.4}}, ("training.optimizer.sgd.learning_rate.flat_cosine.first", 0.4)),
        ({"acme.falling": {"first": 0.4}}, None),
        ({"acme.shifted": {"first": 0.4}}, None),
        ({"acme.failing": {"first": 0.4}}, None),
    ],
)
def test_a_number_scales_a_schedule_if_half_of_it_gives_half_of_every_rate(spec, rate, scale):
    assert scale_of_rate(spec(rate).training.optimizer) == scale
