"""Applying an optimizer to the flat parameters."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.optimizer import Step
from mlpkit.components.schedule import START
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import failure
from mlpkit.network.flat_layout import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlpkit.components.optimizer import Optimizer
    from mlpkit.components.parameter import StepFactors
    from mlpkit.components.schedule import Progress
    from mlpkit.network.sequential import Sequential

    _Block = tuple[NDArray[Any], NDArray[Any], dict[str, NDArray[Any]], int]


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
        factors: what weight decay and learning rate are multiplied by, by the parameter's path, where that is not what
            the layer declares.
        progress: that of the training, which schedules follow.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        network: Sequential,
        state: OptimizerState | None = None,
        factors: Mapping[str, StepFactors] = MappingProxyType({}),
        progress: Progress = START,
    ) -> None:
        self.optimizer = optimizer
        self.network = network
        self.slots: dict[str, NDArray[Any]] = {name: network.layout.zeros(network.dtype) for name in optimizer.slots}
        self._progress = progress
        self._state = state or OptimizerState()
        self._take_over(self._state)
        edges = self._edges({**network.layout.factors, **factors})
        self._factors = list(dict.fromkeys(shared for *_, shared in edges))
        self._blocks: list[_Block] = [
            (
                network.values[begin:end],
                network.gradient_values[begin:end],
                {name: slot[begin:end] for name, slot in self.slots.items()},
                self._factors.index(shared),
            )
            for begin, end, shared in edges
        ]

    def __call__(self, learning_rate: float, step: int) -> None:
        """Take one step.

        Args:
            learning_rate: the learning rate for this step.
            step: number of this step in this training, from 1.
        """
        number = self._steps_before + step
        self._steps = [Step(learning_rate * rate, number, decay, self._progress) for decay, rate in self._factors]
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
        value, gradient, slots, i = block
        self.optimizer.update(value, gradient, slots, self._steps[i])

    def _edges(self, factors: Mapping[str, StepFactors]) -> list[tuple[int, int, StepFactors]]:
        """Return begin and end of each block, and the factors that its parameters share."""
        layout = self.network.layout
        if not self.optimizer.uses_decay:
            factors = {path: own._replace(decay=1.0) for path, own in factors.items()}
        if not self.optimizer.elementwise:
            return [(*layout.extent(path), factors[path]) for path in layout.offsets if path not in layout.frozen]
        stretches = layout.trained_with(factors)
        return [(*block, shared) for begin, end, shared in stretches for block in blocks(begin, end)]
