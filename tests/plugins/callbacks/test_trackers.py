"""Trackers: what their own clients read back of runs, also of one that was killed and resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from requirements import require_package
from wandb_file import logged_in

import mlpkit

SPEC = """\
mlpkit: 1
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 10
  iterations: 8
  evaluate_every: 1
  callbacks: CALLBACKS
  checkpoint: {every: 3}
"""

KILLER = """\
import os, signal, time
from mlpkit import Callback, component, hookimpl

class Killed(Callback):
    '''Kills the process after a step, as soon as the checkpoint before is written.'''

    def on_step(self, training, loss):
        if training.progress.step == 6 and os.environ.get("KILL_IT"):
            while not list((training.folder / "checkpoints").glob("*3.safetensors")):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)

@hookimpl
def mlpkit_components():
    return [component("callback", "killed", Killed)]
"""

TRACKERS = "[mlflow, wandb: {project: digits}, wandb: {module: trackio, project: digits}, acme.killed]"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder, and an environment in which no tracker leaves it or uses the network."""
    folder = tmp_path_factory.mktemp("trackers")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        patch.setenv("TRACKIO_DIR", str(folder / "trackio"))
        for name in ("CACHE", "CONFIG", "DATA"):
            patch.setenv(f"WANDB_{name}_DIR", str(folder / name))
        patch.setenv("WANDB_MODE", "offline")
        wandb = require_package("wandb")
        require_package("mlflow")
        require_package("trackio")  # reads the environment when it is imported
        wandb.teardown()  # it keeps the environment that it found first
        yield folder
        wandb.teardown()


