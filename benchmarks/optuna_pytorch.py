"""The search of ``sweep.py``, written with Optuna and PyTorch in one process, as Optuna's example for PyTorch does it.

    python benchmarks/optuna_pytorch.py REQUEST

REQUEST is JSON: ``data``, the folder of MNIST's arrays; ``values`` of each trial, which Optuna is given, so that all
train the same networks; ``epochs``; ``batch_size``; and ``loader``, whether minibatches come from a ``DataLoader``, as
in the example, or are gathered by index, which is faster. Prints the accuracy of each trial as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import torch
from mnist_arrays import read_arrays
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

if TYPE_CHECKING:
    from collections.abc import Iterator

Examples = tuple[torch.Tensor, torch.Tensor]
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def examples_of(folder: Path, split: str) -> Examples:
    """Return images and labels of a split."""
    images, labels = read_arrays(folder, split)
    return torch.from_numpy(images).float().div_(255), torch.from_numpy(labels)


def minibatches(examples: Examples, batch_size: int) -> Iterator[Examples]:
    """Go through the examples once, in a new order."""
    x, t = examples
    for rows in torch.randperm(len(x)).split(batch_size):
        yield x[rows], t[rows]


def objective(trial: optuna.Trial, train: Examples, test: Examples, request: dict[str, Any]) -> float:
    """Train a network with the values of a trial, and return its accuracy on the test split."""
    units = trial.suggest_int("layers.Affine1.units", 16, 128)
    name = trial.suggest_categorical("training.optimizer", list(OPTIMIZERS))
    rate = trial.suggest_float("training.optimizer.learning_rate", 1e-4, 1e-1, log=True)
    network = nn.Sequential(nn.Linear(784, units), nn.ReLU(), nn.Linear(units, 10))
    optimizer = OPTIMIZERS[name](network.parameters(), lr=rate)
    batch_size = request["batch_size"]
    loader = DataLoader(TensorDataset(*train), batch_size=batch_size, shuffle=True)
    accuracy = 0.0
    for epoch in range(request["epochs"]):
        network.train()
        for x, t in loader if request["loader"] else minibatches(train, batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(network(x), t).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            x, t = test
            accuracy = (network(x).argmax(1) == t).float().mean().item()
        trial.report(accuracy, epoch)
    return accuracy


def main(request: dict[str, Any]) -> int:
    """Do the search."""
    train, test = (examples_of(Path(request["data"]), split) for split in ("train", "test"))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for values in request["values"]:
        study.enqueue_trial(values)
    study.optimize(lambda trial: objective(trial, train, test, request), n_trials=len(request["values"]))
    print(json.dumps([trial.value for trial in study.trials]))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
