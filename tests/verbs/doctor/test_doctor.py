"""Saying afterwards what was wrong with a run."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import mlpkit
from mlpkit.errors import UsageError
from mlpkit.verbs.doctor.doctor import doctor

SPEC = """\
mlpkit: 1
data: {npz: {file: data.npz, validation: 0.2}}
layers:
  - Affine: {units: 16%s}
  - Relu
  - Affine: {units: 3}
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch_size: 20
  epochs: 25
  checkpoint: {every: 100}
"""
DEAD = ", weights: {normal: {std: 0.01, mean: -5.0}}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder with a healthy run and one whose units are dead."""
    folder = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(2)
    x = np.abs(rng.normal(size=(200, 6)))
    np.savez(folder / "data.npz", x=x, t=x[:, :3].argmax(axis=1))
    for name, weights in (("healthy", ""), ("dead", DEAD)):
        (folder / f"{name}.yaml").write_text(SPEC % weights)
        mlpkit.run(mlpkit.load_spec(folder / f"{name}.yaml"), folder / name)
    return folder


def test_a_healthy_run_is_called_healthy_with_what_was_looked_at(runs):
    found = doctor(runs / "healthy")
    assert (found.healthy, found.symptoms) == (True, ())
    assert (found.layers, found.rows, found.evaluations) == (3, 140, 25)
    assert found.probes[:3] == (0, 14, 28)  # every second evaluation, as there are seven steps between two


def test_what_was_noticed_is_said_afterwards(runs):
    (symptom,) = doctor(runs / "dead").symptoms
    assert (symptom.name, symptom.layer, symptom.iteration) == ("dead_units", "Relu1", 0)
    assert symptom.finding.startswith("100 % of its 16 units")


def test_nothing_is_written(runs):
    before = {path: path.stat().st_mtime_ns for path in (runs / "dead").rglob("*")}
    doctor(runs / "dead")
    assert {path: path.stat().st_mtime_ns for path in (runs / "dead").rglob("*")} == before


def test_a_run_that_diverged_is_never_healthy(runs, tmp_path):
    spec = mlpkit.load_spec(runs / "healthy.yaml", overrides={"training.optimizer.sgd.learning_rate": 1e38})
    with pytest.raises(mlpkit.DivergenceError):
        mlpkit.run(spec, tmp_path / "run")
    assert [symptom.name for symptom in doctor(tmp_path / "run").symptoms] == ["diverging"]


@pytest.mark.parametrize("clip", [None, {"value": 10.0}])
def test_a_run_that_diverged_without_a_symptom_has_that_one(clip, runs, tmp_path):
    changes = {"training.optimizer.sgd.learning_rate": 1e38, "training.clip": clip}
    with pytest.raises(mlpkit.DivergenceError):
        mlpkit.run(mlpkit.load_spec(runs / "healthy.yaml", overrides=changes), tmp_path / "run")
    first, *_ = (tmp_path / "run/health.jsonl").read_text().splitlines()
    (tmp_path / "run/health.jsonl").write_text(f"{first}\n")
    (symptom,) = doctor(tmp_path / "run").symptoms
    assert symptom.finding.startswith("training diverged: the loss of step 2 is not a number")
    assert symptom.iteration == 1
    assert symptom.advice == ("mlpkit tune-rate SPEC", *([] if clip else ["--set training.clip.norm=1"]))


@pytest.mark.parametrize("record", [None, '{"iteration": 0}\n'])
def test_a_run_without_a_record_is_an_error(record, runs, tmp_path):
    shutil.copytree(runs / "dead", tmp_path / "run")
    (tmp_path / "run/health.jsonl").unlink()
    if record:
        (tmp_path / "run/health.jsonl").write_text(record)
    with pytest.raises(UsageError, match="run: has no health record; train it again to record one"):
        doctor(tmp_path / "run")


def test_in_python_it_says_what_was_found_and_what_to_try(runs):
    found = mlpkit.doctor(runs / "dead")
    (symptom,) = found.symptoms
    assert isinstance(found, mlpkit.Diagnosis)
    assert isinstance(symptom, mlpkit.Symptom)
    assert repr(found) == f"<Diagnosis of {runs / 'dead'}: {symptom}>"
    assert str(symptom).startswith("dead units in Relu1: 100 % of its 16 units pass no gradient on")


def test_in_python_a_healthy_run_is_called_healthy(runs):
    found = mlpkit.doctor(runs / "healthy")
    assert repr(found) == f"<Diagnosis of {runs / 'healthy'}: healthy>"
