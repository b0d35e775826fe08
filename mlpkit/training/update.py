"""Applying an optimizer to the flat parameters."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from mlpkit.errors import MlpkitError
from mlpkit.network.blame import failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.optimizer import Optimizer
    from mlpkit.network.sequential import Sequential

BLOCK = 262_144
"""Elements of a block: with its gradient and two slots it stays in a cache of a few megabytes."""


class Updater:
    """Calls an optimizer on blocks of a network's flat parameters.

    Args:
        optimizer: the optimizer.
        network: the network; its arrays stay where they are.
    """

    def __init__(self, optimizer: Optimizer, network: Sequential) -> None:
        self.optimizer = optimizer
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
        update = self.optimizer.update
        try:
            for value, gradient, slots, decay in self._blocks:
                update(value, gradient, slots, learning_rate=learning_rate, step=step, decay=decay)
        except MlpkitError:
            raise
        except Exception as error:
            raise failure(f"optimizer {self.optimizer.registered_name} failed in update", error) from error


def _blocks(network: Sequential, uses_decay: bool) -> list[tuple[int, int]]:
    edges = (0, network.layout.decaying, network.layout.size) if uses_decay else (0, network.layout.size)
    return [(block, min(block + BLOCK, end)) for begin, end in pairwise(edges) for block in range(begin, end, BLOCK)]


def _whole_arrays(network: Sequential) -> list[tuple[int, int]]:
    layout = network.layout
    return [(offset, offset + prod(layout.shapes[path])) for path, offset in layout.offsets.items()]
