"""The rectified linear unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpkit import Layer
from mlpkit_plugins.kernels import keep_where_positive, rectify

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Relu(Layer):
    """Rectified linear unit, element by element.

        y  = max(x, 0)
        dx = dy where x > 0, else 0

    Shapes: x and y alike, of any shape.

    Source: Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines (2010).
    """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = max(x, 0)."""
        self.y = rectify(x, self.buffer("y", x.shape, gaps=True, like=x))
        return self.y

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx: dy where y is positive."""
        return keep_where_positive(dy, self.y, dy)

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]
