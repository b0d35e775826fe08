"""The main job: what the course notebook reached, from ``specs/mnist_3layer.yaml``."""

from __future__ import annotations

import statistics

import pytest

import mlpkit
from mlpkit.specfile.shipped_specs import shipped_specs

SPEC = shipped_specs()["mnist_3layer"]


def test_the_loss_falls_from_the_first_steps_on():
    overrides = {"training.iterations": 600, "training.evaluate_every": 300}
    early, later = mlpkit.run(mlpkit.load_spec(SPEC, overrides=overrides)).history
    assert 2.2 < early["train_loss"] < 2.31  # weights of 0.01 begin on a plateau, at log 10
    assert later["train_loss"] < 1.8
    assert later["train_accuracy"] > 0.35


@pytest.mark.long
def test_five_seeds_reach_what_the_notebook_reached():
    accuracies = []
    for seed in range(5):
        run = mlpkit.run(mlpkit.load_spec(SPEC, overrides={"seed": seed}))
        at = {record["iteration"]: record["train_accuracy"] for record in run.history}
        assert 0.82 <= at[1000] <= 0.90
        assert at[5000] > 0.97
        accuracies.append(run.metrics["test"]["accuracy"])
    assert min(accuracies) >= 0.965
    assert statistics.mean(accuracies) >= 0.967
