"""Training a finished run for longer."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from run_folders import results
from stop_at import StopAt

import mlpkit
from mlpkit.verbs.repro.repro import repro

ADAM = {"training.optimizer": {"adam": {"learning_rate": 0.002}}}
CHECKPOINTS = {"training.checkpoint": {"every": 7}}
AT_THE_END = {"training.checkpoint": {"every": 4, "keep": 1}}
COSINE = {"training.optimizer": {"sgd": {"learning_rate": {"cosine": {"first": 0.1}}}}}
KEEPING = {"training.best_weights": "loss", "training.moving_average": {"decay": 0.9}}


def spec(**overrides):
    return mlpkit.load_spec("tiny.yaml", overrides={"training.epochs": 4, **overrides})


@pytest.mark.parametrize("overrides", [ADAM, ADAM | CHECKPOINTS, ADAM | AT_THE_END, KEEPING, KEEPING | CHECKPOINTS])
def test_comes_to_what_a_run_of_that_length_comes_to(work, overrides):
    mlpkit.run(spec(**overrides), "short")
    short = results("short")
    run = mlpkit.resume("short", epochs=7)
    mlpkit.run(spec(**overrides | {"training.epochs": 7}), "whole")
    assert (run.folder, run.steps) == (Path("short-2"), 28)
    assert results("short-2") == results("whole")
    assert results("short") == short
    assert Path("short-2/health.jsonl").read_bytes() == Path("whole/health.jsonl").read_bytes()


def test_the_longer_run_can_be_interrupted_and_continued_once_more(work):
    mlpkit.run(spec(**ADAM), "short")
    watch = StopAt(20)
    stopped = mlpkit.resume("short", epochs=7, out="longer", observer=watch, stop=watch.stop)
    assert (stopped.steps, stopped.stopped) == (20, "SIGTERM")
    mlpkit.resume("longer")
    mlpkit.resume("longer", iterations=36, out="longest")
    mlpkit.run(spec(**ADAM | {"training.epochs": 7}), "seven")
    mlpkit.run(spec(**ADAM | {"training.epochs": None, "training.iterations": 36}), "nine")
    assert results("longer") == results("seven")
    assert results("longest") == results("nine")


@pytest.mark.parametrize("name", [".", ".."])
def test_the_longer_run_is_next_to_the_other_wherever_one_is(name, work, monkeypatch):
    mlpkit.run(spec(**{"data.mnist.directory": str(work / "digits")}), "short")
    (work / "short/below").mkdir()
    monkeypatch.chdir("short/below" if name == ".." else "short")
    assert mlpkit.resume(name, epochs=5).folder.resolve() == (work / "short-2").resolve()


def test_its_folder_names_the_run_that_it_continues(work):
    mlpkit.run(spec(), "short")
    mlpkit.resume("short", epochs=5, out="longer")
    lock, before = (json.loads(Path(folder, "lock.json").read_text()) for folder in ("longer", "short"))
    assert lock.pop("continues") == {"run": "short", "step": 16, "until": "--epochs 5"}
    assert {key for key in lock if lock[key] != before[key]} == {"spec_hash"}
    with pytest.raises(mlpkit.UsageError, match=r"continues short after step 16; .*: mlpkit resume short --epochs 5"):
        repro(Path("longer"))
    assert "mlpkit resume short --epochs 5 --out longer-again" in mlpkit.report("longer").read_text()
    with pytest.raises(mlpkit.RunFolderError) as raised:
        mlpkit.trace("longer", 3)
    assert str(raised.value) == (
        "longer: can't be traced from its beginning: it continues short after step 16, and its first checkpoint is of "
        "step 16; expected a later step, or that run"
    )
    assert mlpkit.trace("longer", 18).learning_rate == 0.05


def test_schedules_are_those_of_the_new_length(work):
    mlpkit.run(spec(**COSINE), "short")
    run = mlpkit.resume("short", epochs=8)
    rates = [record["learning_rate"] for record in run.history]
    steps = [record["iteration"] - 1 for record in run.history]
    expected = [0.05 * (1 + math.cos(math.pi * step / (16 if step < 16 else 32))) for step in steps]
    assert rates == pytest.approx(expected)


def test_early_stopping_counts_again(work):
    stopping = {"training.early_stopping": {"patience": 2, "minimum_change": 10.0}}
    first = mlpkit.run(spec(**stopping), "short")
    assert (first.steps, bool(first.ended)) == (12, True)
    second = mlpkit.resume("short", epochs=9, out="longer")
    assert (second.steps, bool(second.ended)) == (20, True)


def test_examples_in_memory_are_given_again(work):
    x, t = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    layers = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
    fitted = mlpkit.fit(x, t, layers=layers, epochs=2, directory="short")
    longer = mlpkit.resume(fitted, epochs=4, examples=(x, t))
    assert longer.steps == 2 * fitted.steps
    with pytest.raises(mlpkit.UsageError, match=r"mlpkit\.resume\(RUN, examples=\(x, t\)\)"):
        mlpkit.resume(fitted, epochs=4)


@pytest.mark.parametrize(
    ("length", "fault"),
    [
        ({"epochs": 4}, r"short: 4 epochs in all is not more than the 4 already done; give more"),
        ({"epochs": 1}, r"short: 1 epoch in all is not more than"),
        ({"iterations": 16}, r"16 steps in all is not more than the 16 already done"),
        ({"epochs": 5, "iterations": 20}, "either epochs or iterations"),
        ({"out": "longer"}, "either epochs or iterations"),
    ],
)
def test_what_is_refused_leaves_no_folder(work, length, fault):
    mlpkit.run(spec(), "short")
    with pytest.raises(mlpkit.UsageError, match=fault):
        mlpkit.resume("short", **length)
    assert [path.name for path in work.glob("short*")] == ["short"]


def test_an_unfinished_run_and_one_of_a_time_are_refused(work):
    watch = StopAt(8)
    mlpkit.run(spec(), "stopped", observer=watch, stop=watch.stop)
    with pytest.raises(
        mlpkit.UsageError, match="stopped: the run is not finished; resume it with: mlpkit resume stopp"
    ):
        mlpkit.resume("stopped", epochs=9)
    mlpkit.run(spec(**{"training.epochs": None, "training.seconds": 0.01}), "timed")
    with (
        warnings.catch_warnings(),
        pytest.raises(mlpkit.UsageError, match=r"for a time, not for a number of steps; .*timed"),
    ):
        mlpkit.resume("timed", epochs=900)
