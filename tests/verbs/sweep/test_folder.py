"""The folder of a sweep: what it says of its trials, whatever was cut off while it was written."""

from __future__ import annotations

import json

import pytest

from mlpkit.errors import RunFolderError
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.writer_lock import writer_of
from mlpkit.verbs.sweep.folder import SweepFolder, SweepProgress, is_resumable


@pytest.fixture
def folder(tmp_path):
    with SweepFolder.create(tmp_path / "s", "mlpkit: 1\n") as kept:
        yield kept


def test_trials_are_in_the_order_of_their_numbers_and_keep_that_of_their_values(folder):
    for number in (10, 2, 0):
        folder.begin(number, {"b": number, "a": {"adam": {"beta1": 0.8}}}, 1.5)
    trials = folder.trials()
    assert [trial.number for trial in trials] == [0, 2, 10]
    assert list(trials[2].values.items()) == [("b", 10), ("a", {"adam": {"beta1": 0.8}})]
    assert (trials[2].asked_at, trials[2].state, trials[2].results) == (1.5, "stopped", {})


def test_at_the_end_of_a_block_the_folder_has_no_writer(tmp_path):
    with SweepFolder.create(tmp_path / "s", "mlpkit: 1\n") as kept:
        assert writer_of(tmp_path / "s").is_this_process
        kept.ask_to_stop()
    assert (writer_of(kept.directory), kept.stop_requested()) == (None, False)


def test_what_is_no_trial_is_left_alone(folder):
    folder.begin(0, {"a": 1}, 0.0)
    for name in ("trial-1", "trial-x", "report", "trial-01x"):  # of trial-1, no more than the folder was made
        (folder.directory / name).mkdir()
    assert [trial.number for trial in folder.trials()] == [0]
    assert folder.begin(1, {"a": 2}, 0.0).values == {"a": 2}
    assert [trial.number for trial in folder.trials()] == [0, 1]


def test_the_state_is_what_the_run_folder_says(folder):
    def state(number, write):
        trial = folder.begin(number, {}, 0.0)
        with RunFolder(trial.directory) as run:
            write(run)
        found = folder.trial(number)
        return found.state, found.problem, found.results, is_resumable(found)

    record = {"iteration": 2, "epoch": 0.5, "validation_loss": 0.25, "train_accuracy": 0.5}
    metrics = {"test": {"loss": 0.5, "confusion_matrix": [[1]]}}
    assert state(0, lambda run: run.write_metrics(metrics)) == ("finished", "", {"test_loss": 0.5}, False)
    last = {"validation_loss": 0.25, "train_accuracy": 0.5}
    assert state(1, lambda run: run.append("history.jsonl", record)) == ("stopped", "", last, True)
    for number, kind, again in ((2, "pruned", False), (3, "diverged", False), (4, "failed", True)):
        found = state(number, lambda run, kind=kind: run.write_failure(kind, 3, "why"))
        assert found == (kind, "why", {}, again)


def test_a_trial_that_is_set_aside_has_failed(folder):
    found = folder.set_aside(folder.begin(0, {"a": 1}, 2.5), "it is deadly")
    assert (found.state, found.problem) == ("failed", "set aside: it is deadly")
    assert (found.values, found.asked_at) == ({"a": 1}, 2.5)
    written = json.loads((found.directory / "failure.json").read_text())
    assert written == {"state": "failed", "steps": 0, "message": "set aside: it is deadly"}


def test_progress_is_kept(folder):
    assert folder.read_progress() == SweepProgress(0.0, 0, None)
    for progress in (SweepProgress(3.5, 2, None), SweepProgress(4.0, 0, 14)):
        folder.write_progress(progress)
        assert folder.read_progress() == progress


@pytest.mark.parametrize("text", ["", "[]", '{"seconds": 1, "added": 0}', '{"seconds": "x", "added": 0, "trials": 3}'])
def test_damaged_progress_is_named(text, folder):
    (folder.directory / "progress.json").write_text(text)
    with pytest.raises(RunFolderError, match=r"progress.json: is damaged: .*; restore the file from a copy") as caught:
        folder.read_progress()
    path = folder.directory / "progress.json"
    assert caught.value.__notes__ == [
        f"help: or remove {path}; the sweep then counts its time, and added trials, from zero"
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"values": 3, "asked_at": 0}', '{"values": {}}'])
def test_a_damaged_trial_is_named(text, folder):
    trial = folder.begin(0, {}, 0.0)
    (trial.directory / "trial.json").write_text(text)
    damaged = r"trial-0/trial.json: is damaged: .*; restore the file from a copy"
    with pytest.raises(RunFolderError, match=damaged) as caught:
        folder.trials()
    again = f"mlpkit sweep --resume {folder.directory} then trains that trial again"
    assert caught.value.__notes__ == [f"help: or remove {trial.directory}; {again}"]


def test_a_trial_is_one_line_of_json(folder):
    text = (folder.begin(3, {"vars.rate": 1e-3}, 0.25).directory / "trial.json").read_text()
    assert text.count("\n") == 1
    assert json.loads(text) == {"values": {"vars.rate": 1e-3}, "asked_at": 0.25}


def test_only_the_folder_of_a_sweep_is_opened(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/spec.yaml").touch()
    (tmp_path / "run/sweep.yaml").touch()
    for name, what in (("run", "is a run, not a sweep"), ("none", "no such folder")):
        with pytest.raises(RunFolderError, match=what):
            SweepFolder.open(tmp_path / name)
