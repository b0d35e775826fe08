"""The search of ``sweep.py`` in PyTorch, with Optuna in one process or with Ray Tune, as their examples do it.

    python benchmarks/search_pytorch.py optuna|ray REQUEST

REQUEST is JSON: ``data``, the folder of MNIST's arrays; ``values`` of each trial, so that all train the same networks;
``epochs``; ``batch_size``; and ``workers``, how many trials Ray trains at once, each on a core. Minibatches are
gathered by index, which is faster than a ``DataLoader``. Prints the accuracy of each trial as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from mnist_arrays import read_arrays
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator

Examples = tuple[torch.Tensor, torch.Tensor]
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def examples_of(folder: str, split: str) -> Examples:
    """Return images and labels of a split."""
    images, labels = read_arrays(Path(folder), split)
    return torch.from_numpy(images).float().div_(255), torch.from_numpy(labels)


def accuracies(values: dict[str, Any], train: Examples, test: Examples, request: dict[str, Any]) -> Iterator[float]:
    """Train a network with the values of a trial, and yield its accuracy on the test split after each epoch."""
    units = values["layers.Affine1.units"]
    network = nn.Sequential(nn.Linear(784, units), nn.ReLU(), nn.Linear(units, 10))
    make_optimizer = OPTIMIZERS[values["training.optimizer"]]
    optimizer = make_optimizer(network.parameters(), lr=values["training.optimizer.learning_rate"])
    x, t = train
    for _ in range(request["epochs"]):
        network.train()
        for rows in torch.randperm(len(x)).split(request["batch_size"]):
            optimizer.zero_grad()
            functional.cross_entropy(network(x[rows]), t[rows]).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            yield (network(test[0]).argmax(1) == test[1]).float().mean().item()


def search_with_optuna(train: Examples, test: Examples, request: dict[str, Any]) -> list[float]:
    """Return the accuracies of the trials, which train in turn."""
    import optuna  # noqa: PLC0415 - the other search doesn't need it

    def objective(trial: optuna.Trial) -> float:
        values = {
            "layers.Affine1.units": trial.suggest_int("layers.Affine1.units", 16, 128),
            "training.optimizer": trial.suggest_categorical("training.optimizer", list(OPTIMIZERS)),
            "training.optimizer.learning_rate": trial.suggest_float(
                "training.optimizer.learning_rate", 1e-4, 1e-1, log=True
            ),
        }
        found = list(accuracies(values, train, test, request))
        return found[-1]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for values in request["values"]:
        study.enqueue_trial(values)
    study.optimize(objective, n_trials=len(request["values"]))
    return [trial.value for trial in study.trials]


def search_with_ray(train: Examples, test: Examples, request: dict[str, Any]) -> list[float]:
    """Return the accuracies of the trials, several at once."""
    import ray  # noqa: PLC0415 - the other search doesn't need it
    from ray import tune  # noqa: PLC0415

    def train_trial(trial: dict[str, Any], train: Examples, test: Examples) -> None:
        torch.set_num_threads(1)
        for accuracy in accuracies(trial["values"], train, test, request):
            tune.report({"accuracy": accuracy})

    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - by default 15, the others have 0
    ray.init(num_cpus=request["workers"], include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    with TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(train_trial, train=train, test=test), {"cpu": 1}),
            param_space={"values": tune.grid_search(request["values"])},
            tune_config=tune.TuneConfig(metric="accuracy", mode="max", max_concurrent_trials=request["workers"]),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        return [result.metrics["accuracy"] for result in tuner.fit()]


if __name__ == "__main__":
    search = {"optuna": search_with_optuna, "ray": search_with_ray}[sys.argv[1]]
    given = json.loads(sys.argv[2])
    print(json.dumps(search(examples_of(given["data"], "train"), examples_of(given["data"], "test"), given)))
