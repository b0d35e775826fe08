"""The Python face of sweeps."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import mlpkit
from mlpkit.errors import RunFolderError, SpecError, StorageError, UsageError
from mlpkit.runs.files import storage_error
from mlpkit.training.events import Observer, StopRequest
from mlpkit.verbs.sweep.folder import SweepFolder, SweepProgress
from mlpkit.verbs.sweep.samplers import WITHOUT_OPTUNA
from mlpkit.verbs.sweep.section import SearchedKey, SweepSection
from mlpkit.verbs.sweep.sweep import _add_trials, planned_trials

SWEEP = {"search": {"layers.Affine1.units": [4, 8]}, "sampler": "grid"}


def spec(**sweep):
    return mlpkit.load_spec("tiny.yaml", overrides={"training.epochs": 1, "sweep": {**SWEEP, **sweep}})


def test_a_sweep_in_python(work):
    class Watch(Observer):
        def __init__(self):
            self.events = []

        def sweep_began(self, objectives, trials, planned, workers):
            self.events.append(([each.key for each in objectives], len(trials), planned, workers))

        def trial_over(self, trial, best):
            self.events.append((trial.number, trial.state))

    watch = Watch()
    found = mlpkit.sweep(spec(), "s", workers=1, observer=watch)
    assert watch.events == [(["validation_loss"], 0, 2, 1), (0, "finished"), (1, "finished")]
    losses = [trial.results["validation_loss"] for trial in found.trials]
    assert found.best.number == losses.index(min(losses))
    assert (found.counts, found.front, found.stopped) == ({"finished": 2}, [found.best], "")
    assert repr(found).startswith("<Sweep of 2 trials (2 finished); best: trial ")
    again = mlpkit.resume_sweep(found)
    assert (again.trials, again.best) == (found.trials, found.best)
    with pytest.raises(UsageError) as caught:
        mlpkit.resume_sweep(found, add_trials=1)
    assert str(caught.value) == "1 more can't be trained: of the 2 combinations of the grid, 2 are planned already"
    assert (
        mlpkit.load_spec("s/best.yaml").layers[0].recipe.arguments["units"] == found.best.values["layers.Affine1.units"]
    )
    Path("s/sweep.yaml").write_text(Path("s/sweep.yaml").read_text().partition("sweep:")[0])
    with pytest.raises(RunFolderError, match="has no section sweep any more; restore the file from a copy"):
        mlpkit.resume_sweep("s")


def test_a_spec_that_has_changed_since_is_refused_and_what_the_message_says_undoes_that(work):
    mlpkit.sweep(spec(trials=1), "s", workers=1)
    path = Path("s/sweep.yaml")
    for old, new in (("batch_size: 50", "batch_size: 40"), ("[4, 8]", "[8, 4]"), ("trials: 1", "trials: 2")):
        written = path.read_text()
        assert old in written
        path.write_text(written.replace(old, new))
        with pytest.raises(RunFolderError) as caught:
            mlpkit.resume_sweep("s")
        assert str(caught.value).startswith("s/sweep.yaml: has changed since its trials started; undo that with: ")
        undo = str(caught.value).partition("undo that with: ")[2].partition(";")[0]
        assert subprocess.run(undo, shell=True, check=False).returncode == 0
        assert path.read_text() == written
    assert mlpkit.resume_sweep("s", add_trials=1).counts == {"finished": 2}


def test_a_damaged_spec_of_a_trial_does_not_count(work):
    mlpkit.sweep(spec(trials=1), "s", workers=1)
    Path("s/trial-0/spec.yaml").write_bytes(b"\xff")
    assert mlpkit.resume_sweep("s").counts == {"finished": 1}


def test_a_full_disk_ends_the_sweep_and_the_message_says_how_to_go_on(work, monkeypatch):
    def full(*arguments):
        raise storage_error(Path("s/trial-1/trial.json"), OSError(errno.ENOSPC, "No space left on device"))

    class Filling(Observer):
        def trial_begun(self, trial):
            monkeypatch.setattr(SweepFolder, "begin", full)

    with pytest.raises(StorageError, match="No space left on device; free space on this disk") as caught:
        mlpkit.sweep(spec(), "s", workers=1, observer=Filling())
    assert caught.value.__notes__ == ["help: then resume it with: mlpkit sweep --resume s"]
    monkeypatch.undo()
    monkeypatch.chdir(work)
    assert mlpkit.resume_sweep("s").counts == {"finished": 2}


def test_the_best_of_one_trial(work):
    mlpkit.sweep(spec(trials=1), "s", workers=1)
    assert Path("s/best.yaml").read_text().startswith("# The best of 1 finished trial: trial 0")


def test_trials_may_differ_in_their_data(tmp_path, monkeypatch):
    """Choices are components here, whose files are found from the folder of the sweep, too."""
    monkeypatch.chdir(tmp_path)
    for name, factor in (("a", 2), ("b", 3)):
        rows = "\n".join(f"{i},{i * factor}" for i in range(80))
        Path(f"{name}.csv").write_text(f"x,y\n{rows}\n")
    data = [{"csv": {"file": f"{name}.csv", "target": "y", "predict": "values", "test": 0}} for name in ("a", "b")]
    layers = [{"Affine": {"units": 1}}, "MeanSquaredError"]
    training = {"optimizer": "sgd", "epochs": 1, "batch_size": 4}
    sweep = {"search": {"data": data}, "sampler": "grid", "minimize": "validation_loss"}
    found = mlpkit.sweep(
        mlpkit.load_spec({"mlpkit": 1, "data": data[0], "layers": layers, "training": training, "sweep": sweep}),
        "runs/x",
        workers=1,
    )
    assert found.counts == {"finished": 2}
    files = [trial.values["data"]["csv"]["file"] for trial in found.trials]
    assert files == ["../../a.csv", "../../b.csv"]
    for trial, name in zip(found.trials, "ab", strict=True):
        assert f"    file: {name}.csv\n" in (trial.directory / "resolved.yaml").read_text()


@pytest.mark.usefixtures("work")
def test_what_can_not_be_done_is_said_before_anything_is_written(monkeypatch):
    with pytest.raises(UsageError, match="has no section sweep, which sets what to vary"):
        mlpkit.sweep(mlpkit.load_spec("tiny.yaml"), "s")
    with pytest.raises(UsageError, match=r"sweep takes a spec, not 'tiny\.yaml'"):
        mlpkit.sweep("tiny.yaml", "s")
    with pytest.raises(UsageError, match="0 workers can't train anything; expected at least 1"):
        mlpkit.sweep(spec(), "s", workers=0)
    with pytest.raises(SpecError, match="is larger than the training data"):
        mlpkit.sweep(spec(search={"training.batch_size": [10, 5000]}), "s")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError) as caught:
        mlpkit.sweep(spec(sampler="tpe", trials=3), "s")
    assert str(caught.value) == WITHOUT_OPTUNA
    assert not Path("s").exists()


@pytest.mark.usefixtures("work")
def test_what_is_no_sweep_can_not_be_resumed():
    with pytest.raises(UsageError, match="-1 trials can't be added; expected a number, at least 0"):
        mlpkit.resume_sweep("s", add_trials=-1)
    mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=["training.epochs=1"]), "r")
    with pytest.raises(RunFolderError, match="r: is a run, not a sweep; give the folder of the sweep"):
        mlpkit.resume_sweep("r")


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGTERM), "SIGTERM"),
        (lambda: SweepFolder(Path("s")).ask_to_stop(), "mlpkit sweep --stop"),
    ],
)
@pytest.mark.usefixtures("work")
def test_sigterm_and_a_request_in_the_folder_save_the_trials_as_ctrl_c_does(ask, reason):
    class Asking(Observer):
        def trial_begun(self, trial):
            ask()

    with pytest.raises(KeyboardInterrupt, match=r'stopped; resume it with: mlpkit\.resume_sweep\("s"\)$') as caught:
        mlpkit.sweep(spec(), "s", workers=1, observer=Asking())
    assert (caught.value.run.stopped, caught.value.run.counts) == (reason, {"stopped": 1})
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert mlpkit.resume_sweep("s").counts == {"finished": 2}


SIX = {"a": SearchedKey(choices=(1, 2)), "b": SearchedKey(choices=(1, 2, 3))}


@pytest.mark.parametrize(
    ("keys", "planned"),
    [
        ({"sampler": "grid"}, 6),
        ({"sampler": "grid", "trials": 4}, 4),
        ({"sampler": "grid", "trials": 9}, 6),
        ({"trials": 9}, 9),
        ({"seconds": 9.0}, None),
    ],
)
def test_how_many_trials_a_spec_asks_for(keys, planned):
    assert planned_trials(SweepSection(SIX, **keys)) == planned


GRID = {"sampler": "grid"}


@pytest.mark.parametrize(
    ("keys", "begun", "before", "added", "after"),
    [
        ({"trials": 4}, 4, SweepProgress(), 3, SweepProgress(added=3)),
        ({"trials": 4}, 2, SweepProgress(9.5, added=2), 3, SweepProgress(9.5, added=5)),
        ({"trials": 4}, 4, SweepProgress(9.5, trials=5), 3, SweepProgress(9.5, trials=8)),
        ({**GRID, "trials": 3}, 1, SweepProgress(), 3, SweepProgress(added=3)),
        ({**GRID, "trials": 3}, 1, SweepProgress(), 4, 3),
        ({**GRID, "trials": 3}, 1, SweepProgress(added=1), 3, 4),
        ({**GRID, "trials": 3}, 1, SweepProgress(trials=5), 1, SweepProgress(trials=6)),
        ({**GRID, "trials": 3}, 1, SweepProgress(trials=5), 2, 5),
        (GRID, 1, SweepProgress(), 1, 6),
        ({**GRID, "seconds": 9.0}, 4, SweepProgress(), 2, SweepProgress(added=2)),
        ({**GRID, "seconds": 9.0}, 4, SweepProgress(), 3, 4),
        ({**GRID, "trials": 9}, 1, SweepProgress(), 1, 6),
    ],
)
def test_of_a_grid_only_combinations_that_are_left_are_added(keys, begun, before, added, after, tmp_path):
    """Where that isn't possible, ``after`` is how many of the six the message calls planned."""
    with SweepFolder.create(tmp_path / "s", "mlpkit: 1\n") as folder:
        for number in range(begun):
            folder.begin(number, {}, 0.0)
        folder.write_progress(before)
        if isinstance(after, SweepProgress):
            _add_trials(folder, SweepSection(SIX, **keys), added)
            assert folder.read_progress() == after
            return
        with pytest.raises(UsageError) as caught:
            _add_trials(folder, SweepSection(SIX, **keys), added)
        assert str(caught.value) == (
            f"{added} more can't be trained: of the 6 combinations of the grid, {after} are planned already"
        )
        assert folder.read_progress() == before


@pytest.mark.usefixtures("work")
def test_what_is_most_likely_not_meant_is_noticed_before_the_first_trial():
    class Watch(Observer):
        noted = ()

        def noticed(self, message):
            self.noted += (message,)

    changes = {"training.decays": {"Affine1.*": 0.5}, "training.epochs": 1, "sweep": SWEEP}
    watch, stop = Watch(), StopRequest()
    stop.stop("enough")
    found = mlpkit.sweep(mlpkit.load_spec("tiny.yaml", overrides=changes), "s", observer=watch, stop=stop)
    (note,) = watch.noted
    assert (found.stopped, found.counts) == ("enough", {})
    assert note == (
        "decays has no effect: sgd has no weight decay here; leave out decays, or choose an optimizer with weight "
        "decay and give it one"
    )
