"""Training with several seeds: the same bits as alone, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
import time
import types
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from requirements import Optional, require_package
from run_folders import ALL_FILES, results

import mlpkit
from mlpkit.errors import RunFolderError, SpecError, UsageError
from mlpkit.groups.local_workers import LocalWorkers
from mlpkit.groups.seeds import SeedRuns, resume_seeds, run_seeds
from mlpkit.groups.several_runs import listed_runs, share_of_cores, shared_out, train_prepared
from mlpkit.jobs.prove import prove
from mlpkit.jobs.train import prepare
from mlpkit.runs.folder import RunFolder
from mlpkit.statistics import interval
from mlpkit.system import available_cores
from mlpkit.training.events import Event, Observer, StopRequest

stats = Optional("scipy.stats")

contents = partial(results, names=ALL_FILES)
SEEDS = [3, 8]
LONG = {"training.epochs": 300, "training.evaluate_every": 50, "training.checkpoint": {"every": 100}}

UNSTEADY = '''\
import numpy as np
from mlpkit import Initializer, component, hookimpl


class Unsteady(Initializer):
    """Weights that are too large, or not.

    Source: none.
    """

    def __call__(self, shape, fans, rng, dtype):
        return np.full(shape, 3e38 if rng.random() < 0.5 else 0.01, dtype)


@hookimpl
def mlpkit_components():
    return [component("initializer", "unsteady", Unsteady)]
'''


def spec(**overrides):
    return mlpkit.load_spec("tiny.yaml", overrides=overrides)


def trainer_of(folder):
    """The process that wrote to a run folder last."""
    return int((folder / ".lock").read_text().split()[0])


def alone(seed, directory, **overrides):
    """The results of a run with one seed."""
    mlpkit.run(spec(seed=seed, **overrides), directory)
    return contents(directory)


class Watch:
    """Remembers the events, and does something at the first evaluation.

    Args:
        act: what to do, given the seed.
    """

    def __init__(self, act=lambda seed: None):
        self.act = act
        self.acted = None
        self.outcomes = {}
        self.resumed_at = {}

    def __call__(self, event):
        match event:
            case Event(seed, "evaluated") if self.acted is None:
                self.acted = seed
                self.act(seed)
            case Event(seed, "resumed", (step,)):
                self.resumed_at[seed] = step
            case Event(seed, "over", (end,)):
                self.outcomes[seed] = end


@pytest.fixture(scope="module")
def trained(shared_work):
    """Two seeds, trained at once on two cores."""
    return mlpkit.run(spec(), "group", seeds=SEEDS)


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("seed", SEEDS)
def test_each_run_has_the_same_bits_as_alone(seed, tmp_path):
    assert contents(f"group/seed-{seed}") == alone(seed, tmp_path / "alone")


def test_the_metrics_are_mean_and_interval_over_the_runs(trained):
    values = [json.loads(Path(f"group/seed-{seed}/metrics.json").read_text())["test"]["loss"] for seed in SEEDS]
    found = trained.metrics["test"]["loss"]
    low, high = stats.t.interval(0.95, 1, np.mean(values), stats.sem(values))
    assert (found.n, found.mean, found.low, found.high) == pytest.approx((2, np.mean(values), low, high))
    assert found.std == pytest.approx(np.std(values, ddof=1))
    written = json.loads(Path("group/metrics.json").read_text())
    assert written["test"]["loss"]["mean"] == found.mean
    assert list(trained.metrics) == ["test", "validation", "train"]
    assert list(trained.metrics["test"]) == ["loss", "accuracy"]


def test_the_runs_are_there(trained):
    assert list(trained.runs) == SEEDS
    network = mlpkit.load_model("group/seed-8/model.safetensors")
    for name, value in trained.runs[8].network.parameters.items():
        np.testing.assert_array_equal(value, network.parameters[name])
    assert (trained.seeds, trained.unfinished, trained.failures) == ((3, 8), (), {})


def test_it_says_what_the_runs_come_to(trained):
    accuracy = trained.metrics["test"]["accuracy"]
    assert repr(trained).startswith("<SeedRuns of 2 seeds: test loss ")
    assert f"accuracy {accuracy.mean:.4f} ± {accuracy.half_width:.4f}; validation loss" in repr(trained)
    assert repr(trained).endswith("; saved in group>")
    assert f"<td>{accuracy.mean:.4f} ± {accuracy.half_width:.4f}</td>" in trained._repr_html_()
    assert "<p>saved in group</p>" in trained._repr_html_()


@pytest.mark.parametrize(
    ("failures", "stopped", "folder", "text"),
    [
        ({}, "", None, ""),
        ({5: "diverged"}, "", Path("runs/x"), "failed: seed 5; saved in runs/x"),
        ({3: "diverged", 5: "no room"}, "SIGINT", None, "failed: seeds 3, 5; stopped: SIGINT"),
    ],
)
def test_it_says_what_went_wrong(failures, stopped, folder, text):
    runs = SeedRuns((3, 4, 5), {}, failures=failures, stopped=stopped, folder=folder, _load=dict)
    assert repr(runs) == f"<SeedRuns of 3 seeds: {text}>"


def test_one_seed_is_one_seed():
    assert repr(SeedRuns((3,), {}, _load=dict)).startswith("<SeedRuns of 1 seed: ")


def test_a_page_has_mean_and_interval_each_run_and_all_curves(trained, tmp_path):
    require_package("vl_convert")
    file = mlpkit.report("group", tmp_path / "page.html")
    text = file.read_text()
    loss = trained.metrics["test"]["loss"]
    assert f"{loss.mean:.4f} ± {loss.half_width:.4f}" in text
    for seed, run in trained.runs.items():
        assert f"seed-{seed}<" in text
        assert f"{run.metrics['test']['loss']:.4f}" in text
    assert "group: 2 seeds" in text
    assert "Validation accuracy" in text


@pytest.mark.usefixtures("trained")
def test_what_is_finished_is_left_alone():
    times = {path: path.stat().st_mtime_ns for path in Path("group").glob("seed-*/model.safetensors")}
    again = resume_seeds("group")
    assert list(again.runs) == SEEDS
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.usefixtures("shared_work")
def test_stopped_and_resumed_it_comes_to_the_same_bits(tmp_path):
    """On all cores for each run: one is in the middle, the other has not begun, and one process trains both."""
    overrides = LONG | {"training.threads": available_cores()}
    stop = StopRequest()
    watch = Watch(lambda seed: stop.stop("SIGTERM"))
    found = run_seeds(spec(seeds=SEEDS, **overrides), tmp_path / "group", observer=watch, stop=stop)
    assert (found.stopped, watch.acted, found.unfinished) == ("SIGTERM", 3, (3, 8))
    assert watch.outcomes[3].stopped
    assert not (tmp_path / "group/metrics.json").exists()
    assert not (tmp_path / "group/seed-8/history.jsonl").exists()

    watch = Watch()
    assert resume_seeds(tmp_path / "group", observer=watch).unfinished == ()
    assert watch.resumed_at.keys() == {3}
    for seed in SEEDS:
        expected = alone(seed, tmp_path / f"alone-{seed}", **overrides)
        assert contents(tmp_path / f"group/seed-{seed}") == expected
    assert (tmp_path / "group/metrics.json").exists()


@pytest.mark.usefixtures("shared_work")
def test_a_run_whose_process_is_killed_is_named_and_goes_on_later(tmp_path):
    def kill(seed):
        os.kill(trainer_of(tmp_path / f"group/seed-{seed}"), signal.SIGKILL)

    watch = Watch(kill)
    overrides = {**LONG, "training.epochs": 100}
    found = run_seeds(spec(seeds=SEEDS, **overrides), tmp_path / "group", observer=watch)
    assert found.failures == {watch.acted: "the process that trained it ended by SIGKILL"}
    (other,) = {*SEEDS} - {watch.acted}
    assert (list(found.runs), found.metrics["test"]["loss"].n) == ([other], 1)
    assert resume_seeds(tmp_path / "group").failures == {}
    expected = alone(watch.acted, tmp_path / "alone", **overrides)
    assert contents(tmp_path / f"group/seed-{watch.acted}") == expected


@pytest.mark.usefixtures("trained")
def test_runs_on_other_data_are_named(tmp_path):
    shutil.copytree("group", tmp_path / "group")
    lock = tmp_path / "group/seed-8/lock.json"
    lock.write_text(re.sub(r'"data_checksum": "\w+"', '"data_checksum": "abc"', lock.read_text()))
    with pytest.warns(UserWarning, match=r"^seed 8: was not trained like seed 3: data_checksum: .* here$"):
        resume_seeds(tmp_path / "group")


@pytest.mark.usefixtures("shared_work")
def test_a_run_that_something_else_stops_is_named(tmp_path):
    def end(seed):
        os.kill(trainer_of(tmp_path / f"group/seed-{seed}"), signal.SIGTERM)

    watch = Watch(end)
    one = {**LONG, "training.threads": available_cores()}
    found = run_seeds(spec(seeds=[3, 8], **one), tmp_path / "group", observer=watch)
    assert found.failures == {3: "stopped by SIGTERM"}
    assert RunFolder.open(tmp_path / "group/seed-3").checkpoints.exist
    assert (found.unfinished, list(found.runs)) == ((3,), [8])


@pytest.mark.usefixtures("shared_work")
def test_runs_that_diverge_are_named_and_the_others_go_on(tmp_path):
    plugin = tmp_path / "shaky.py"
    plugin.write_text(UNSTEADY)
    overrides = {"layers.Affine1.weights": "shaky.unsteady", "training.epochs": 1}
    errors, seeds = {}, range(6)
    for seed in seeds:
        one = mlpkit.load_spec("tiny.yaml", overrides=overrides | {"seed": seed}, plugins=[plugin])
        try:
            mlpkit.run(one)
        except mlpkit.DivergenceError as error:
            errors[seed] = str(error)
    assert 0 < len(errors) < len(seeds)

    with pytest.warns(UserWarning, match="training diverged") as warned:
        found = mlpkit.run(mlpkit.load_spec("tiny.yaml", overrides=overrides, plugins=[plugin]), seeds=seeds)
    assert found.failures == errors
    assert {str(one.message) for one in warned} == {f"seed {seed}: {text}" for seed, text in errors.items()}
    assert found.metrics["test"]["loss"].n == len(seeds) - len(errors)
    assert found.folder is None
    assert all(run.folder is None for run in found.runs.values())


@pytest.mark.usefixtures("shared_work")
def test_ctrl_c_stops_all_and_says_how_to_go_on(tmp_path):
    def interrupt():
        while not (tmp_path / "group/seed-3/history.jsonl").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    forever = {"training.epochs": 10**9, "training.evaluate_every": 1000}
    with pytest.raises(KeyboardInterrupt) as caught:
        mlpkit.run(spec(**forever), tmp_path / "group", seeds=SEEDS)
    assert str(caught.value) == f'stopped; resume it with: mlpkit.resume_seeds("{tmp_path / "group"}")'
    assert caught.value.run.unfinished == (3, 8)
    assert RunFolder.open(tmp_path / "group/seed-3").checkpoints.exist


@pytest.mark.usefixtures("shared_work")
def test_ctrl_c_without_a_folder_leaves_the_finished_runs(monkeypatch):
    monkeypatch.setattr("mlpkit.groups.several_runs.available_cores", lambda: 1)  # one run after the other

    def interrupt(event):
        if (event.run, event.kind) == (3, "over"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="stopped; the exception holds the finished runs: ") as caught:
        run_seeds(spec(**LONG).with_seeds(SEEDS), observer=interrupt)
    found = caught.value.run
    assert (found.folder, found.unfinished, list(found.runs)) == (None, (8,), [3])
    assert found.runs[3].network.predict(np.zeros((1, 784))).shape == (1, 10)


@pytest.mark.usefixtures("shared_work")
def test_a_prepared_run_that_an_earlier_beginning_left_begins_again(tmp_path):
    prepare(prove(spec(seed=3)), tmp_path / "run")
    (tmp_path / "run/history.jsonl").write_text('{"iteration":1,"epoch":0.2}\n')
    (tmp_path / "run/timing.jsonl").write_text('{"iteration":1,"seconds":0.2}\n')
    train_prepared(tmp_path / "run", observer=Observer(), stop=StopRequest())
    assert contents(tmp_path / "run") == alone(3, tmp_path / "alone", **{"training.threads": 1})
    assert len((tmp_path / "run/timing.jsonl").read_text().splitlines()) == 12


@pytest.mark.usefixtures("shared_work")
def test_a_run_that_is_only_prepared_begins_if_it_is_resumed(tmp_path):
    prepare(prove(spec(seed=3)), tmp_path / "run")
    assert RunFolder.open(tmp_path / "run").resume_hint == f"resume it with: mlpkit resume {tmp_path / 'run'}"
    assert mlpkit.resume(tmp_path / "run").steps == 48
    assert contents(tmp_path / "run") == alone(3, tmp_path / "alone", **{"training.threads": 1})


@pytest.mark.usefixtures("shared_work")
def test_a_run_that_has_lost_its_lock_keeps_its_history(tmp_path):
    prepare(prove(spec(seed=3)), tmp_path / "run")
    history = tmp_path / "run/history.jsonl"
    history.write_text('{"iteration":1,"epoch":0.2}\n')
    with pytest.raises(RunFolderError, match="start a new run: mlpkit run "):
        mlpkit.resume(tmp_path / "run")
    assert history.read_text() == '{"iteration":1,"epoch":0.2}\n'


@pytest.mark.usefixtures("shared_work")
def test_an_idle_process_that_died_gets_no_run(tmp_path):
    workers = LocalWorkers(1)
    for name in ("first", "second"):
        prepare(prove(spec(seed=3)), tmp_path / name)
    try:
        assert workers.submit(train_prepared, tmp_path / "first").result().steps == 48
        idle = trainer_of(tmp_path / "first")
        os.kill(idle, signal.SIGKILL)
        os.waitid(os.P_PID, idle, os.WEXITED | os.WNOWAIT)
        assert workers.submit(train_prepared, tmp_path / "second").result().steps == 48
    finally:
        workers.shutdown()


@pytest.mark.usefixtures("shared_work")
def test_runs_at_once_update_with_their_share_of_the_cores(tmp_path, monkeypatch):
    """Of eight cores, each of three runs has two, and a network of many blocks uses no more."""
    asked = []
    monkeypatch.setattr("mlpkit.groups.several_runs.available_cores", lambda: 8)
    submit = LocalWorkers.submit
    monkeypatch.setattr(
        LocalWorkers, "submit", lambda *args, cores, **more: asked.append(cores) or submit(*args, cores=cores, **more)
    )
    mlpkit.run(spec(**{"training.epochs": 1}), tmp_path / "group", seeds=3)
    assert asked == [2, 2, 2]


@pytest.mark.usefixtures("shared_work")
@pytest.mark.parametrize(("count", "seeds"), [(2, (3, 4)), (5, (3, 4, 5, 6, 7))])
def test_a_spec_with_seeds_is_run_with_them(count, seeds):
    several = spec(seeds=count)
    assert several.seeds == seeds
    with pytest.raises(UsageError) as raised:
        mlpkit.run(several)
    assert str(raised.value) == (
        f"the spec trains with {count} seeds; mlpkit.run(spec, seeds=spec.seeds) returns all {count}"
    )


@pytest.mark.usefixtures("shared_work")
def test_one_seed_is_an_ordinary_run(tmp_path):
    for name, overrides in (("a", {"seeds": 1}), ("b", {"seeds": [3]}), ("c", {})):
        mlpkit.run(spec(**overrides), tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")


@pytest.mark.usefixtures("shared_work")
@pytest.mark.parametrize(
    ("seeds", "told"), [(0, "seeds: 0 isn't allowed here"), ([3, 3], "seeds.1: the seed 3 is given twice")]
)
def test_wrong_seeds_are_an_error(seeds, told):
    with pytest.raises(UsageError) as raised:
        mlpkit.run(spec(), seeds=seeds)
    assert str(raised.value).startswith(told)


@pytest.mark.usefixtures("shared_work")
def test_an_observer_of_one_run_is_refused():
    with pytest.raises(UsageError, match="run takes no observer with seeds"):
        mlpkit.run(spec(), seeds=2, observer=Observer())


@pytest.mark.usefixtures("shared_work")
def test_a_plugin_of_this_process_alone_is_refused():
    module = types.ModuleType("shaky")
    exec(UNSTEADY, vars(module))
    one = mlpkit.load_spec("tiny.yaml", overrides={"layers.Affine1.weights": "shaky.unsteady"}, plugins=[module])
    with pytest.raises(UsageError) as raised:
        mlpkit.run(one, seeds=2)
    assert str(raised.value) == "another process can't load module shaky; write it into a file, and give its path"


@pytest.mark.usefixtures("shared_work")
def test_a_spec_that_does_not_fit_its_data_leaves_nothing(tmp_path):
    with pytest.raises(SpecError, match="freeze"):
        mlpkit.run(spec(**{"training.freeze": ["Conv*"]}), tmp_path / "group", seeds=2)
    assert not (tmp_path / "group").exists()


@pytest.mark.usefixtures("trained")
def test_a_folder_that_is_in_use_is_left_alone():
    with pytest.raises(RunFolderError, match=r"holds metrics\.json, seed-3, seed-8, seeds\.json already"):
        mlpkit.run(spec(), "group", seeds=2)


@pytest.mark.parametrize(
    ("cores", "count", "threads", "at_once", "share"),
    [(2, 5, 1, 2, 1), (8, 3, 1, 3, 2), (8, 20, 3, 2, 3), (8, 2, 8, 1, 8), (8, 2, 16, 1, 16), (8, 1, 1, 1, 8)],
)
def test_as_many_train_at_once_as_there_are_cores_for(cores, count, threads, at_once, share, monkeypatch):
    monkeypatch.setattr("mlpkit.groups.several_runs.available_cores", lambda: cores)
    assert shared_out(count, threads) == (at_once, share)


@pytest.mark.parametrize(
    ("workers", "count", "at_once", "share"), [(2, 3, 2, 4), (9, 3, 3, 2), (1, 3, 1, 8), (20, 20, 20, 1)]
)
def test_a_number_of_workers_shares_the_cores_whatever_a_run_could_use(workers, count, at_once, share, monkeypatch):
    monkeypatch.setattr("mlpkit.groups.several_runs.available_cores", lambda: 8)
    assert shared_out(count, 5, workers) == (at_once, share)
    assert (share_of_cores(workers, count), share_of_cores(None, count)) == (share, None)


def test_runs_of_several_seeds_in_a_line():
    metrics = {"test": {"loss": interval([0.5, 0.75]), "accuracy": interval([0.875])}}
    found = SeedRuns((3, 8), metrics, _load=dict)
    assert repr(found) == "<SeedRuns of 2 seeds: test loss 0.6250 ± 1.5883, accuracy 0.8750>"
    found = SeedRuns((3,), {}, (), {3: "out of memory", 8: "diverged"}, Path("runs/x"), "SIGINT", _load=dict)
    assert repr(found) == "<SeedRuns of 1 seed: failed: seeds 3, 8; stopped: SIGINT; saved in runs/x>"
    assert (listed_runs([3]), listed_runs([3, 8], "member"), listed_runs([])) == ("seed 3", "members 3, 8", "seed ")


@pytest.mark.usefixtures("trained")
def test_a_run_whose_folder_was_removed_is_named(tmp_path):
    folder = tmp_path / "a group"
    shutil.copytree("group", folder)
    shutil.rmtree(folder / "seed-8")
    with pytest.raises(RunFolderError) as caught:
        resume_seeds(folder)
    way = f"mlpkit run SPEC --set seed=8 --out '{folder}/seed-8'"
    assert str(caught.value) == f"{folder}: has no run of seed 8; train it again, then resume the rest: {way}"


def test_a_run_whose_folder_was_removed_is_named_with_the_command_that_trains_it(work, tmp_path):
    seeds = run_seeds(spec(seeds=SEEDS, **{"training.epochs": 2}), "two", observer=Observer())
    before = contents("two/seed-8")
    shutil.rmtree("two/seed-8")
    with pytest.raises(RunFolderError, match="two: has no run of seed 8; train it again") as caught:
        resume_seeds(seeds)
    assert str(caught.value).endswith("mlpkit run SPEC --set seed=8 --out two/seed-8")
    mlpkit.run(spec(seed=8, **{"training.epochs": 2, "training.threads": 1}), "two/seed-8")
    assert set(resume_seeds(seeds).runs) == set(SEEDS)
    assert contents("two/seed-8").keys() == before.keys()
