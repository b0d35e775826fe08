"""Applying an optimizer to the flat parameters, and constraints of their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlpkit.components.operation import own_parameters
from mlpkit.components.optimizer import Optimizer, Step
from mlpkit.components.parameter import Parameter, StepFactors
from mlpkit.components.schedule import START, Progress
from mlpkit.errors import MlpkitError
from mlpkit.network.component_errors import component_errors, failure
from mlpkit.network.flat_layout import FlatLayout, blocks
from mlpkit.network.sequential import Sequential

_Block = tuple[NDArray[Any], NDArray[Any], dict[str, NDArray[Any]], int]


class Slot(NamedTuple):
    """What an optimizer keeps under one name: an array for each parameter, laid out by its path in one flat array."""

    flat: NDArray[Any]
    layout: FlatLayout

    def views(self, paths: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Return the arrays of those among the parameters that have one, by path."""
        return {path: self.layout.view(self.flat, path) for path in paths if path in self.layout.offsets}


@dataclass(eq=False)
class OptimizerState:
    """What an optimizer keeps from step to step; one training leaves it here, and another continues from it.

    Args:
        optimizer: name of the optimizer.
        slots_version: what its slots mean.
        slots: its slots, each in one flat array.
        steps: steps that it has taken.
        parameters: those after the last step, if a slot has taken their place in the network; otherwise None.
    """

    optimizer: str = ""
    slots_version: int = 1
    slots: dict[str, NDArray[Any]] = field(default_factory=dict)
    steps: int = 0
    parameters: NDArray[Any] | None = None


class Updater:
    """Calls an optimizer on blocks of a network's trained parameters, or on each, shared out to the network's workers.

    It continues from the state of the same optimizer, and keeps its own there. ``factors`` are what weight decay and
    learning rate are multiplied by, by the parameter's path, where that is not what the layer declares.
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
        self.slots = {name: Slot(layout.zeros(network.dtype), layout) for name, layout in self._slot_layouts().items()}
        self._progress = progress
        self._state = state or OptimizerState()
        self._take_over(self._state)
        factors = {**network.layout.factors, **factors}
        if not optimizer.uses_decay:
            factors = {path: own._replace(decay=1.0) for path, own in factors.items()}
        self._kinds: dict[tuple[StepFactors, str], int] = {}
        self._blocks = self._blocks_of(factors)

    def __call__(self, learning_rate: float, step: int) -> None:
        """Take a step of this training, numbered from 1."""
        number = self._steps_before + step
        self._steps = [
            Step(learning_rate * rate, number, decay, self._progress, name) for (decay, rate), name in self._kinds
        ]
        self._state.steps = number
        try:
            self.network.map(self._update, self._blocks)
        except MlpkitError:
            raise
        except Exception as error:
            raise failure(f"optimizer {self.optimizer.registered_name} failed in update", error) from error

    @property
    def stand_in(self) -> NDArray[Any] | None:
        """What is evaluated and saved in place of the parameters, laid out as they are; None for themselves."""
        return self.slots[self.optimizer.evaluates].flat if self.optimizer.evaluates else None

    def remember_parameters(self) -> None:
        """Keep the parameters for the training that continues from here, before a slot takes their place."""
        if self.optimizer.evaluates:
            self._state.parameters = self.network.values.copy()

    def upgrade_slots(self, version: int) -> None:
        """Convert slots of another version to the optimizer's."""
        if self.optimizer.sees == "parameters":
            for path in self._trained():
                self.optimizer.upgrade_slots(self._slots_of(path), version)
        else:
            self.optimizer.upgrade_slots({name: slot.flat for name, slot in self.slots.items()}, version)

    def _slot_layouts(self) -> dict[str, FlatLayout]:
        """Return the layout of each slot."""
        optimizer, layout = self.optimizer, self.network.layout
        if optimizer.sees != "parameters":
            return dict.fromkeys(optimizer.slots, layout)
        own = {path: layout.shapes[path] for path in self._trained()}
        shapes: dict[str, dict[str, tuple[int, ...]]] = {}
        with component_errors(f"optimizer {optimizer.registered_name} failed in slots_of"):
            for path, own_shape in own.items():
                for name, shape in optimizer.slots_of(path, own_shape).items():
                    shapes.setdefault(name, {})[path] = tuple(shape)
        return {name: layout if of_slot == own else FlatLayout.of_shapes(of_slot) for name, of_slot in shapes.items()}

    def _take_over(self, state: OptimizerState) -> None:
        """Continue from a state of the same optimizer, and keep this one's there."""
        optimizer = self.optimizer
        flats = {name: slot.flat for name, slot in self.slots.items()}
        sizes, sizes_there = ({name: len(flat) for name, flat in slots.items()} for slots in (flats, state.slots))
        if state.optimizer == optimizer.registered_name and sizes_there == sizes:
            for name, flat in flats.items():
                np.copyto(flat, state.slots[name])
            if state.slots_version != optimizer.slots_version:
                self.upgrade_slots(state.slots_version)
            self._steps_before = state.steps
            if state.parameters is not None:
                for begin, end in self.network.layout.trained():
                    np.copyto(self.network.values[begin:end], state.parameters[begin:end])
        else:
            self._steps_before = state.steps = 0
        state.parameters = None
        state.optimizer, state.slots_version = optimizer.registered_name, optimizer.slots_version
        state.slots = flats

    def _update(self, block: _Block) -> None:
        value, gradient, slots, i = block
        self.optimizer.update(value, gradient, slots, self._steps[i])

    def _blocks_of(self, factors: Mapping[str, StepFactors]) -> list[_Block]:
        """Return what the optimizer sees at a time: a parameter in its shape, or a block whose factors are the same."""
        values, gradient, layout = self.network.values, self.network.gradient_values, self.network.layout
        if self.optimizer.sees == "parameters":
            return [
                (
                    layout.view(values, path),
                    layout.view(gradient, path),
                    self._slots_of(path),
                    self._kind(factors[path], path),
                )
                for path in self._trained()
            ]
        if self.optimizer.elementwise:
            stretches = layout.trained_with(factors)
            edges = [(*block, shared) for begin, end, shared in stretches for block in blocks(begin, end)]
        else:
            edges = [(*layout.extent(path), factors[path]) for path in self._trained()]
        return [
            (
                values[begin:end],
                gradient[begin:end],
                {name: slot.flat[begin:end] for name, slot in self.slots.items()},
                self._kind(shared),
            )
            for begin, end, shared in edges
        ]

    def _kind(self, factors: StepFactors, name: str = "") -> int:
        """Return the number of the step that blocks with these factors and this name share."""
        return self._kinds.setdefault((factors, name), len(self._kinds))

    def _slots_of(self, path: str) -> dict[str, NDArray[Any]]:
        return {name: views[path] for name, slot in self.slots.items() if (views := slot.views([path]))}

    def _trained(self) -> list[str]:
        layout = self.network.layout
        return [path for path in layout.offsets if path not in layout.frozen]


