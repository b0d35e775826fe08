"""The base of examples of layers and losses: forward and backward passes on random minibatches."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mlpkit.network.sequential import Sequential
from mlpkit.testing.outside_network import begin_pass, standalone
from mlpkit.testing.suite.examples.example import ROWS, ExampleWithShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.operation import Operation
    from mlpkit.components.target import Target
    from mlpkit.testing.suite.comparison import Arrays

OUTPUTS: Final = "what forward returns"
INPUT_GRADIENT: Final = "what backward returns"


class Batch(NamedTuple):
    """A minibatch.

    Args:
        x: inputs.
        t: targets of a loss; for a layer, the derivative of the loss by its outputs.
    """

    x: NDArray[Any]
    t: NDArray[Any]

    def rows(self, rows: slice) -> Batch:
        """Return a part of it, copied."""
        return Batch(self.x[rows].copy(), self.t[rows].copy())

    def copy(self) -> Batch:
        """Return a copy."""
        return Batch(self.x.copy(), self.t.copy())


class OperationExample(ExampleWithShape):
    """An example on which a layer or loss is checked."""

    target: Target | None = None

    def ready(self, dtype: str = "float64", *, training: bool = True) -> Any:
        """Return a new operation, bound to arrays as in a network."""
        operation: Operation = self.make()
        standalone(operation, self.shape, target=self.target, dtype=dtype, resolver=self.registry.create)
        move_parameters(operation, self.random("parameters"))
        for each in operation.operations():
            each.training = training
        return operation

    def network(self, slices: int) -> Sequential:
        """Return a new network of the operation alone, in training; a layer's loss is Σ y t."""
        network = Sequential(
            self._stack(),
            self.shape,
            target=self.target,
            dtype="float64",
            slices=slices,
            resolver=self.registry.create,
        )
        network.values[...] += self.random("flat parameters").uniform(-0.1, 0.1, network.values.shape)
        network.set_training(True)
        return network

    def batch(self, rows: int = ROWS, dtype: str = "float64", number: int = 0) -> Batch:
        """Return a random minibatch.

        Args:
            rows: its rows.
            dtype: the network's dtype.
            number: number of the random minibatch.
        """
        rng = self.random("batch", number)
        x = rng.normal(size=(rows, *self.shape)).astype(dtype)
        return Batch(x, self._second(rows, rng, dtype))

    def run(self, operation: Any, batch: Batch) -> Arrays:
        """Go forward and backward once, and return copies of all results.

        State is reset before, so that it can't be why two passes differ.
        """
        outputs = self.forward(operation, batch)
        arrays = {OUTPUTS: np.array(outputs), INPUT_GRADIENT: np.array(self.backward(operation, batch))}
        return arrays | gradients(operation)

    def forward(self, operation: Any, batch: Batch) -> Any:
        """Go forward once, with random numbers and state as for a first pass."""
        begin_pass(operation)
        for state in operation.declared_states():
            state.value[...] = state.initial
        return self.compute(operation, batch)

    @abstractmethod
    def compute(self, operation: Any, batch: Batch) -> Any:
        """Call the operation's ``forward``."""

    @abstractmethod
    def backward(self, operation: Any, batch: Batch) -> Any:
        """Call the operation's ``backward``."""

    def exercise(self) -> Arrays:
        """Go forward and backward in training, and forward in evaluation, in both dtypes."""
        found: Arrays = {}
        for dtype in ("float32", "float64"):
            batch = self.batch(dtype=dtype)
            for what, array in self.run(self.ready(dtype), batch).items():
                found[f"{what} in {dtype}"] = array
            evaluated = self.forward(self.ready(dtype, training=False), batch)
            found[f"{OUTPUTS} in evaluation, in {dtype}"] = np.array(evaluated)
        return found

    @abstractmethod
    def _second(self, rows: int, rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        """Draw the second part of a minibatch."""

    @abstractmethod
    def _stack(self) -> list[Any]:
        """Return a new operation, with the other layers that make it a network."""


def gradients(operation: Operation) -> Arrays:
    """Return a copy of the gradient of each parameter."""
    return {
        f"the gradient of {parameter.path.partition('.')[2]}": parameter.grad.copy()
        for parameter in operation.declared_parameters()
    }


def move_parameters(operation: Operation, rng: np.random.Generator) -> None:
    """Move parameters a little off their first values, so that zeros hide nothing."""
    for parameter in operation.declared_parameters():
        parameter.value += rng.uniform(-0.1, 0.1, parameter.shape).astype(parameter.value.dtype)