@pytest.fixture(scope="module")
def resumed(place):
    """A run that three trackers log, killed in step 6 after the checkpoint of step 3, and resumed; and what it said."""
    (place / "acme.py").write_text(KILLER)
    (place / "s.yaml").write_text(SPEC.replace("CALLBACKS", TRACKERS))
    command = [sys.executable, "-m", "mlpkit", "run", "s.yaml", "--out", "run", "--plugin", "acme.py"]
    killed = subprocess.run(command, env={**os.environ, "KILL_IT": "1"}, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    run = mlpkit.resume("run", plugins=["acme.py"])
    return run, killed


@pytest.fixture(scope="module")
def whole(place, resumed):
    """The same run without a break, and without trackers."""
    (place / "whole.yaml").write_text(SPEC.replace("CALLBACKS", "[]"))
    return mlpkit.run(mlpkit.load_spec("whole.yaml"))


def curves_of(history):
    """Return what is to be logged: for each curve, its steps and values."""
    curves = {}
    for record in history:
        for key, value in record.items():
            split, _, name = key.partition("_")
            curve = f"{name}/{split}" if split in {"train", "validation"} else key
            curves.setdefault(curve, []).append((record["iteration"], value))
    del curves["iteration"]
    return curves


def finals_of(run):
    return {f"final/{split}_{name}": value for split, values in run.metrics.items() for name, value in values.items()}


def mlflow_run(client):
    (experiment,) = client.search_experiments(filter_string="name = 'mlpkit'")
    (run,) = client.search_runs([experiment.experiment_id])
    return run


def test_mlflow_has_each_step_once_the_spec_the_results_and_the_model(resumed, whole):
    from mlflow import MlflowClient

    run, _ = resumed
    client = MlflowClient()
    logged = mlflow_run(client)
    histories = {key: client.get_metric_history(logged.info.run_id, key) for key in logged.data.metrics}
    found = {key: [(metric.step, metric.value) for metric in metrics] for key, metrics in histories.items()}
    assert found == curves_of(whole.history) | {key: [(8, value)] for key, value in finals_of(whole).items()}
    assert (logged.info.status, logged.info.run_name) == ("FINISHED", "run")
    assert logged.data.params["training.optimizer.sgd.learning_rate"] == "0.1"
    assert logged.data.params["layers.0.Affine.units"] == "10"
    assert logged.data.tags["mlpkit.run_folder"] == str(run.folder.resolve())
    assert logged.data.tags["mlpkit.spec_hash"] in (run.folder / "lock.json").read_text()


def test_wandb_has_each_step_once_the_spec_and_the_results(resumed, whole):
    run, _ = resumed
    (file,) = (run.folder / "wandb").glob("offline-run-*/*.wandb")  # what was written before the kill is gone
    history, config, summary, code = logged_in(file)
    curves = {}
    for row in history:
        for key in row.keys() - {"_step", "_timestamp", "_runtime"}:
            curves.setdefault(key, []).append((row["_step"], row[key]))
    assert curves == curves_of(whole.history)
    assert finals_of(whole).items() <= summary.items()
    assert config["training.optimizer.sgd.learning_rate"] == 0.1
    assert config["mlpkit.run_folder"] == str(run.folder.resolve())
    assert code == 0


def test_trackio_in_its_place_has_each_step_once_too(resumed, whole):
    import trackio
    from trackio.sqlite_storage import SQLiteStorage

    (run,) = trackio.Api().runs("digits")
    rows = SQLiteStorage.get_logs("digits", run.name, run_id=run.id)
    curves = {}
    for row in rows:
        for key in row.keys() - {"step", "timestamp"}:
            curves.setdefault(key, []).append((row["step"], row[key]))
    assert curves == curves_of(whole.history) | {key: [(8, value)] for key, value in finals_of(whole).items()}
    assert run.config["training.optimizer.sgd.learning_rate"] == 0.1


def test_their_chatter_stays_away_from_the_terminal(resumed):
    _, killed = resumed
    assert killed.stdout.startswith("iteration ")
    assert killed.stdout.count("\n") == 6
    for word in ("wandb", "mlflow", "rackio", "INFO"):
        assert word not in killed.stderr


@pytest.fixture
def mlflow_spec(place, resumed, monkeypatch):
    """Return a function that loads a spec whose runs go to an experiment of its own in MLflow's database."""

    def load(experiment, **overrides):
        (place / "m.yaml").write_text(SPEC.replace("CALLBACKS", f"[mlflow: {{experiment: {experiment}}}]"))
        return mlpkit.load_spec("m.yaml", overrides=overrides)

    return load


def steps_in_mlflow(experiment):
    """Return status and logged steps of each run of an experiment."""
    from mlflow import MlflowClient

    client = MlflowClient()
    number = client.get_experiment_by_name(experiment).experiment_id
    return [
        (run.info.status, [metric.step for metric in client.get_metric_history(run.info.run_id, "loss/train")])
        for run in client.search_runs([number], order_by=["attribute.start_time"])
    ]


def test_a_run_that_was_stopped_is_called_killed_and_once_it_is_resumed_finished(mlflow_spec, run_until):
    run_until(mlflow_spec("stopped"), "stopped", 5)
    assert steps_in_mlflow("stopped") == [("KILLED", [1, 2, 3, 4, 5])]
    mlpkit.resume("stopped")
    assert steps_in_mlflow("stopped") == [("FINISHED", list(range(1, 9)))]


def test_a_run_that_diverged_is_called_failed(mlflow_spec):
    with pytest.raises(mlpkit.DivergenceError):
        mlpkit.run(mlflow_spec("diverged", **{"training.optimizer.sgd.learning_rate": 1e40}), "diverged")
    ((status, _),) = steps_in_mlflow("diverged")
    assert status == "FAILED"


def test_while_mlflow_is_away_the_run_goes_on_and_logs_it_later(mlflow_spec, monkeypatch):
    import mlflow

    log_batch = mlflow.MlflowClient.log_batch

    def away(client, run_id, metrics=(), **others):
        if {metric.step for metric in metrics} & {3}:
            monkeypatch.setattr(mlflow.MlflowClient, "log_batch", log_batch)
            raise ConnectionError("the server is away")
        return log_batch(client, run_id, metrics, **others)

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", away)
    with pytest.warns(UserWarning, match=r"^away: can't be logged to MLflow: the server is away; .*the run continues"):
        mlpkit.run(mlflow_spec("away"), "away")
    assert steps_in_mlflow("away") == [("FINISHED", list(range(1, 9)))]


def test_a_run_that_mlflow_has_no_more_is_logged_again_from_its_beginning(mlflow_spec, run_until):
    from mlflow import MlflowClient

    run_until(mlflow_spec("deleted"), "deleted", 5)
    client = MlflowClient()
    (deleted,) = client.search_runs([client.get_experiment_by_name("deleted").experiment_id])
    client.delete_run(deleted.info.run_id)
    mlpkit.resume("deleted")
    assert steps_in_mlflow("deleted") == [("FINISHED", list(range(1, 9)))]


def test_an_mlflow_that_cannot_be_reached_is_an_error_before_training(mlflow_spec, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(
        mlpkit.StorageError, match=r"^lost: can't be logged to MLflow: .*refused.*; check that it can be"
    ):
        mlpkit.run(mlflow_spec("lost"), "lost")
    assert not Path("lost/history.jsonl").exists()


def test_a_run_of_wandb_that_was_stopped_goes_on_offline(place, resumed, run_until):
    (place / "w.yaml").write_text(SPEC.replace("CALLBACKS", "[wandb]"))
    run_until(mlpkit.load_spec("w.yaml"), "w", 5)
    (file,) = Path("w/wandb").glob("offline-run-*/*.wandb")
    history, _, _, code = logged_in(file)
    assert ([row["_step"] for row in history], code) == ([1, 2, 3, 4, 5], 1)
    run = mlpkit.resume("w")
    (again,) = Path("w/wandb").glob("offline-run-*/*.wandb")
    history, _, summary, code = logged_in(again)
    assert ([row["_step"] for row in history], code) == (list(range(1, 9)), 0)
    assert finals_of(run).items() <= summary.items()
    assert again.name == file.name


def test_wandb_leaves_how_the_process_ends_as_it_was(place, resumed):
    import wandb

    wandb.teardown()  # the first run after it connects again, which is when W&B replaces them
    hooks = sys.exit, sys.excepthook
    (place / "w.yaml").write_text(SPEC.replace("CALLBACKS", "[wandb: {}]"))
    mlpkit.run(mlpkit.load_spec("w.yaml"), "hooks")
    assert (sys.exit, sys.excepthook) == hooks


def test_wandb_that_does_not_know_who_logs_is_an_error(place, resumed, monkeypatch):
    monkeypatch.setenv("NETRC", str(place / "netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    (place / "w.yaml").write_text(SPEC.replace("CALLBACKS", "[wandb: {mode: online}]"))
    with pytest.raises(mlpkit.UsageError, match=r"^W&B isn't logged in; run wandb login, or write"):
        mlpkit.run(mlpkit.load_spec("w.yaml"), "unknown")


@pytest.mark.parametrize("callback", ["mlflow", "wandb", "wandb: {module: trackio}"])
def test_without_a_folder_nothing_is_logged(callback, place):
    (place / "n.yaml").write_text(SPEC.replace("CALLBACKS", f"[{callback}]"))
    before = set(place.rglob("*"))
    mlpkit.run(mlpkit.load_spec("n.yaml"))
    assert set(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        ("mlflow: {uri: ./mlruns}", "'./mlruns' is not a server or database"),
        ("mlflow: {uri: 'file:///mlruns'}", "'file:///mlruns' is not a server or database"),
        ("wandb: {module: trackio, mode: offline}", "trackio has no mode"),
        ("wandb: {module: trackio, entity: me}", "trackio has no entity"),
    ],
)
def test_what_a_tracker_cannot_do_is_an_error_of_the_spec(callback, message, place):
    (place / "e.yaml").write_text(SPEC.replace("CALLBACKS", f"[{callback}]"))
    with pytest.raises(mlpkit.SpecError, match=message):
        mlpkit.load_spec("e.yaml")


WITHOUT = """\
import sys
hidden = HIDDEN
class Hidden:  # as if they were not there
    def find_spec(self, name, path=None, target=None):
        if name in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
from mlpkit.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("name", "hidden", "error"),
    [
        ("mlflow", ["sqlalchemy"], 'needs the package sqlalchemy; install it with: pip install "mlpkit[mlflow]"'),
        ("wandb", ["wandb", "trackio"], 'needs the package wandb; install it with: pip install "mlpkit[wandb]"'),
    ],
)
def test_without_its_library_the_error_says_how_to_install_it(name, hidden, error):
    command = [sys.executable, "-c", WITHOUT.replace("HIDDEN", repr(hidden)), "show", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert error in done.stderr
    assert "Traceback" not in done.stderr
