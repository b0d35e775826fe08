"""The calls of MLflow, by a stand-in for its client; what MLflow returns of them is in ``test_trackers``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import pytest
from requirements import require_package

from mlpkit import ParameterError, Progress, TrainingView

mlflow = require_package("mlpkit_plugins.callbacks.mlflow")


@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        (None, True),
        ("http://127.0.0.1:5000", True),
        ("sqlite:///mlflow.db", True),
        ("databricks", True),
        ("databricks://profile", True),
        ("mlruns", False),
        ("file:/tmp/mlruns", False),
        ("file:///tmp/mlruns", False),
    ],
)
def test_a_store_is_a_server_or_a_database(uri, taken):
    if taken:
        assert mlflow.Mlflow(uri).uri == uri
    else:
        with pytest.raises(ParameterError) as caught:
            mlflow.Mlflow(uri)
        message = f"uri: '{uri}' is not a server or database; expected such as sqlite:///mlflow.db"
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("training.optimizer.sgd.learning_rate", "training.optimizer.sgd.learning_rate"),
        ("rates.*.b", "rates._.b"),
        ("a/b-c d:e_f", "a/b-c d:e_f"),
        ("é[0]=(x)", "é_0___x_"),
        ("x" * 251, "x" * 250),
    ],
)
def test_names_have_the_characters_and_the_length_that_mlflow_takes(key, name):
    assert mlflow._key(key) == name


@pytest.mark.parametrize("setting", [None, "false", ""])
def test_telemetry_is_disabled_unless_the_environment_says_otherwise(monkeypatch, setting):
    name = "MLFLOW_DISABLE_TELEMETRY"
    monkeypatch.delenv(name, raising=False)
    if setting is not None:
        monkeypatch.setenv(name, setting)
    with mlflow._without_telemetry():
        assert os.environ[name] == ("true" if setting is None else setting)
    assert os.environ.get(name) == setting


class Param(NamedTuple):
    key: str
    value: str


class Metric(NamedTuple):
    key: str
    value: float
    timestamp: int
    step: int


class MlflowException(Exception):  # noqa: N818 - its name there
    def __init__(self, error_code):
        super().__init__(error_code)
        self.error_code = error_code


class Client:
    """A client of a store with one experiment, ``digits``, and perhaps one run, ``old``."""

    old = "active"
    steps = (2, 6, 4)

    def __init__(self, tracking_uri):
        self.uri, self.calls = tracking_uri, []

    def __getattr__(self, name):
        return lambda *given, **named: self.calls.append((name, *given, *([named] if named else [])))

    def get_run(self, run_id):
        assert run_id == "old"
        if self.old.isupper():
            raise MlflowException(self.old)
        return SimpleNamespace(info=SimpleNamespace(lifecycle_stage=self.old))

    def get_metric_history(self, run_id, key):
        assert (run_id, key) == ("old", "epoch")
        return [Metric(key, step / 4, 0, step) for step in self.steps]

    def get_experiment_by_name(self, name):
        return SimpleNamespace(experiment_id="7") if name == "digits" else None

    def create_experiment(self, name):
        return f"new {name}"

    def create_run(self, experiment, *, tags, run_name):
        self.calls.append(("create_run", experiment, sorted(tags), run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="fresh"))

    def log_batch(self, run_id, metrics=(), params=()):
        self.calls.append((run_id, list(metrics), [tuple(each) for each in params]))


@pytest.fixture
def client(monkeypatch):
    """Let the callback find a stand-in for mlflow, and return the class of its client."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    own = type("Client", (Client,), {})
    contents = {"mlflow": {"MlflowClient": own}, "mlflow.exceptions": {"MlflowException": MlflowException}}
    for name, members in {**contents, "mlflow.entities": {"Param": Param, "Metric": Metric}}.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return own


def view(count=3):
    return TrainingView(
        Progress(3, 0.5, 6), {}, Path("runs/seven"), resolved=lambda: {f"k[{i}]": i for i in range(count)}
    )


@pytest.mark.parametrize(
    ("given", "variable", "uri"),
    [
        (None, None, "sqlite:///mlflow.db"),
        (None, "", "sqlite:///mlflow.db"),
        (None, "http://a", "http://a"),
        ("http://b", "http://a", "http://b"),
    ],
)
def test_the_store_is_the_one_given_or_that_of_the_environment(client, monkeypatch, given, variable, uri):
    if variable is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    made = mlflow.Mlflow(given)
    made.begin(view(), Path("runs/seven"))
    assert made.client.uri == uri


@pytest.mark.parametrize(("count", "batches"), [(3, [3]), (100, [100]), (101, [100, 1]), (205, [100, 100, 5])])
@pytest.mark.parametrize(("experiment", "number"), [("digits", "7"), ("letters", "new letters")])
def test_a_new_run_has_the_values_of_the_spec_a_hundred_at_a_time(client, count, batches, experiment, number):
    made = mlflow.Mlflow(experiment=experiment)
    assert made.begin(view(count), Path("runs/seven")) == 0
    created, *logged = made.client.calls
    assert created == ("create_run", number, ["mlpkit.run_folder", "mlpkit.spec_hash"], "seven")
    assert [(run_id, metrics, len(params)) for run_id, metrics, params in logged] == [
        ("fresh", [], size) for size in batches
    ]
    assert [each for _, _, params in logged for each in params] == [(f"k_{i}_", str(i)) for i in range(count)]
    assert made.state() == {"run": "fresh"}


@pytest.mark.parametrize(("steps", "last"), [((2, 6, 4), 6), ((), 0)])
def test_a_run_that_mlflow_has_is_continued_after_its_last_step(client, steps, last):
    client.steps = steps
    made = mlflow.Mlflow()
    made.load_state({"run": "old"})
    assert made.begin(view(), Path("runs/seven")) == last
    assert made.client.calls == [("update_run", "old", {"status": "RUNNING"})]
    assert made.run_id == "old"


@pytest.mark.parametrize("stage", ["deleted", "RESOURCE_DOES_NOT_EXIST"])
def test_a_run_that_mlflow_does_not_have_is_begun_again(client, stage):
    client.old = stage
    made = mlflow.Mlflow()
    made.load_state({"run": "old"})
    assert made.begin(view(), Path("runs/seven")) == 0
    assert made.run_id == "fresh"


def test_another_error_of_mlflow_does_not_mean_that_the_run_is_gone(client):
    client.old = "TEMPORARILY_UNAVAILABLE"
    made = mlflow.Mlflow()
    made.load_state({"run": "old"})
    with pytest.raises(MlflowException, match="TEMPORARILY_UNAVAILABLE"):
        made.begin(view(), Path("runs/seven"))


@pytest.mark.parametrize(("state", "status"), [("finished", "FINISHED"), ("stopped", "KILLED"), ("failed", "FAILED")])
def test_values_have_a_step_and_a_time_and_a_run_its_status(client, monkeypatch, state, status):
    monkeypatch.setattr(time, "time", lambda: 12.3456)
    made = mlflow.Mlflow()
    made.begin(view(), Path("runs/seven"))
    del made.client.calls[:]
    made.log({"loss/train": 0.5, "epoch": 0.25}, 3)
    made.end({"final/test_loss": 0.75}, 6, state)
    assert made.client.calls == [
        ("fresh", [("loss/train", 0.5, 12345, 3), ("epoch", 0.25, 12345, 3)], []),
        ("fresh", [("final/test_loss", 0.75, 12345, 6)], []),
        ("set_terminated", "fresh", status),
    ]
