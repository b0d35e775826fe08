"""Applying an optimizer to the flat parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlpkit.components.optimizer import Step
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import failure
from mlpkit.network.flat_layout import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.optimizer import Optimizer
    from mlpkit.network.sequential import Sequential

    _Block = tuple[NDArray[Any], NDArray[Any], dict[str, NDArray[Any]], bool]


class Updater:
    """Calls an optimizer on blocks of a network's flat parameters, shared out to the network's workers.

    Args:
        optimizer: the optimizer.
        network: the network; its arrays stay where they are.
    """

    def __init__(self, optimizer: Optimizer, network: Sequential) -> None:
        self.optimizer = optimizer
        self.network = network
        self.slots: dict[str, NDArray[Any]] = {name: network.layout.zeros(network.dtype) for name in optimizer.slots}
        edges = _blocks(network, optimizer.uses_decay) if optimizer.elementwise else _whole_arrays(network)
        self._blocks = [
            (
                network.values[begin:end],
                network.gradient_values[begin:end],
                {name: slot[begin:end] for name, slot in self.slots.items()},
                end <= network.layout.decaying,
            )
            for begin, end in edges
        ]

    def __call__(self, learning_rate: float, step: int) -> None:
        """Take one step.

        Args:
            learning_rate: the learning rate for this step.
            step: number of this step, from 1.
        """
        self._step = self._step_without_decay = Step(learning_rate, step)
        if self.optimizer.uses_decay:
            self._step_without_decay = Step(learning_rate, step, decay=False)
        try:
            self.network.map(self._update, self._blocks)
        except MlpkitError:
            raise
        except Exception as error:
            raise failure(f"optimizer {self.optimizer.registered_name} failed in update", error) from error

    def _update(self, block: _Block) -> None:
        value, gradient, slots, decay = block
        self.optimizer.update(value, gradient, slots, self._step if decay else self._step_without_decay)


def _blocks(network: Sequential, uses_decay: bool) -> list[tuple[int, int]]:
    edges = (0, network.layout.decaying, network.layout.size) if uses_decay else (0, network.layout.size)
    return [block for begin, end in pairwise(edges) for block in blocks(begin, end)]


def _whole_arrays(network: Sequential) -> list[tuple[int, int]]:
    return [network.layout.extent(path) for path in network.layout.offsets]
