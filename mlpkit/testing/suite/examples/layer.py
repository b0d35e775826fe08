"""Examples on which layers are checked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.schema.component_types import default_names
from mlpkit.network.shape_proof import prove_shapes
from mlpkit.testing.outside_network import Projection
from mlpkit.testing.suite.examples.operation import Batch, OperationExample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.layer import Layer


class LayerExample(OperationExample):
    """A layer on inputs of a shape."""

    @cached_property
    def output_shape(self) -> tuple[int, ...]:
        """The shape that the layer's ``build`` returns."""
        stack = self._stack()
        names = default_names(member.type_name for member in stack)
        return prove_shapes(stack, names, self.shape, None, np.dtype("float64")).shapes[-1]

    def compute(self, operation: Layer, batch: Batch) -> Any:
        """Return y."""
        return operation.forward(batch.x)

    def backward(self, operation: Layer, batch: Batch) -> Any:
        """Return dx for a copy of dy."""
        return operation.backward(batch.t.copy())

    def _second(self, rows: int, rng: np.random.Generator, dtype: str) -> NDArray[Any]:
        return rng.normal(size=(rows, *self.output_shape)).astype(dtype)

    def _stack(self) -> list[Any]:
        return [self.make(), Projection()]
