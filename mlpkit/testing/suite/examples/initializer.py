"""Examples on which initializers are checked."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlpkit.components.initializer import Fans
from mlpkit.testing.suite.examples.example import ExampleWithShape

if TYPE_CHECKING:
    from mlpkit.components.initializer import Initializer
    from mlpkit.testing.suite.comparison import Arrays


class InitializerExample(ExampleWithShape):
    """An initializer of a parameter of a shape."""

    form = "a list of pairs of parameters and the shape of an array to fill"
    sample = "[({'std': 0.1}, (4, 3))]"
    place: ClassVar[tuple[int, ...]] = (5, 3)

    def draw(self, initializer: Initializer, dtype: str = "float64", number: int = 0) -> Any:
        """Return first values.

        Args:
            initializer: the initializer.
            dtype: the network's dtype.
            number: number of the random stream.
        """
        shape = self.shape
        fans = Fans(prod(shape[:-1]), shape[-1] if shape else 1)
        return initializer(shape, fans, self.random("initializer", number), np.dtype(dtype))

    def exercise(self) -> Arrays:
        """Draw values in both dtypes."""
        return {f"the values in {dtype}": np.array(self.draw(self.make(), dtype)) for dtype in ("float32", "float64")}
