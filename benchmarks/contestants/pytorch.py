"""PyTorch, eager and with ``torch.compile``."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn
from torch.nn import functional

from contestants.contestant import Contestant, check_loss
from contestants.task import BETA1, BETA2, EPSILON, FEATURES, PATCH, POOL, SIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from contestants.contestant import Arrays
    from contestants.task import Task

LAYERS: Final[dict[str, Callable[[int], nn.Module]]] = {
    "Relu": lambda _: nn.ReLU(inplace=True),
    "LeakyRelu": lambda _: nn.LeakyReLU(inplace=True),
    "Prelu": nn.PReLU,
    "Elu": lambda _: nn.ELU(inplace=True),
    "Selu": lambda _: nn.SELU(inplace=True),
    "Silu": lambda _: nn.SiLU(inplace=True),
    "Mish": lambda _: nn.Mish(inplace=True),
    "Gelu": lambda _: nn.GELU(),
    "Softplus": lambda _: nn.Softplus(),
    "Sigmoid": lambda _: nn.Sigmoid(),
    "Tanh": lambda _: nn.Tanh(),
    "Dropout": lambda _: nn.Dropout(),
    "BatchNorm": nn.BatchNorm1d,
    "LayerNorm": nn.LayerNorm,
}
"""PyTorch's layers by mlpkit's names; each takes the number of units of the affine layer before it."""


class PytorchEager(Contestant):
    """A ``Sequential`` of PyTorch's own layers, with a fused optimizer; minibatches go into tensors that are reused.

    Of several ways to gather, to scale and to forget gradients, these were the fastest.
    """

    def __init__(self, task: Task, images: NDArray[np.uint8], labels: NDArray[np.int64], parameters: Arrays) -> None:
        self.task = task
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(labels)
        self.pixels = torch.empty((task.batch_size, FEATURES), dtype=torch.uint8)
        self.x = torch.empty((task.batch_size, FEATURES))
        self.network = network_of(task, parameters)
        self.values = list(self.network.parameters())
        self.optimizer = optimizer_of(task, self.values)
        self.loss: Callable[[torch.Tensor], torch.Tensor] = self.loss_of_minibatch

    def loss_of_minibatch(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of the examples at these positions."""
        torch.index_select(self.images, 0, rows, out=self.pixels)
        x = self.x.copy_(self.pixels).mul_(1 / 255)
        return functional.cross_entropy(self.network(x), self.labels.index_select(0, rows))

    def train(self, minibatches: NDArray[np.int64]) -> None:
        """Take a step on each minibatch."""
        optimizer, values = self.optimizer, self.values
        for rows in torch.from_numpy(minibatches):
            loss = self.loss(rows)
            for value in values:
                value.grad = None
            loss.backward()
            optimizer.step()
            check_loss(loss.item())

    def parameters(self) -> list[NDArray[np.float32]]:
        """Return the parameters."""
        arrays = [parameter.detach().numpy() for parameter in self.values]
        return [array.T if array.ndim == 2 else array.reshape(len(array), -1).squeeze() for array in arrays]

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        with torch.inference_mode():
            probabilities: NDArray[Any] = self.probabilities(torch.from_numpy(x)).numpy()
        return probabilities

    def probabilities(self, x: torch.Tensor) -> torch.Tensor:
        """Return probabilities as a tensor."""
        return functional.softmax(self.network(x), dim=1)


class PytorchCompiled(PytorchEager):
    """The eager contestant, with gathering, forward, loss and backward compiled; its optimizer is fused as it is."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.loss = torch.compile(self.loss_of_minibatch, fullgraph=True, dynamic=False)
        self.compiled_probabilities = torch.compile(super().probabilities, fullgraph=True, dynamic=False)

    def loss_of_minibatch(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of the examples at these positions, written so that it can be fused."""
        x = self.images.index_select(0, rows).float() * (1 / 255)
        return functional.cross_entropy(self.network(x), self.labels.index_select(0, rows))

    def probabilities(self, x: torch.Tensor) -> torch.Tensor:
        """Return probabilities as a tensor."""
        return self.compiled_probabilities(x)


def network_of(task: Task, parameters: Arrays) -> nn.Sequential:
    """Return the task's layers with these parameters."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, SIDE, SIDE))] if task.filters else []
    for each in task.convolutions:
        convolution = nn.Conv2d(each.channels, each.filters, PATCH, padding=each.padding)
        layers += [convolution, nn.ReLU(inplace=True), nn.MaxPool2d(POOL)]
    layers += [nn.Flatten()] if task.filters else []
    for inputs, outputs in pairwise(task.widths):
        layers += [nn.utils.skip_init(nn.Linear, inputs, outputs), *(LAYERS[name](outputs) for name in task.after)]
    network = nn.Sequential(*layers[: len(layers) - len(task.after)])
    drawn = [value for layer in network if isinstance(layer, nn.Linear | nn.Conv2d) for value in layer.parameters()]
    with torch.no_grad():
        for value, first in zip(drawn, parameters, strict=True):
            value.copy_(torch.from_numpy(first.T if value.ndim == 2 else first.reshape(value.shape)))
    return network


def optimizer_of(task: Task, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the task's optimizer, in one fused loop over the parameters."""
    if task.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=task.learning_rate, fused=True)
    return torch.optim.Adam(parameters, lr=task.learning_rate, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
