"""Applying an optimizer to the flat parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.optimizer import Step
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.optimizer import Optimizer
    from mlpkit.network.sequential import Sequential

    _Block = tuple[NDArray[Any], NDArray[Any], dict[str, NDArray[Any]], bool]


class OptimizerState:
    """What an optimizer keeps from step to step; one training leaves it there, and another goes on from it.

    Attributes:
        optimizer: name of the optimizer.
        slots_version: what its slots mean.
        slots: its slots.
        steps: steps that it has taken.
    """

    def __init__(self) -> None:
        self.optimizer = ""
        self.slots_version = 1
        self.slots: dict[str, NDArray[Any]] = {}
        self.steps = 0


class Updater:
    """Calls an optimizer on blocks of a network's trained parameters, shared out to the network's workers.

    Args:
        optimizer: the optimizer.
        network: the network; its arrays stay where they are.
        state: what the optimizer left there the last time, and keeps there from now on; that of another is dropped.
            None to begin.
    """

    def __init__(self, optimizer: Optimizer, network: Sequential, state: OptimizerState | None = None) -> None:
        self.optimizer = optimizer
        self.network = network
        self.slots: dict[str, NDArray[Any]] = {name: network.layout.zeros(network.dtype) for name in optimizer.slots}
        self._state = state or OptimizerState()
        self._take_over(self._state)
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
            step: number of this step in this training, from 1.
        """
        number = self._steps_before + step
        self._step = self._step_without_decay = Step(learning_rate, number)
        if self.optimizer.uses_decay:
            self._step_without_decay = Step(learning_rate, number, decay=False)
        self._state.steps = number
        try:
            self.network.map(self._update, self._blocks)
        except MlpkitError:
            raise
        except Exception as error:
            raise failure(f"optimizer {self.optimizer.registered_name} failed in update", error) from error

    def _take_over(self, state: OptimizerState) -> None:
        """Go on from a state of the same optimizer, and keep this one's there."""
        optimizer = self.optimizer
        if state.optimizer == optimizer.registered_name and state.slots.keys() == self.slots.keys():
            for name, slot in self.slots.items():
                np.copyto(slot, state.slots[name])
            if state.slots_version != optimizer.slots_version:
                optimizer.upgrade_slots(self.slots, state.slots_version)
            self._steps_before = state.steps
        else:
            self._steps_before = state.steps = 0
        state.optimizer, state.slots_version = optimizer.registered_name, optimizer.slots_version
        state.slots = self.slots

    def _update(self, block: _Block) -> None:
        value, gradient, slots, decay = block
        self.optimizer.update(value, gradient, slots, self._step if decay else self._step_without_decay)


def _blocks(network: Sequential, uses_decay: bool) -> list[tuple[int, int]]:
    layout = network.layout
    edges = (0, layout.decaying, layout.size) if uses_decay else (0, layout.size)
    return [block for begin, end in pairwise(edges) for block in layout.trained_blocks(begin, end)]


def _whole_arrays(network: Sequential) -> list[tuple[int, int]]:
    layout = network.layout
    return [layout.extent(path) for path in layout.offsets if path not in layout.frozen]
