"""Augmentations: random changes to training examples."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit.components.component import Component

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Augmentation(Component):
    """Changes the inputs of a training minibatch; never used in evaluation."""

    kind: ClassVar[str] = "augmentation"

    def expect_inputs(self, input_shape: tuple[int, ...]) -> None:
        """Check that inputs of a shape, without the batch axis, can be changed; by default, all can. Called first.

        Raises:
            ShapeError: they can't.
            ParameterError: they can't with this parameter.
        """

    @abstractmethod
    def __call__(self, x: NDArray[Any], rng: np.random.Generator, out: NDArray[Any]) -> NDArray[Any]:
        """Write the changed minibatch into ``out`` and return it.

        Args:
            x: inputs, shape (rows, ...); must be left as they are.
            rng: random numbers, keyed by the seed and the step.
            out: an array of the same shape.
        """
