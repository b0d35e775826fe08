"""Layers that apply a function to each element, such as activations."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from mlpkit.components.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlpkit.components.operation import Shape


class Elementwise(Layer):
    """A layer that applies a function to each element, given by its formula and its derivative.

        y  = f(x)
        dx = dy f'(x)

    Both methods may write into ``out`` and return it, which is fast, or return an array of their own. If one pass can
    compute dx, override ``backward`` as well.

    Attributes:
        x: inputs of the last ``forward``.
        y: what it returned.
    """

    x: NDArray[Any]
    y: NDArray[Any]

    @abstractmethod
    def function(self, x: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return f(x).

        Args:
            x: inputs, shape (rows, *input_shape); must be left as they are.
            out: an array of the same shape and dtype for the result, of undefined content.
        """

    @abstractmethod
    def derivative(self, x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        """Return f'(x).

        Args:
            x: inputs of ``function``; must be left as they are.
            y: what it returned.
            out: an array of the same shape and dtype for the result, of undefined content.
        """

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return y = f(x)."""
        self.x = x
        self.y = self.function(x, self.buffer("y", like=x))
        return self.y

    def prediction_plan(self, x: NDArray[Any]) -> Callable[[], NDArray[Any]]:
        """Return a function that computes f(x) again."""
        y = self.buffer("y", like=x)

        def again() -> NDArray[Any]:
            self.x, self.y = x, self.function(x, y)
            return self.y

        return again

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return dx = dy f'(x)."""
        dy *= self.derivative(self.x, self.y, self.buffer("derivative", like=self.x))
        return dy

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], Shape]]:
        """Show the layer on features and on an image."""
        return [({}, (6,)), ({}, (2, 3))]
