"""What callbacks learn at the end of a run: how it ended, and with which results."""

from __future__ import annotations

from types import ModuleType

import pytest
from stop_at import StopAt

import mlpkit
from mlpkit import Callback, component, hookimpl


@pytest.fixture
def told():
    return []


@pytest.fixture
def acme(told):
    class Recorder(Callback):
        """Records its events, and which files there are at the last one."""

        def on_start(self, training):
            told.append(training.resolved())

        def on_end(self, training):
            told.append("end")

        def on_close(self, training, outcome):
            told.append((outcome.state, outcome.results, sorted(path.name for path in training.folder.iterdir())))

    class Refusing(Callback):
        """Fails before training begins."""

        def on_start(self, training):
            raise ValueError("no")

    @hookimpl
    def mlpkit_components():
        return [component("callback", "recorder", Recorder), component("callback", "refusing", Refusing)]

    module = ModuleType("acme")
    module.mlpkit_components = mlpkit_components
    return module


def train(acme, *callbacks, stop_at=None, **training):
    """Train into the folder ``run``."""
    spec = mlpkit.load_spec("tiny.yaml", plugins=[acme], overrides={"training.callbacks": list(callbacks)} | training)
    observer = StopAt(stop_at)
    return mlpkit.run(spec, "run", observer=observer, stop=observer.stop)


def test_a_finished_run_has_its_results_and_its_files(work, acme, told):
    run = train(acme, "acme.recorder", **{"training.epochs": 2})
    values, end, (state, results, files) = told
    assert (end, state, results) == ("end", "finished", run.metrics)
    assert {"model.safetensors", "metrics.json", "history.jsonl"} <= set(files)
    assert (values["training.batch_size"], values["layers.0.Affine.units"], values["name"]) == (50, 16, "tiny")
    assert {"training.slices", "training.optimizer.sgd.momentum"} <= values.keys()  # what the spec leaves out, too


def test_a_stopped_run_has_none_until_it_is_resumed(work, acme, told):
    train(acme, "acme.recorder", stop_at=4)
    assert [call[:2] for call in told[1:]] == ["en", ("stopped", {})]
    run = mlpkit.resume("run", plugins=[acme])
    assert told[-1][:2] == ("finished", run.metrics)
    assert told[3] == told[0]


def test_a_run_that_diverged_has_failed(work, acme, told):
    with pytest.raises(mlpkit.DivergenceError):
        train(acme, "acme.recorder", **{"training.optimizer.sgd.learning_rate": 1e30})
    assert [call[:2] for call in told[1:]] == ["en", ("failed", {})]


@pytest.mark.parametrize("before", [True, False])
def test_only_a_callback_that_was_started_learns_it(before, work, acme, told):
    callbacks = ["acme.recorder", "acme.refusing"] if before else ["acme.refusing", "acme.recorder"]
    with pytest.raises(mlpkit.ComponentFailure, match=r"callback acme\.refusing failed: ValueError: no"):
        train(acme, *callbacks)
    assert [call[0] for call in told[1:]] == (["failed"] if before else [])
