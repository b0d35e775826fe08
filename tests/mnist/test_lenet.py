"""LeNet-5, from ``specs/mnist_lenet.yaml``."""

from __future__ import annotations

import statistics

import pytest
from five_seeds import accuracies_of_five_seeds

import mlpkit
from mlpkit.specfile.shipped_specs import shipped_specs

SPEC = shipped_specs()["mnist_lenet"]


def test_a_hundred_steps_recognize_most_digits():
    overrides = {"training.iterations": 100, "training.evaluate_every": 100}
    assert mlpkit.run(mlpkit.load_spec(SPEC, overrides=overrides)).metrics["test"]["accuracy"] > 0.9


@pytest.mark.long
def test_five_seeds_reach_99_percent():
    accuracies = accuracies_of_five_seeds(SPEC)
    assert min(accuracies) >= 0.99
    assert statistics.mean(accuracies) >= 0.992
