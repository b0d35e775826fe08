"""Runs as Python code names them: by a folder, or by what training returned."""

from __future__ import annotations

import numpy as np
import pytest

import mlpkit

X = np.random.default_rng(0).normal(size=(40, 3))
LAYERS = [{"Affine": {"units": 2}}, "SoftmaxWithLoss"]
TAKEN = {
    "report": mlpkit.report,
    "export": lambda run: mlpkit.export(run, "model.js"),
    "trace": lambda run: mlpkit.trace(run, 1),
    "doctor": mlpkit.doctor,
    "load": mlpkit.load,
    "resume": mlpkit.resume,
    "resume_seeds": mlpkit.resume_seeds,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with data and a spec for it."""
    folder = tmp_path_factory.mktemp("home")
    np.savez(folder / "data.npz", x=X, t=(X[:, 0] > 0).astype(int))
    return folder


@pytest.fixture(scope="module")
def spec(home):
    training = {"optimizer": "adam", "iterations": 3, "batch_size": 10}
    data = {"npz": {"file": str(home / "data.npz")}}
    return mlpkit.load_spec({"mlpkit": 1, "data": data, "layers": LAYERS, "training": training})


@pytest.fixture(scope="module")
def run(home, spec):
    return mlpkit.run(spec, home / "run")


def test_what_run_returns_is_taken_as_its_folder_is(run, tmp_path):
    by_name = str(run.folder)
    assert repr(mlpkit.doctor(run)) == repr(mlpkit.doctor(by_name))
    assert mlpkit.trace(run, 2).loss == mlpkit.trace(by_name, 2).loss
    assert mlpkit.load(run).predict(X).tolist() == mlpkit.load(by_name).predict(X).tolist()
    assert mlpkit.resume(run).metrics == run.metrics
    assert mlpkit.report(run) == run.folder / "report.html"
    mlpkit.export(run, tmp_path / "model.js")
    assert (tmp_path / "model.js").is_file()


def test_several_seeds_are_taken_too(home, spec):
    found = mlpkit.run(spec, home / "both", seeds=2)
    assert mlpkit.report(found) == home / "both/report.html"
    assert mlpkit.resume_seeds(found).metrics == found.metrics
    with pytest.raises(mlpkit.RunFolderError, match="holds the runs of several seeds; give one of them: "):
        mlpkit.trace(found, 1)
    with pytest.raises(mlpkit.UsageError, match=r'resume it with: mlpkit\.resume_seeds\(".*both"\)'):
        mlpkit.resume(found)


@pytest.mark.parametrize("number", ["a", 1.5, -1, 1000])
def test_an_example_that_is_none_is_named(run, number):
    with pytest.raises(mlpkit.UsageError, match=rf"has no example {number}"):
        mlpkit.trace(run, 1, example=number)


@pytest.mark.parametrize("name", TAKEN)
def test_a_run_that_no_folder_keeps_is_refused(name):
    run = mlpkit.fit(X, X[:, 0] > 0, layers=LAYERS, epochs=1)
    with pytest.raises(mlpkit.UsageError, match=r"no folder keeps this run; train with one: directory='runs/first'"):
        TAKEN[name](run)


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_no_run_is_refused(name):
    with pytest.raises(mlpkit.UsageError, match=r"expected a run, or the name of its folder, .*; got int"):
        TAKEN[name](3)
