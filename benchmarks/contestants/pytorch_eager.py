"""PyTorch, eager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from contestants.contestant import Contestant, check_loss
from contestants.task import BETA1, BETA2, EPSILON

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from contestants.task import Task


class PytorchEager(Contestant):
    """A ``Sequential`` of ``Linear`` and ``ReLU``, with a fused optimizer; minibatches go into tensors that are reused.

    Of several ways to gather, to scale and to forget gradients, these were the fastest.
    """

    def __init__(
        self, task: Task, images: NDArray[np.uint8], labels: NDArray[np.int64], parameters: list[NDArray[np.float32]]
    ) -> None:
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(labels)
        self.pixels = torch.empty((task.batch_size, task.widths[0]), dtype=torch.uint8)
        self.x = torch.empty((task.batch_size, task.widths[0]))
        layers: list[nn.Module] = []
        for W, b in zip(parameters[::2], parameters[1::2], strict=True):
            layer = nn.utils.skip_init(nn.Linear, *W.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(W.T))
                layer.bias.copy_(torch.from_numpy(b))
            layers += [layer, nn.ReLU(inplace=True)]
        self.network = nn.Sequential(*layers[:-1])
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
        return [array.T if array.ndim == 2 else array for array in arrays]

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        with torch.inference_mode():
            probabilities: NDArray[Any] = self.probabilities(torch.from_numpy(x)).numpy()
        return probabilities

    def probabilities(self, x: torch.Tensor) -> torch.Tensor:
        """Return probabilities as a tensor."""
        return functional.softmax(self.network(x), dim=1)


def optimizer_of(task: Task, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the task's optimizer, in one fused loop over the parameters."""
    if task.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=task.learning_rate, fused=True)
    return torch.optim.Adam(parameters, lr=task.learning_rate, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
