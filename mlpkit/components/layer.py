"""Layers: functions with parameters, and their derivatives."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit.components.operation import Operation, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Layer(Operation):
    """A function of a minibatch, y = f(x), and its derivative, dx = dy ∂y/∂x.

    The first axis of every array is the batch axis; shapes in ``build`` leave it out.
    """

    kind: ClassVar[str] = "layer"

    def build(self, input_shape: Shape) -> Shape:
        """Declare parameters for inputs of that shape, and return the shape of the outputs.

        Raises:
            ShapeError: the layer can't take such inputs.
        """
        return input_shape

    @abstractmethod
    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y for a minibatch, and keep what ``backward`` will need.

        Args:
            x: inputs, shape (rows, *input_shape); must be left as they are.
        """

    @abstractmethod
    def backward(self, dy: NDArray[Any]) -> NDArray[Any] | None:
        """Overwrite the gradient of each parameter, and return dx.

        Args:
            dy: derivative of the loss by y; the layer's own to overwrite.

        Returns:
            dx, writable; None only if ``needs_input_gradient`` is false.
        """

    def child(self, layer: Layer, input_shape: Shape) -> Shape:
        """Declare a layer inside this one, and return the shape of its outputs; to be called in ``build``.

        Args:
            layer: a layer that belongs to this one alone.
            input_shape: shape of its inputs.
        """
        if layer.path:
            msg = f"{self.path} takes {layer.path} as a child, which has its place already; make a new layer"
            raise ValueError(msg)
        ordinal = 1 + sum(other.type_name == layer.type_name for other in self._children.values())
        name = f"{layer.type_name}{ordinal}"
        self._new_declaration(name, ())
        self._children[name] = layer
        layer.path = f"{self.path}.{name}"
        layer.dtype = self.dtype
        return layer.build(input_shape)

    def flops(self, input_shape: Shape) -> int:
        """Return floating-point operations for one example, forward and backward.

        By default six for each weight: a multiplication and an addition in each of three matrix products.
        """
        return 6 * sum(prod(parameter.shape) for parameter in self.declared_parameters())

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Shape]]:
        """Return pairs of parameters and input shape that show the layer at work, for tests and ``show``."""
        return []
