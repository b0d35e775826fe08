"""Examples on which losses are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from mlpkit.components.target import Classes, Labels, Values
from mlpkit.network.shape_proof import StackError, prove_shapes
from mlpkit.testing.outside_network import random_targets
from mlpkit.testing.suite.check import CheckFailure
from mlpkit.testing.suite.examples.operation import Batch, OperationExample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.loss import Loss
    from mlpkit.components.target import Target
    from mlpkit.registry.registry import RegisteredComponent, Registry

DLOSS: Final = 0.75
"""The dloss of a slice, other than 1, so that a loss that ignores it fails."""


class LossExample(OperationExample):
    """A loss on inputs of a shape, with a kind of target that its ``build`` accepts."""

    def __init__(
        self, entry: RegisteredComponent, registry: Registry, index: int | None, target: Target | None = None
    ) -> None:
        super().__init__(entry, registry, index)
        self.target = target

    @classmethod
    def variants(cls, entry: RegisteredComponent, registry: Registry, index: int | None) -> list[Self]:
        """Return a variant for each kind of target that ``build`` accepts."""
        shape = cls(entry, registry, index).shape
        candidates = [cls(entry, registry, index, target) for target in possible_targets(shape)]
        accepted = [candidate for candidate in candidates if candidate.is_accepted()]
        if not accepted:
            tried = "; ".join(str(candidate.target) for candidate in candidates)
            raise CheckFailure(
                f"build of {entry.name} refuses every target for inputs of shape {shape}: {tried}",
                expected="one that it accepts",
                remedy="use another shape in examples()",
            )
        return accepted

    def is_accepted(self) -> bool:
        """Whether ``build`` accepts the shape with the target."""
        try:
            prove_shapes([self.make()], ["Loss1"], self.shape, self.target, np.dtype("float64"))
        except StackError:
            return False
        return True

    def title(self) -> str:
        """Return a title that identifies the example."""
        one_hot = ", one-hot" if isinstance(self.target, Classes) and self.target.one_hot else ""
        return f"{super().title()} with {self.target}{one_hot}"

    def compute(self, operation: Loss, batch: Batch) -> Any:
        """Return the loss."""
        return operation.forward(batch.x, batch.t)

    def backward(self, operation: Loss, batch: Batch) -> Any:
        """Return dx."""
        return operation.backward(DLOSS)

    def _second(self, rows: int, rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        assert self.target is not None
        return random_targets(self.target, rows, rng, dtype)

    def _stack(self) -> list[Any]:
        return [self.make()]


def possible_targets(shape: tuple[int, ...]) -> list[Target]:
    """Return the targets that a loss may take with inputs of that shape."""
    last = shape[-1] if shape else 1
    count = last if last > 1 else 2
    return [Classes(count), Classes(count, one_hot=True), Labels(last), Values(shape)]
