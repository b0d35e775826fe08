"""Runs layers and losses outside a network, with random targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mlpkit.components.layer import Layer
from mlpkit.components.loss import Loss
from mlpkit.components.target import Classes, Labels
from mlpkit.errors import UsageError
from mlpkit.network.sequential import Sequential

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from mlpkit.components.operation import Operation, Shape
    from mlpkit.components.recipe import Resolver
    from mlpkit.components.target import Target


def random_targets(
    target: Target, rows: int, rng: np.random.Generator, dtype: DTypeLike = np.float64, *, negative: bool = True
) -> NDArray[Any]:
    """Draw random targets.

    Args:
        target: the kind of target.
        rows: the number of rows.
        rng: the random number generator.
        dtype: the network's dtype, which all targets have except class numbers.
        negative: whether values may be negative.
    """
    if isinstance(target, Classes):
        labels = rng.integers(0, target.count, rows)
        return np.eye(target.count, dtype=dtype)[labels] if target.one_hot else labels
    if isinstance(target, Labels):
        return rng.integers(0, 2, (rows, target.count)).astype(dtype)
    values = rng.normal(size=(rows, *target.shape)).astype(dtype)
    return values if negative else np.abs(values)


O = TypeVar("O", bound="Operation")  # noqa: E741 - stands for operation


class Projection(Loss):
    """Scalar product of the inputs and the targets, so that backward's dx is dloss t.

    loss = Σ x t
    """

    def build(self, input_shape: Shape, target: Target | None) -> None:
        """Accept inputs of any shape."""

    def forward(self, x: NDArray[Any], t: NDArray[Any]) -> float:
        """Return Σ x t."""
        self.t = t
        return float(np.sum(x * t, dtype=np.float64))

    def backward(self, dloss: float = 1.0) -> NDArray[Any]:
        """Return dloss t."""
        return self.t * dloss


def standalone(
    operation: O,
    input_shape: Shape,
    *,
    target: Target | None = None,
    seed: int = 0,
    dtype: DTypeLike = np.float64,
    resolver: Resolver | None = None,
) -> O:
    """Build a new layer or loss outside a network, ready for ``forward`` and ``backward``.

    Its parameters have initial values and arrays for their gradients, it is in training, and its input gradient is
    needed. If it draws random numbers, call ``begin_pass`` before each ``forward``.

    Args:
        operation: the layer or loss; it can't become part of a network afterwards.
        input_shape: shape of one example.
        target: for a loss, the kind of target, if known.
        seed: the seed of initializers and random numbers.
        dtype: float32 or float64.
        resolver: builds components from their names; by default all installed ones.

    Raises:
        StackError: the layer or loss can't take such inputs or targets.
    """
    if not isinstance(operation, Layer | Loss):
        raise UsageError(f"{operation!r} is neither a layer nor a loss")
    stack: list[Layer | Loss] = [operation] if isinstance(operation, Loss) else [operation, Projection()]
    network = Sequential(stack, input_shape, target=target, seed=seed, dtype=dtype, resolver=resolver)
    network.set_training(True)
    operation.needs_input_gradient = True
    return operation


def begin_pass(operation: Operation) -> None:
    """Restart the operation's random numbers, as a network does before each forward pass."""
    operation._position.forwards += 1
