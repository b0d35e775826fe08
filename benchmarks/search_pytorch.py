"""A trial of the search of ``sweep.py`` in PyTorch, as the examples of Optuna and of Ray Tune train theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from mnist_arrays import read_arrays
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

if TYPE_CHECKING:
    from collections.abc import Iterator

Examples = tuple[torch.Tensor, torch.Tensor]
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def examples_of(folder: str | Path, split: str) -> Examples:
    """Return images and labels of a split."""
    images, labels = read_arrays(Path(folder), split)
    return torch.from_numpy(images).float().div_(255), torch.from_numpy(labels)


def minibatches(examples: Examples, batch_size: int) -> Iterator[Examples]:
    """Go through the examples once, in a new order."""
    x, t = examples
    for rows in torch.randperm(len(x)).split(batch_size):
        yield x[rows], t[rows]


def accuracies(values: dict[str, Any], train: Examples, test: Examples, request: dict[str, Any]) -> Iterator[float]:
    """Train a network, and return its accuracy on the test split after each epoch.

    Args:
        values: those of the trial, by the keys of the search.
        train: the training examples.
        test: the test examples.
        request: ``epochs``; ``batch_size``; and ``loader``, whether minibatches come from a ``DataLoader``, or are
            gathered by index.
    """
    units = values["layers.Affine1.units"]
    network = nn.Sequential(nn.Linear(784, units), nn.ReLU(), nn.Linear(units, 10))
    make_optimizer = OPTIMIZERS[values["training.optimizer"]]
    optimizer = make_optimizer(network.parameters(), lr=values["training.optimizer.learning_rate"])
    batch_size = request["batch_size"]
    loader = DataLoader(TensorDataset(*train), batch_size=batch_size, shuffle=True)
    for _ in range(request["epochs"]):
        network.train()
        for x, t in loader if request["loader"] else minibatches(train, batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(network(x), t).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            x, t = test
            yield (network(x).argmax(1) == t).float().mean().item()
