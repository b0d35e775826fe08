"""The training of a trial, in this process: the bits of a run by hand, whatever the trial was before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import loans_sweep
import pytest
from stop_at import StopAt

import mlpkit
from mlpkit.errors import RunFolderError
from mlpkit.jobs.spec_data import describe_data
from mlpkit.runs.folder import RunFolder
from mlpkit.training.events import StopRequest, TrainingEnd
from mlpkit.verbs.sweep.specs import as_overrides
from mlpkit.verbs.sweep.trial import OTHER_WRITER, train_trial

RESULTS = ("resolved.yaml", "history.jsonl", "metrics.json", "model.safetensors", "lock.json", "health.jsonl")
VALUES = [
    {"layers.Affine1.units": 2, "data.csv.standardize": True},
    {"layers.Affine1.units": 5, "data.csv.standardize": True},
    {"layers.Affine1.units": 5, "data.csv.standardize": False},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with loans_sweep.begun() as kept:
        yield kept


def by_hand(values, directory):
    mlpkit.run(mlpkit.load_spec("loans.yaml", overrides=as_overrides(values)), directory)
    return contents(Path(directory))


def contents(directory):
    return {name: (directory / name).read_bytes() for name in RESULTS}


def test_trials_in_one_process_are_the_runs_by_hand_to_the_byte(folder):
    """The second has the data of the first, which stays open, and the third has other data."""
    for number, values in enumerate(VALUES):
        trial = folder.begin(number, values, 0.0)
        end = train_trial(trial.directory)
        assert (end.steps, end.stopped, end.failure) == (40, "", "")
        assert contents(trial.directory) == by_hand(values, f"hand-{number}")


def test_a_trial_that_was_stopped_goes_on_to_the_same_bits(folder):
    trial = folder.begin(0, VALUES[0], 0.0)
    observer = StopAt(20)
    end = train_trial(trial.directory, observer=observer, stop=observer.stop)
    assert (end.steps, end.stopped, folder.trial(0).state) == (20, "SIGTERM", "stopped")
    train_trial(trial.directory)
    assert contents(trial.directory) == by_hand(VALUES[0], "hand")


@pytest.mark.parametrize("left", [("spec.yaml",), (*RESULTS[:2], "spec.yaml", "health.jsonl")])
def test_a_trial_that_was_killed_at_its_beginning_begins_again(left, folder):
    trial = folder.begin(0, VALUES[0], 0.0)
    train_trial(trial.directory)
    whole = contents(trial.directory)
    for path in trial.directory.iterdir():
        if path.is_file() and path.name not in ("trial.json", *left):
            path.unlink()
        elif path.is_dir():
            [file.unlink() for file in path.iterdir()]
            path.rmdir()
    assert folder.trial(0).state == "stopped"
    train_trial(trial.directory)
    assert contents(trial.directory) == whole


def test_a_trial_that_diverges_or_fails_says_so_in_its_folder(folder):
    diverging = {**VALUES[2], "training.optimizer.sgd.learning_rate": 1e38}
    trial = folder.begin(0, diverging, 0.0)
    end = train_trial(trial.directory)
    found = folder.trial(0)
    assert (found.state, found.problem) == ("diverged", end.failure)
    trial = folder.begin(1, {"layers.Affine1.units": -3}, 0.0)
    end = train_trial(trial.directory)
    found = folder.trial(1)
    assert (found.state, found.problem) == ("failed", end.failure)
    assert "-3 is out of range" in end.failure
    assert json.loads((trial.directory / "failure.json").read_text())["steps"] == 0


def test_a_trial_that_another_process_holds_is_left_to_it(folder, monkeypatch):
    monkeypatch.setattr("mlpkit.verbs.sweep.trial.LONGEST_WAIT", 0.1)
    trial = folder.begin(0, VALUES[0], 0.0)
    with RunFolder(trial.directory) as holder:
        holder.claim()
        end = train_trial(trial.directory)
        assert "is writing to it" in end.failure
        assert end.cause == OTHER_WRITER
        assert not (trial.directory / "failure.json").exists()
        stop = StopRequest()
        stop.stop("SIGTERM")
        monkeypatch.setattr("mlpkit.verbs.sweep.trial.LONGEST_WAIT", 60)
        assert train_trial(trial.directory, stop=stop) == TrainingEnd(stopped="SIGTERM")
    assert train_trial(trial.directory).failure == ""


def test_a_trial_of_another_process_is_waited_for_only_so_long(folder, monkeypatch):
    waits, now = [], iter(range(100, 200))
    monkeypatch.setattr("mlpkit.verbs.sweep.trial.LONGEST_WAIT", 3)
    monkeypatch.setattr("mlpkit.verbs.sweep.trial.time", SimpleNamespace(monotonic=now.__next__, sleep=waits.append))
    trial = folder.begin(0, VALUES[0], 0.0)
    with RunFolder(trial.directory) as holder:
        holder.claim()
        assert train_trial(trial.directory).cause == OTHER_WRITER
    assert waits == [0.05, 0.05]


def test_a_trial_is_held_from_its_first_look_to_its_end(folder, monkeypatch):
    """Otherwise a worker of a driver that was killed could train it at the same time."""
    trial = folder.begin(0, VALUES[0], 0.0)
    refused = []

    def look(*arguments):
        with pytest.raises(RunFolderError) as caught:
            RunFolder(trial.directory).claim()
        refused.append(str(caught.value))
        return describe_data(*arguments)

    monkeypatch.setattr("mlpkit.verbs.sweep.trial.describe_data", look)
    assert train_trial(trial.directory).failure == ""
    assert refused
    RunFolder(trial.directory).claim()


@pytest.mark.parametrize("state", ["pruned", "diverged"])
def test_a_trial_that_another_process_has_trained_to_its_end_stays_as_it_is(state, folder):
    trial = folder.begin(0, VALUES[0], 0.0)
    with RunFolder(trial.directory) as other:
        other.write_failure(state, 10, "why")
    assert train_trial(trial.directory) == TrainingEnd()
    assert folder.trial(0).state == state
    assert not (trial.directory / "resolved.yaml").exists()


def test_a_failure_is_forgotten_when_a_trial_is_tried_again(folder, monkeypatch):
    """So that a worker killed before it trains leaves a trial that is to go on."""
    trial = folder.set_aside(folder.begin(0, VALUES[0], 0.0), "it is deadly")

    def die(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("mlpkit.verbs.sweep.trial.describe_data", die)
    with pytest.raises(KeyboardInterrupt):
        train_trial(trial.directory)
    assert folder.trial(0).state == "stopped"


def test_a_pruned_trial_can_be_resumed_and_counts_as_finished_then(folder):
    for number in range(5):
        train_trial(folder.begin(number, {**VALUES[0], "training.optimizer.sgd.learning_rate": 0.1}, 0.0).directory)
    weak = {**VALUES[0], "training.optimizer.sgd.learning_rate": 1e-6}
    trial = folder.begin(5, weak, 0.0)
    end = train_trial(trial.directory)
    assert (end.steps, end.stopped) == (10, "pruned")
    found = folder.trial(5)
    assert (found.state, found.over, found.problem) == ("pruned", True, "pruned (median) after step 10")
    assert found.results.keys() >= {"validation_loss"}
    assert json.loads((trial.directory / "failure.json").read_text())["state"] == "pruned"
    mlpkit.resume(trial.directory)
    assert folder.trial(5).state == "finished"
    assert contents(trial.directory) == by_hand(weak, "hand")


def test_a_trial_that_turns_out_weak_at_its_end_is_finished(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with loans_sweep.begun({"evaluate_every: 10": "evaluate_every: 40"}) as folder:
        train_trial(folder.begin(0, VALUES[0], 0.0).directory)
        for number in range(1, 5):
            shutil.copytree("s/trial-0", f"s/trial-{number}")
        trial = folder.begin(5, {**VALUES[0], "training.optimizer.sgd.learning_rate": 1e-6}, 0.0)
        assert (train_trial(trial.directory).stopped, folder.trial(5).state) == ("", "finished")
