"""The shortest way to 98 % on MNIST, from ``specs/mnist_98.yaml``."""

from __future__ import annotations

import statistics

from five_seeds import accuracies_of_five_seeds

from mlpkit.specfile.shipped_specs import shipped_specs


def test_five_seeds_reach_98_percent():
    assert statistics.mean(accuracies_of_five_seeds(shipped_specs()["mnist_98"])) >= 0.98
