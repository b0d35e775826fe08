"""Ensembles of networks whose loss has parameters, or is an ensemble's inside a network."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import mlpkit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 2))
GRADES = ["low", "middle", "high"]
T = np.digitize(X[:, 0] + X[:, 1] / 2, [-0.5, 0.5])
PLAIN = [{"Affine": {"units": 4}}, "Tanh", {"Affine": {"units": "auto"}}]
MEMBERS = [
    {"EnsembleView": {"members": 3}},
    {"BatchEnsembleAffine": {"units": 4, "r": "random_signs"}},
    "Tanh",
    {"EnsembleAffine": {"units": "auto"}},
]
STACKS = {
    "Ordinal": [*PLAIN, "Ordinal"],
    "Ordinal with a name": [*PLAIN, {"Ordinal": {"name": "Grade"}}],
    "EnsembleLoss": [*MEMBERS, {"EnsembleLoss": {"loss": "SoftmaxWithLoss"}}],
    "EnsembleLoss of Ordinal": [*MEMBERS, {"EnsembleLoss": {"loss": "Ordinal"}}],
}
of_each_loss = pytest.mark.parametrize("layers", STACKS.values(), ids=list(STACKS))


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Path("grades.csv").open("w", newline="") as file:
        rows = [[*x, GRADES[t]] for x, t in zip(X.round(4).tolist(), T, strict=True)]
        csv.writer(file).writerows([["size", "age", "grade"], *rows])


def fitted(layers, ensemble, **options):
    names = np.array(GRADES)[T]
    optimizer = {"adam": {"learning_rate": 0.02}}
    settings = {"classes": GRADES, "epochs": 4, "optimizer": optimizer, "metrics": ["accuracy"], "validation": 0.2}
    return mlpkit.fit(X, names, layers=layers, ensemble=ensemble, quiet=True, **settings | options)


def mean_loss(p, t):
    return -np.log(p[np.arange(len(t)), t]).mean()


@of_each_loss
def test_probabilities_are_averaged_and_the_loss_is_that_of_the_mean(layers):
    run = fitted(layers, {"members": 2}, directory="run")
    mean = np.mean([member.network.predict(X) for member in run.members.values()], axis=0)
    for network in (run.network, mlpkit.load_model("run/model.safetensors")):
        np.testing.assert_allclose(network.predict(X), mean, rtol=1e-6)
        found = network.evaluate(X, T, ["accuracy"])
        assert found == pytest.approx({"loss": mean_loss(mean, T), "accuracy": (mean.argmax(axis=1) == T).mean()})
    assert run.metrics["validation"]["loss"] < run.spread["validation"]["loss"].mean


@of_each_loss
def test_out_of_fold_predictions_have_the_loss_of_probabilities(layers):
    run = fitted(layers, {"folds": 2}, validation=0.0)
    found = run.out_of_fold
    assert run.metrics["validation"]["loss"] == pytest.approx(mean_loss(found.values, found.targets), rel=1e-6)


def test_reports_and_exports_show_the_average():
    spec = {
        "mlpkit": 1,
        "ensemble": {"members": 2},
        "data": {"csv": {"file": "grades.csv", "target": "grade", "classes": GRADES, "test": 0.2}},
        "layers": STACKS["EnsembleLoss of Ordinal"],
        "training": {"optimizer": "adam", "epochs": 2, "batch_size": 30},
    }
    mlpkit.run(mlpkit.load_spec(spec), "run")
    model = mlpkit.load("run")
    p = model.predict_proba("grades.csv")
    assert model.evaluate("grades.csv")["loss"] == pytest.approx(mean_loss(p, T), rel=1e-6)
    assert "Left out" not in mlpkit.report("run").read_text()
    for to in ("grades.onnx", "grades.c", "grades.js"):
        assert mlpkit.export("run", to).rows == 24
