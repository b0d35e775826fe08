"""Trials that train several seeds or an ensemble, in this process: the folders of runs by hand, whatever happens."""

from __future__ import annotations

import csv
import json
import shutil
from operator import mul
from pathlib import Path
from statistics import fmean

import loans_sweep
import pytest

import mlpkit
from mlpkit.errors import RunFolderError
from mlpkit.groups.list_runs import runs_listed
from mlpkit.runs.folder import RunFolder
from mlpkit.runs.kinds import members_of
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.runs.compare import compare
from mlpkit.verbs.sweep.folder import history_of
from mlpkit.verbs.sweep.pruning import RULES
from mlpkit.verbs.sweep.specs import as_overrides
from mlpkit.verbs.sweep.trial import train_trial

KINDS = {"seeds": "seeds: [4, 2]", "members": "ensemble: {members: 2}", "folds": "ensemble: {folds: 2}"}
NOT_BYTES = ("timing.jsonl", "trial.json", ".lock", "failure.json", "checkpoints")
"""What two runs of the same bits may differ in; damaged or half-written checkpoints are tested elsewhere."""
VALUES = {"layers.Affine1.units": 3, "training.optimizer.sgd.learning_rate": 0.1}
DIVERGING = {**VALUES, "training.optimizer.sgd.learning_rate": 1e38}


@pytest.fixture
def make_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(kind, evaluate_every=10):
        return loans_sweep.begun({"evaluate_every: 10": f"evaluate_every: {evaluate_every}"}, KINDS[kind])

    return make


@pytest.fixture(params=KINDS)
def folder(request, make_folder):
    with make_folder(request.param) as kept:
        yield kept


def contents(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(Path(directory).rglob("*"))
        if path.is_file() and not {path.name, path.parent.name} & {*NOT_BYTES}
    }