Update: TypeAlias = "Callable[[float, int], None]"
"""Takes a step, from the learning rate and the number of the step."""


def constrained(update: Update, network: Sequential, max_weight_norm: Mapping[str, float]) -> Update:
    """Return an update that is followed by the constraints of layers and by limits of norms, if there are any.

    The incoming weights of a unit may be as long as ``max_weight_norm`` has it by the parameter's path or a pattern,
    the last that matches counting. Frozen layers are left alone.
    """
    constraints = list(_constraints(network, max_weight_norm))
    if not constraints:
        return update

    def constrained_update(learning_rate: float, step: int) -> None:
        update(learning_rate, step)
        for constrain in constraints:
            constrain()

    return constrained_update


def _constraints(network: Sequential, max_weight_norm: Mapping[str, float]) -> Iterator[Callable[[], None]]:
    for operation in network.replicas[0].operations():
        for parameter in own_parameters(operation) if operation.needs_parameter_gradients else ():
            if parameter.constraint is not None:
                yield partial(_constrain, parameter.constraint, parameter)
            limits = [limit for pattern, limit in max_weight_norm.items() if fnmatchcase(parameter.path, pattern)]
            if limits:
                yield partial(limit_norms, parameter, limits[-1])


def _constrain(constraint: Callable[[NDArray[Any]], None], parameter: Parameter) -> None:
    with component_errors(f"the constraint of {parameter.path} failed"):
        constraint(parameter.value)


def limit_norms(parameter: Parameter, limit: float) -> None:
    """Shorten the incoming weights w of each unit that are longer than the limit, w = w min(1, limit / ‖w‖).

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: A Simple Way to Prevent Neural
        Networks from Overfitting (2014), section 5.1.
    """
    weights = np.moveaxis(parameter.value, parameter.unit_axis, -1)
    lengths = np.sqrt(np.square(weights).sum(axis=tuple(range(weights.ndim - 1))))
    if (lengths > limit).any():
        weights *= limit / np.maximum(lengths, limit)
