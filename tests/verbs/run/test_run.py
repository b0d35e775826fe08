"""Training a spec from beginning to end."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import yaml
from stop_at import StopAt
from threadpoolctl import threadpool_info

import mlpkit
from mlpkit.errors import StorageError
from mlpkit.jobs.train import train_spec
from mlpkit.runs import json_files as json_lines
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.model_file import load_model_file
from mlpkit.specfile.sections import CheckpointSection
from mlpkit.training.events import Observer


def sha(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def blas_thread_counts():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_a_run_folder_holds_what_happened(train, work):
    run = train()
    names = {path.name for path in (work / "run").iterdir() if not path.name.startswith(".")}
    assert names == {
        "spec.yaml",
        "resolved.yaml",
        "run.json",
        "lock.json",
        "history.jsonl",
        "timing.jsonl",
        "health.jsonl",
        "metrics.json",
        "model.safetensors",
    }
    assert (work / "run/spec.yaml").read_bytes() == (work / "tiny.yaml").read_bytes()
    assert [json.loads(line) for line in (work / "run/history.jsonl").read_text().splitlines()] == run.history
    assert json.loads((work / "run/metrics.json").read_text()) == run.metrics
    timing = [json.loads(line) for line in (work / "run/timing.jsonl").read_text().splitlines()]
    assert [entry["iteration"] for entry in timing] == [record["iteration"] for record in run.history]
    lock = json.loads((work / "run/lock.json").read_text())
    assert lock["mlpkit"] == mlpkit.__version__
    assert lock["spec_hash"] == sha(work / "run/resolved.yaml")
    assert len(lock["data_checksum"]) == 64
    assert lock["plugins"] == {}


def test_metrics_are_those_of_the_trained_network(train):
    run = train()
    assert set(run.metrics) == {"train", "validation", "test"}
    last = run.history[-1]
    assert run.metrics["validation"] == {"loss": last["validation_loss"], "accuracy": last["validation_accuracy"]}
    assert run.metrics["test"]["accuracy"] > 0.8


def test_without_a_directory_nothing_is_written(train, work):
    before = set(work.rglob("*"))
    run = train(None)
    assert run.folder is None
    assert set(work.rglob("*")) == before
    assert len(run.history) == 12


def test_the_resolved_spec_trains_to_the_same_bits(train, work):
    train("first")
    resolved = yaml.safe_load((work / "first/resolved.yaml").read_text())
    assert {"slices", "threads"} <= set(resolved["training"])
    assert resolved["layers"][0]["Affine"]["name"] == "Affine1"
    mlpkit.run(mlpkit.load_spec("first/resolved.yaml"), "second")
    assert sha("first/model.safetensors") == sha("second/model.safetensors")
    assert sha("first/history.jsonl") == sha("second/history.jsonl")
    assert sha("first/resolved.yaml") == sha("second/resolved.yaml")


@pytest.mark.parametrize("slices", [1, 3])
def test_new_processes_give_the_same_bits(work, slices):
    code = "import mlpkit, sys; mlpkit.run(mlpkit.load_spec('tiny.yaml', overrides=[sys.argv[2]]), sys.argv[1])"
    for name, hash_seed in (("a", "1"), ("b", "2")):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", code, name, f"training.slices={slices}"]
        subprocess.run(command, check=True, env=environment)
    assert sha("a/model.safetensors") == sha("b/model.safetensors")
    assert sha("a/history.jsonl") == sha("b/history.jsonl")


def test_another_seed_gives_another_network(train):
    assert not np.array_equal(train(None).network.values, train(None, seed=4).network.values)


def test_blas_threads_are_set_for_the_run_and_put_back_after_it(train):
    class Watch(Observer):
        def __init__(self):
            self.counts = []

        def evaluated(self, record, seconds):
            self.counts += blas_thread_counts()

    before = blas_thread_counts()
    spec = mlpkit.load_spec("tiny.yaml", overrides={"training.threads": 1})
    watch = Watch()
    mlpkit.run(spec, observer=watch)
    assert set(watch.counts) == {1}
    assert blas_thread_counts() == before


def test_a_stopped_run_keeps_model_and_history_but_has_no_final_metrics(work):
    watch = StopAt(8)
    run = mlpkit.run(mlpkit.load_spec("tiny.yaml"), "run", stop=watch.stop, observer=watch)
    assert run.stopped == "SIGTERM"
    assert run.metrics == {}
    assert not (work / "run/metrics.json").exists()
    assert mlpkit.load_model("run/model.safetensors").values.tobytes() == run.network.values.tobytes()
    assert [record["iteration"] for record in RunFolder.open(work / "run").read_history()] == [4, 8]


def test_a_run_that_diverges_keeps_the_parameters_of_its_last_good_step(train, work):
    with pytest.raises(mlpkit.DivergenceError):
        train("run", training__optimizer={"sgd": {"learning_rate": 1e30}})
    kept = mlpkit.load_model("run/model.safetensors")
    assert all(np.isfinite(array).all() for array in kept.parameters.values())


def test_a_run_that_diverges_in_its_last_step_says_so_and_keeps_the_model(train, work):
    """The loss of the only step is fine; what is not finite is the loss after it."""
    with pytest.raises(
        mlpkit.DivergenceError, match=r"after step 1 the train loss is not a number\. Try .* below 1e\+30"
    ):
        train(
            "run", training__epochs=None, training__iterations=1, training__optimizer={"sgd": {"learning_rate": 1e30}}
        )
    assert RunFolder.open(work / "run").read_history() == []
    assert not (work / "run/metrics.json").exists()
    assert mlpkit.load_model("run/model.safetensors").parameters["Affine1.W"].max() > 1e20


def test_a_metric_that_is_not_a_number_is_left_out_of_the_files(work):
    (work / "acme.py").write_text(
        "from mlpkit import Metric, component, hookimpl\n"
        "class Undefined(Metric):\n"
        "    def update(self, prediction, t): pass\n"
        "    def merge(self, other): pass\n"
        "    def result(self): return float('nan')\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('metric', 'undefined', Undefined)]\n"
    )
    overrides = {"training.metrics": ["accuracy", "acme.undefined"]}
    run = mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides, plugins=["acme.py"]), "run")
    assert np.isnan(run.metrics["test"]["acme.undefined"])
    metrics = json.loads((work / "run/metrics.json").read_text())
    assert {name for split in metrics.values() for name in split} == {"loss", "accuracy"}
    assert "train_acme.undefined" not in (work / "run/history.jsonl").read_text()


def test_a_layer_that_breaks_in_the_middle_is_named_and_the_model_kept(work):
    (work / "acme.py").write_text(
        "from mlpkit import Layer, component, hookimpl\n"
        "class Fragile(Layer):\n"
        "    def __init__(self): self.passes = 0\n"
        "    def forward(self, x):\n"
        "        self.passes += 1\n"
        "        if self.passes == 3: raise RuntimeError('worn out')\n"
        "        return x\n"
        "    def backward(self, dy): return dy\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('layer', 'Fragile', Fragile)]\n"
    )
    text = (work / "tiny.yaml").read_text().replace("- Relu", "- acme.Fragile")
    (work / "fragile.yaml").write_text(text)
    spec = mlpkit.load_spec("fragile.yaml", plugins=["acme.py"])
    with pytest.raises(mlpkit.ComponentFailure, match=r"Fragile1 .*failed in forward: RuntimeError: worn out"):
        mlpkit.run(spec, "run")
    kept = mlpkit.load_model("run/model.safetensors", plugins=["acme.py"])
    assert "Affine1.W" in kept.parameters


def test_a_full_disk_is_an_error_and_the_model_is_kept_if_there_is_room_again(work, monkeypatch):
    real = os.write

    def full_for_history(descriptor, data):
        if bytes(data).startswith(b'{"iteration"') and b"train_loss" in bytes(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full_for_history)
    with pytest.raises(StorageError, match=r"history\.jsonl: can't be written: No space left"):
        mlpkit.run(mlpkit.load_spec("tiny.yaml"), "run")
    assert not (work / "run/history.jsonl").read_bytes()
    assert "Affine1.W" in mlpkit.load_model("run/model.safetensors").parameters


def test_a_disk_that_stays_full_is_an_error(work, monkeypatch):
    def full(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(json_lines.os, "write", full)
    monkeypatch.setattr("mlpkit.jobs.run_recorder.SECONDS_FOR_ROOM", 0)
    with pytest.raises(StorageError, match="No space left"):
        mlpkit.run(mlpkit.load_spec("tiny.yaml"), "run")


def test_a_callback_that_ends_training_early_leaves_a_finished_run(work):
    (work / "acme.py").write_text(
        "from mlpkit import Callback, component, hookimpl\n"
        "class Enough(Callback):\n"
        "    def on_step(self, training, loss):\n"
        "        assert training.folder.name == 'run'\n"
        "        if training.progress.step == 6: training.stop('enough')\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('callback', 'enough', Enough)]\n"
    )
    spec = mlpkit.load_spec("tiny.yaml", overrides={"training.callbacks": ["acme.enough"]}, plugins=["acme.py"])
    run = mlpkit.run(spec, "run")
    assert (run.steps, run.stopped, run.ended) == (6, "", "enough")
    assert [record["iteration"] for record in run.history] == [4, 6]
    assert json.loads((work / "run/metrics.json").read_text()) == run.metrics


def test_the_best_weights_are_those_that_are_evaluated_at_the_end_and_saved(train, work):
    options = {"training__optimizer": {"sgd": {"learning_rate": 2.0}}, "training__epochs": 8}
    last = train("last", **options)
    best = train("best", **options, training__best_weights="loss", training__checkpoint__best="loss")
    assert best.history == last.history
    record = min(best.history, key=lambda record: record["validation_loss"])
    assert record["iteration"] < best.steps  # or the test would show nothing
    for split in ("train", "validation"):
        figures = {name: record[f"{split}_{name}"] for name in ("loss", "accuracy")}
        assert best.metrics[split] == figures != last.metrics[split]
    network = mlpkit.load_model("best/model.safetensors")
    checkpoint = load_model_file(work / "best/checkpoints/best.safetensors")
    flat = np.concatenate([array.ravel() for array in network.parameters.values()])
    np.testing.assert_array_equal(flat, checkpoint.arrays["parameters"])
    np.testing.assert_array_equal(flat, np.concatenate([array.ravel() for array in best.network.parameters.values()]))


def test_a_folder_in_use_is_refused(train, work):
    train()
    with pytest.raises(mlpkit.RunFolderError, match="holds"):
        train()


def test_a_data_set_that_fails_is_named_and_leaves_no_folder(work):
    (work / "acme.py").write_text(
        "from mlpkit import Classes, Dataset, Description, component, hookimpl\n"
        "class Nothing(Dataset):\n"
        "    def describe(self): return Description((4,), Classes(10), {'train': 100})\n"
        "    def open(self, seed): raise ConnectionError('the server is away')\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('dataset', 'nothing', Nothing)]\n"
    )
    spec = mlpkit.load_spec("tiny.yaml", overrides={"data": "acme.nothing"}, plugins=["acme.py"])
    with pytest.raises(mlpkit.ComponentFailure, match=r"dataset acme\.nothing failed in open: ConnectionError"):
        mlpkit.run(spec, "run")
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("said", "checkpoint"),
    [
        ({}, CheckpointSection(every_seconds=300)),
        ({"training.checkpoint": None}, None),
        ({"training.checkpoint": {"every": 7}}, CheckpointSection(every=7)),
    ],
)
def test_a_run_is_saved_every_few_minutes_unless_the_spec_says_otherwise(work, said, checkpoint):
    assert mlpkit.load_spec("tiny.yaml", overrides=said).training.checkpoint == checkpoint


def test_what_is_shorter_than_that_leaves_no_checkpoint(train, work):
    train()
    assert not (work / "run/checkpoints").exists()


def test_a_long_run_can_be_resumed_after_a_kill(train, work, monkeypatch):
    minutes = count()
    monkeypatch.setattr(time, "perf_counter", lambda: 60.0 * next(minutes))  # one passes between two looks at the clock
    train()
    assert len(RunFolder.open(work / "run").checkpoints.steps()) == 2


@pytest.mark.parametrize("evaluated", [[], ["validation"], ["test", "train"]])
def test_only_the_splits_asked_for_are_evaluated(work, evaluated):
    spec = mlpkit.load_spec("tiny.yaml", overrides={"training.metrics": ["accuracy"]})
    whole, run = train_spec(spec, None), train_spec(spec, None, evaluated=evaluated)
    assert set(run.metrics) == set(evaluated)
    keys = {f"{split}_{name}" for split in set(evaluated) - {"test"} for name in ("loss", "accuracy")}
    assert set(run.history[-1]) == {"iteration", "epoch", "learning_rate"} | keys
    assert np.array_equal(run.network.values, whole.network.values)


def test_the_best_evaluation_needs_only_the_split_that_it_is_of(work):
    overrides = {"training.best_weights": "loss", "training.checkpoint": None}
    run = train_spec(mlpkit.load_spec("tiny.yaml", overrides=overrides), None, evaluated=["validation"])
    assert run.metrics["validation"]["loss"] == min(record["validation_loss"] for record in run.history)


def test_an_epoch_without_its_last_smaller_minibatch_has_fewer_steps(train):
    run = train(training__batch_size=70, training__drop_last=True, training__epochs=3)
    assert [record["iteration"] for record in run.history] == [2, 4, 6]
    assert [record["epoch"] for record in run.history] == [1, 2, 3]
