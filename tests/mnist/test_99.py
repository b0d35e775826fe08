"""The shortest way to 99 % on MNIST, from ``specs/mnist_99.yaml``."""

from __future__ import annotations

import statistics

import pytest
from five_seeds import accuracies_of_five_seeds

import mlpkit
from mlpkit.specfile.shipped_specs import shipped_specs

SPEC = shipped_specs()["mnist_99"]


def test_forty_steps_recognize_most_digits():
    overrides = {"training.iterations": 40, "training.evaluate_every": 40, "data.mnist.train": 8000}
    assert mlpkit.run(mlpkit.load_spec(SPEC, overrides=overrides)).metrics["test"]["accuracy"] > 0.9


@pytest.mark.long
def test_five_seeds_reach_99_percent():
    assert statistics.mean(accuracies_of_five_seeds(SPEC)) >= 0.99
