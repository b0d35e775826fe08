"""The test accuracies that a spec comes to."""

from __future__ import annotations

import mlpkit


def accuracies_of_five_seeds(spec):
    """Train a spec with seeds 0 to 4, and return the accuracy on test data of each."""
    runs = [mlpkit.run(mlpkit.load_spec(spec, overrides={"seed": seed})) for seed in range(5)]
    return [run.metrics["test"]["accuracy"] for run in runs]
