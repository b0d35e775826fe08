"""The search of ``sweep.py``, written with Ray Tune and PyTorch, as Ray's example for PyTorch does it.

    python benchmarks/ray_pytorch.py REQUEST

REQUEST is that of ``optuna_pytorch.py``, with ``workers``, how many trials train at once, each on a core. Prints the
accuracy of each trial as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from tempfile import TemporaryDirectory
from typing import Any

import ray
import torch
from ray import tune
from search_pytorch import Examples, accuracies, examples_of


def train_trial(trial: dict[str, Any], train: Examples, test: Examples, request: dict[str, Any]) -> None:
    """Train a network with the values of a trial, and report its accuracy after each epoch."""
    torch.set_num_threads(1)
    for accuracy in accuracies(trial["values"], train, test, request):
        tune.report({"accuracy": accuracy})


def main(request: dict[str, Any]) -> int:
    """Do the search."""
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - by default 15, the others have 0
    ray.init(num_cpus=request["workers"], include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    data = {split: examples_of(request["data"], split) for split in ("train", "test")}
    with TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(train_trial, **data, request=request), {"cpu": 1}),
            param_space={"values": tune.grid_search(request["values"])},
            tune_config=tune.TuneConfig(metric="accuracy", mode="max", max_concurrent_trials=request["workers"]),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        results = tuner.fit()
    print(json.dumps([result.metrics["accuracy"] for result in results]))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
