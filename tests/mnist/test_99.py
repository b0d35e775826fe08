"""The shortest way to 99 % on MNIST, from ``specs/mnist_99.yaml``."""

from __future__ import annotations

import statistics

import pytest

import mlpkit
from mlpkit.jobs.init import shipped_specs

SPEC = shipped_specs()["mnist_99"]


def test_forty_steps_recognize_most_digits():
    overrides = {"training.iterations": 40, "training.evaluate_every": 40, "data.mnist.train": 8000}
    assert mlpkit.run(mlpkit.load_spec(SPEC, overrides=overrides)).metrics["test"]["accuracy"] > 0.9


@pytest.mark.long
def test_five_seeds_reach_99_percent():
    accuracies = []
    for seed in range(5):
        run = mlpkit.run(mlpkit.load_spec(SPEC, overrides={"seed": seed}))
        accuracies.append(run.metrics["test"]["accuracy"])
    assert statistics.mean(accuracies) >= 0.99
