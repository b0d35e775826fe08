"""The base of activations."""

from __future__ import annotations

from abc import abstractmethod

from mlpkit import Array, Elementwise


class Activation(Elementwise):
    """A function of each element that two kernels compute: y = f(x), and dx = dy f'(x) in one pass over memory."""

    @abstractmethod
    def gradient(self, dy: Array | float, x: Array, y: Array, out: Array) -> Array:
        """Set out to dy f'(x), and return it.

        Args:
            dy: the shape of x, or a number.
            x: inputs of ``function``.
            y: what it returned.
            out: the shape of x; may be dy itself.
        """

    def derivative(self, x: Array, y: Array, out: Array) -> Array:
        """Return f'(x)."""
        return self.gradient(1.0, x, y, out)

    def backward(self, dy: Array) -> Array:
        """Return dx = dy f'(x)."""
        return self.gradient(dy, self.x, self.y, dy)
