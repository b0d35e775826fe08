"""Examples on which augmentations are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.testing.suite.examples.example import ROWS, ExampleWithShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.augmentation import Augmentation
    from mlpkit.testing.suite.comparison import Arrays


class AugmentationExample(ExampleWithShape):
    """An augmentation of inputs of a shape, between 0 and 1 as pixels are."""

    sample = "[({'std': 0.1}, (28, 28))]"

    def inputs(self, rows: int = ROWS, dtype: str = "float64", number: int = 0) -> NDArray[Any]:
        """Return a random minibatch."""
        return self.random("batch", number).uniform(size=(rows, *self.shape)).astype(dtype)

    def augment(self, augmentation: Augmentation, x: NDArray[Any], number: int = 0, fill: float = np.nan) -> Any:
        """Return the changed minibatch, written into a filled array.

        Args:
            augmentation: the augmentation.
            x: inputs.
            number: number of the random stream.
            fill: initial value of the array for the result.
        """
        return augmentation(x, self.random("augmentation", number), np.full_like(x, fill))

    def exercise(self) -> Arrays:
        """Change a minibatch in both dtypes."""
        return {
            f"the changed inputs in {dtype}": np.array(self.augment(self.make(), self.inputs(dtype=dtype)))
            for dtype in ("float32", "float64")
        }
