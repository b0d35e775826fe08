"""PyTorch with ``torch.compile``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from contestants.pytorch_eager import PytorchEager

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from contestants.task import Task


class PytorchCompiled(PytorchEager):
    """The eager contestant, with gathering, forward, loss and backward compiled; its optimizer is fused as it is."""

    def __init__(
        self, task: Task, images: NDArray[np.uint8], labels: NDArray[np.int64], parameters: list[NDArray[np.float32]]
    ) -> None:
        super().__init__(task, images, labels, parameters)
        self.loss = torch.compile(self.loss_of_minibatch, fullgraph=True, dynamic=False)
        self.compiled_probabilities = torch.compile(super().probabilities, fullgraph=True, dynamic=False)

    def loss_of_minibatch(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of the examples at these positions, written so that it can be fused."""
        x = self.images.index_select(0, rows).float() * (1 / 255)
        return functional.cross_entropy(self.network(x), self.labels.index_select(0, rows))

    def probabilities(self, x: torch.Tensor) -> torch.Tensor:
        """Return probabilities as a tensor."""
        return self.compiled_probabilities(x)