def trained(folder, number, values=VALUES, **arguments):
    trial = folder.begin(number, values, 0.0)
    return trial, train_trial(trial.directory, **arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_each_run_has_the_bits_of_a_run_by_hand(kind, make_folder):
    with make_folder(kind) as folder:
        trial, end = trained(folder, 0)
    assert (end.steps, end.stopped, end.failure) == (80, "", "")
    runs = members_of(trial.directory)
    assert [*runs] == ([4, 2] if kind == "seeds" else [0, 1])
    for number, directory in runs.items():
        alone = [f"seed={number}", "seeds=null"] if kind == "seeds" else [f"ensemble.member={number}"]
        mlpkit.run(mlpkit.load_spec("loans.yaml", overrides=[*as_overrides(VALUES), *alone]), f"hand-{number}")
        assert contents(directory) == contents(f"hand-{number}")


@pytest.mark.parametrize("kind", ["seeds: [5]", "ensemble: {folds: 2, member: 1}"])
def test_one_seed_or_network_alone_is_a_run_like_any_other(kind, make_folder, monkeypatch):
    monkeypatch.setitem(KINDS, kind, kind)
    with make_folder(kind) as folder:
        trial, end = trained(folder, 0)
    mlpkit.run(mlpkit.load_spec("loans.yaml", overrides=as_overrides(VALUES)), "hand")
    assert (end.steps, folder.trial(0).state) == (40, "finished")
    assert contents(trial.directory) == contents("hand")


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_is_what_run_makes_with_the_same_values_to_the_byte(kind, make_folder):
    with make_folder(kind) as folder:
        trial, _ = trained(folder, 0)
    spec = mlpkit.load_spec("loans.yaml", overrides=as_overrides(VALUES))
    by_hand = mlpkit.run(spec, "hand", **({"seeds": [4, 2]} if kind == "seeds" else {}))
    assert contents(trial.directory) == contents("hand")
    assert folder.trial(0).results["validation_loss"] == (
        by_hand.metrics["validation"]["loss"].mean if kind == "seeds" else by_hand.metrics["validation"]["loss"]
    )


def test_what_counts_is_the_mean_of_seeds_and_the_result_of_an_ensemble(folder):
    trial, _ = trained(folder, 0)
    found = folder.trial(0)
    assert (found.state, found.problem) == ("finished", "")
    losses = [RunFolder(run).read_metrics()["validation"]["loss"] for run in members_of(trial.directory).values()]
    loss = found.results["validation_loss"]
    if (trial.directory / "out_of_fold.csv").exists():
        rows = csv.DictReader((trial.directory / "out_of_fold.csv").read_text().splitlines())
        folds = [row["fold"] for row in rows]
        sizes = [folds.count("0"), folds.count("1")]
        assert loss == pytest.approx(sum(map(mul, losses, sizes)) / sum(sizes), rel=1e-6)
    elif (trial.directory / "members").exists():
        assert min(losses) / 2 < loss < fmean(losses)  # that of the mean prediction
    else:
        assert loss == fmean(losses)


@pytest.mark.parametrize("stopped_in", [0, 1])
def test_a_trial_that_was_stopped_in_any_of_its_runs_goes_on_to_the_same_bits(stopped_in, folder):
    whole, _ = trained(folder, 0)
    trial = folder.begin(1, VALUES, 0.0)
    stop = StopAt(20, stopped_in)
    end = train_trial(trial.directory, observer=stop, stop=stop.stop)
    assert (end.steps, end.stopped, folder.trial(1).state) == (20 + 40 * stopped_in, "SIGTERM", "stopped")
    finished = [RunFolder(run).finished for run in members_of(trial.directory).values()]
    assert finished == [stopped_in == 1, False]
    end = train_trial(trial.directory)
    assert (end.stopped, end.failure, folder.trial(1).state) == ("", "", "finished")
    assert contents(trial.directory) == contents(whole.directory)


class StopAt(Observer):
    """Stops the training after a step of a run."""

    def __init__(self, step, run):
        self.stop, self._step, self._left = StopRequest(), step, run

    def evaluated(self, record, seconds):
        if record["iteration"] == self._step:
            if not self._left:
                self.stop.stop("SIGTERM")
            self._left -= 1


def test_a_trial_that_was_killed_before_its_runs_were_prepared_begins_again(folder):
    whole, _ = trained(folder, 0)
    trial = folder.begin(1, VALUES, 0.0)
    runs = [trial.directory / run.relative_to(whole.directory) for run in members_of(whole.directory).values()]
    runs[0].mkdir(parents=True)
    for name in ("spec.yaml", "resolved.yaml"):
        shutil.copy(whole.directory / runs[0].relative_to(trial.directory) / name, runs[0] / name)
    runs[1].mkdir()
    (runs[1] / ".mlpkit-0123456789abcdef.tmp").write_bytes(b"half")
    assert folder.trial(1).state == "stopped"
    assert train_trial(trial.directory).failure == ""
    assert contents(trial.directory) == contents(whole.directory)


def test_the_first_run_that_diverges_ends_the_trial(folder):
    trial, end = trained(folder, 0, DIVERGING)
    found = folder.trial(0)
    assert (found.state, found.problem) == ("diverged", end.failure)
    first, second = members_of(trial.directory)
    assert end.failure.endswith(f"\n  this was {'seed' if first else 'member'} {first}")
    assert RunFolder(members_of(trial.directory)[first]).read_failure()["state"] == "diverged"
    assert not (members_of(trial.directory)[second] / "lock.json").exists()
    assert train_trial(trial.directory).failure == ""
    assert folder.trial(0).state == "diverged"


def test_a_seed_that_has_no_value_leaves_its_trial_without_one(make_folder):
    with make_folder("seeds") as folder:
        trial, _ = trained(folder, 0)
        summary = json.loads((trial.directory / "metrics.json").read_text())
        summary["validation"]["loss"]["n"] = 1
        (trial.directory / "metrics.json").write_text(json.dumps(summary))
        assert "validation_loss" not in folder.trial(0).results
        assert "test_loss" in folder.trial(0).results


def test_a_weak_trial_ends_in_its_first_run(folder):
    first, _ = trained(folder, 0)
    for number in range(1, 5):
        shutil.copytree(first.directory, f"s/trial-{number}")
    weak = {**VALUES, "training.optimizer.sgd.learning_rate": 1e-6}
    trial, end = trained(folder, 5, weak)
    assert (end.steps, end.stopped) == (10, "pruned")
    found = folder.trial(5)
    assert (found.state, found.problem) == ("pruned", "pruned (median) after step 10")
    first, second = members_of(trial.directory).values()
    assert found.results["validation_loss"] == RunFolder(first).read_history()[-1]["validation_loss"]
    assert not (second / "lock.json").exists()
    assert train_trial(trial.directory).steps == 0


def test_a_trial_that_turns_out_weak_at_the_end_of_its_first_run_does_not_begin_the_second(make_folder):
    with make_folder("seeds", evaluate_every=40) as folder:
        first, _ = trained(folder, 0)
        for number in range(1, 5):
            shutil.copytree(first.directory, f"s/trial-{number}")
        weak = {**VALUES, "training.optimizer.sgd.learning_rate": 1e-6}
        trial, end = trained(folder, 5, weak)
        assert (end.steps, end.stopped, folder.trial(5).problem) == (40, "pruned", "pruned (median) after step 40")
    assert not (trial.directory / "seed-2/lock.json").exists()
    mlpkit.resume(trial.directory / "seed-4")
    mlpkit.run(mlpkit.load_spec("loans.yaml", overrides=[*as_overrides(weak), "seed=4", "seeds=null"]), "hand")
    assert contents(trial.directory / "seed-4") == contents("hand")


def test_a_trial_whose_process_was_killed_at_the_end_of_its_first_run_is_judged_then(make_folder):
    with make_folder("seeds", evaluate_every=40) as folder:
        first, _ = trained(folder, 0)
        for number in range(1, 5):
            shutil.copytree(first.directory, f"s/trial-{number}")
        trial, _ = trained(folder, 5, {**VALUES, "training.optimizer.sgd.learning_rate": 1e-6})
        (trial.directory / "failure.json").unlink()
        end = train_trial(trial.directory)
        assert (end.stopped, folder.trial(5).problem) == ("pruned", "pruned (median) after step 40")
    assert not (trial.directory / "seed-2/lock.json").exists()


def test_only_the_first_run_is_judged(folder, monkeypatch):
    judged = []
    monkeypatch.setitem(RULES, "median", lambda trial, others, total: judged.append(len(trial.evaluations)))
    trained(folder, 0)
    assert judged == [1, 2, 3, 4]


@pytest.mark.long
def test_a_pruned_trial_can_be_resumed_by_hand_to_the_bits_of_one_that_was_not(folder):
    weak = {**VALUES, "training.optimizer.sgd.learning_rate": 1e-6}
    whole, _ = trained(folder, 5, weak)
    first, _ = trained(folder, 0)
    for number in range(1, 5):
        shutil.copytree(first.directory, f"s/trial-{number}")
    trial, _ = trained(folder, 6, weak)
    assert folder.trial(6).state == "pruned"
    resume = mlpkit.resume_seeds if (trial.directory / "seeds.json").exists() else mlpkit.resume
    resume(trial.directory)
    assert folder.trial(6).state == "finished"
    assert contents(trial.directory) == contents(whole.directory)


def test_the_curve_of_a_trial_is_the_mean_of_its_runs_as_far_as_all_have_come(folder):
    trial, _ = trained(folder, 0)
    histories = [RunFolder(run).read_history() for run in members_of(trial.directory).values()]
    curve = history_of(trial.directory)
    assert [record["iteration"] for record in curve] == [10, 20, 30, 40]
    for key in ("validation_loss", "train_loss", "epoch"):
        expected = [fmean(records) for records in zip(*([r[key] for r in h] for h in histories), strict=True)]
        assert [record[key] for record in curve] == expected
    stopped = folder.begin(1, VALUES, 0.0)
    stop = StopAt(20, 0)
    train_trial(stopped.directory, observer=stop, stop=stop.stop)
    assert history_of(stopped.directory) == histories[0][:2]


def test_other_commands_see_the_runs_of_a_sweep_with_seeds(make_folder):
    with make_folder("seeds") as folder:
        for number, units in enumerate((2, 3)):
            trained(folder, number, {"layers.Affine1.units": units})
    (entry,) = [entry for entry in runs_listed(Path()) if entry.directory == Path("s")]
    assert (len(entry.runs), entry.state) == (4, "finished")
    assert [len(each.runs) for each in runs_listed(Path("s"))] == [2, 2]
    found = compare([Path("s")])
    assert found.runs == ["s/trial-0/seed-2 and 1 more", "s/trial-1/seed-2 and 1 more"]
    assert all(verdict.paired for verdict in found.chance)
    with pytest.raises(RunFolderError, match="holds the trials of a sweep; give one of them: s/trial-0"):
        mlpkit.load("s")
