"""The recipe of ``specs/mnist_99.yaml`` in PyTorch: the same network, optimizer, schedule, minibatches and evaluation.

    python benchmarks/mnist_99_pytorch.py FOLDER SEED

FOLDER has MNIST as ``mnist_arrays.py`` writes it. Prints the time at the end, in seconds since the epoch, and the
accuracy on the test split as JSON. Validation images aren't evaluated, which saves PyTorch 5,000 of 70,000.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from mnist_arrays import read_arrays
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS: Final = 480
BATCH_SIZE: Final = 200
PEAK: Final = 0.03
WARMUP: Final = 0.2
BETAS: Final = (0.8, 0.9)
LABEL_SMOOTHING: Final = 0.1
EVALUATION_ROWS: Final = 1000


def main() -> None:
    """Train, evaluate, and print the results."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    torch.manual_seed(seed)
    splits = {name: tuple(map(torch.from_numpy, read_arrays(folder, name))) for name in ("train", "test")}
    network = new_network()
    train(network, *splits["train"])
    found = {name: accuracy(network, *split) for name, split in splits.items()}
    print(json.dumps({"finished": time.time(), "test_accuracy": found["test"]}))


def new_network() -> nn.Sequential:
    """Return the network; its weights are normal with standard deviation √(2 / inputs), its biases 0."""
    network = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 8, 5, stride=2, padding=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(784, 128),
        nn.BatchNorm1d(128),
        nn.ReLU(inplace=True),
        nn.Linear(128, 10),
    )
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


def train(network: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Take all steps of the recipe."""
    optimizer = torch.optim.Adam(network.parameters(), betas=BETAS, fused=True)
    network.train()
    for step, rows in enumerate(minibatches(len(images))):
        optimizer.param_groups[0]["lr"] = one_cycle(step)
        outputs = network(scaled(images.index_select(0, rows)))
        loss = functional.cross_entropy(outputs, labels.index_select(0, rows), label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def minibatches(examples: int) -> Iterator[torch.Tensor]:
    """Go through the examples, each time in a new order, for as many steps as the recipe has."""
    per_epoch = examples // BATCH_SIZE
    for step in range(STEPS):
        if step % per_epoch == 0:
            order = torch.randperm(examples)
        yield order.narrow(0, step % per_epoch * BATCH_SIZE, BATCH_SIZE)


def one_cycle(step: int) -> float:
    """Return the learning rate of a step, as mlpkit's schedule of this name computes it."""
    rising = WARMUP * STEPS
    return PEAK * min(1, (step + 1) / rising, (STEPS - step) / (STEPS - rising))


def scaled(images: torch.Tensor) -> torch.Tensor:
    """Return pixels from 0 to 1."""
    return images.float().mul_(1 / 255)


def accuracy(network: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of images whose class is predicted, computing the mean loss too, as mlpkit does."""
    network.eval()
    right, loss = 0, 0.0
    with torch.inference_mode():
        for x, t in zip(images.split(EVALUATION_ROWS), labels.split(EVALUATION_ROWS), strict=True):
            outputs = network(scaled(x))
            loss += functional.cross_entropy(outputs, t, label_smoothing=LABEL_SMOOTHING, reduction="sum").item()
            right += int((outputs.argmax(1) == t).sum())
    return right / len(images)


if __name__ == "__main__":
    main()
